"""The collector of virtual time judges readings and writes as the live one does."""

import numpy as np
import pytest

from mallee.core.command import Command
from mallee.core.snapshot import Progress, Quality
from mallee.simulation.virtual_collector import VirtualCollector
from mallee.site.model import SiteModel
from mallee.twin.faults import FaultEvent, FaultPlan
from mallee.twin.site_twin import SiteTwin


class Bench:
    """A twin with its collector, advanced by hand."""

    def __init__(self, site: SiteModel, *faults: FaultEvent) -> None:
        self.site, self.twin = site, SiteTwin(site, faults=FaultPlan(faults))
        self.collector = VirtualCollector(site, self.twin)
        self.told: list[tuple[str, str]] = []
        self.collect()

    def collect(self) -> None:
        self.time_s = self.twin.time_ms / 1000.0
        self.snapshot = self.collector.collect(self.time_s)
        self.told += [(event.kind, event.source) for event in self.collector.take_events()]

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.twin.advance(100)
            self.collect()

    def write(self, path: str, value: float, lease_s: float) -> int:
        row = self.site.find_point(path)
        assert row is not None
        one = Command(
            rows=np.array([row]), values=np.array([value]), lease_s=lease_s, reason="test"
        )
        self.collector.send([one], self.time_s)
        return row


def test_a_write_is_done_when_a_reading_shows_it(demo_site: SiteModel) -> None:
    bench = Bench(demo_site)
    row = bench.write("ev1/limit_w", 50e3, 30.0)
    assert bench.snapshot.progress[row] == Progress.SENT
    bench.run(3.0)
    assert bench.snapshot.progress[row] == Progress.DONE
    assert bench.told == []


def test_a_write_that_is_half_obeyed_is_lost_and_told_once(demo_site: SiteModel) -> None:
    half = FaultEvent(at_s=0.0, target="ev1", kind="write-half")
    bench = Bench(demo_site, half)
    bench.run(1.0)
    row = bench.write("ev1/limit_w", 50e3, 30.0)
    bench.run(12.0)
    assert bench.snapshot.progress[row] == Progress.LOST
    assert bench.told == [("command-lost", "ev1")]


def test_a_silent_device_gets_its_order_when_it_is_back_or_loses_it(demo_site: SiteModel) -> None:
    silent = FaultEvent(at_s=0.0, target="ev*", kind="comms-silent", until_s=5.0)
    bench = Bench(demo_site, silent)
    bench.run(1.0)
    waits = bench.write("ev1/limit_w", 50e3, 30.0)
    short = bench.write("ev2/limit_w", 50e3, 2.0)
    bench.run(3.0)
    assert bench.told == [("command-lost", "ev2")]
    assert bench.snapshot.progress[short] == Progress.LOST
    bench.run(5.0)
    assert bench.snapshot.progress[waits] == Progress.DONE


def test_a_device_that_falls_silent_loses_nothing_that_was_proved(demo_site: SiteModel) -> None:
    silent = FaultEvent(at_s=5.0, target="ev1", kind="comms-silent")
    bench = Bench(demo_site, silent)
    row = bench.write("ev1/limit_w", 50e3, 60.0)
    bench.run(20.0)
    assert bench.snapshot.progress[row] == Progress.DONE
    assert bench.told == []


def test_a_declined_write_is_rejected_and_told(demo_site: SiteModel) -> None:
    bench = Bench(demo_site)
    row = bench.write("ev1/limit_w", -1.0, 30.0)
    bench.collect()
    assert bench.snapshot.progress[row] == Progress.REJECTED
    assert bench.told == [("command-rejected", "ev1/limit_w")]


def test_a_reading_that_cannot_be_true_is_left_out(demo_site: SiteModel) -> None:
    wrong = FaultEvent(
        at_s=2.0,
        target="meter/import_w",
        kind="sensor-scaled",
        until_s=4.0,
        parameters={"factor": 300.0},
    )
    bench = Bench(demo_site, wrong)
    row = int(bench.site.rows("meter", "import_w")[0])
    bench.run(2.0)
    before_w = bench.snapshot.value(row)
    bench.run(1.0)
    assert bench.snapshot.quality[row] == Quality.BAD
    assert bench.snapshot.value(row) == pytest.approx(before_w, rel=0.05)
    assert not bench.snapshot.is_fresh(row, 0.8)
    assert bench.told == [("reading-implausible", "meter")]
    bench.run(2.0)
    assert bench.snapshot.quality[row] == Quality.GOOD
