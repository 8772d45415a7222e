"""Runs are judged feed by feed, by what each contract allows at the time; control keeps to it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np

from mallee.catalogue import load_site
from mallee.simulation.contracts import feed_records
from mallee.simulation.figures import figures_of
from mallee.simulation.run import Simulation, simulate
from mallee.simulation.verdict import judge
from mallee.site.clock import SiteClock, parse_start
from mallee.site.contract import LimitChange
from mallee.site.model import SiteModel


def scheduled(site: SiteModel, **limit: Any) -> SiteModel:
    """The site with a lower limit from 13:02 local time on."""
    change = LimitChange(name="afternoon", from_time="13:02", until_time="20:00", **limit)
    feed = msgspec.structs.replace(site.grid, limits=[change])
    return replace(site, file=msgspec.structs.replace(site.file, grid=feed))


def test_a_limit_by_schedule_is_kept_and_judged(root: Path) -> None:
    site = load_site(root / "examples/sites/single-rack.toml")
    site = scheduled(site, import_max_w=30e3)
    start = parse_start("2026-07-15T13:00", site.file.timezone, "start")
    kept, free = (
        simulate(site, duration_s=180, start_utc_s=start, control=control)
        for control in ("auto", "off")
    )
    (record,) = feed_records(kept)
    assert record.import_w[:60].max() > 36e3, "nothing is held before its time"
    assert record.import_w[120:].max() <= 30e3
    by_name = {finding.limit: finding for finding in judge(kept)}
    assert by_name["import"].held
    assert figures_of(kept)["limit_violations"] == 0
    broken = next(finding for finding in judge(free) if finding.limit == "import")  # null case
    assert (broken.held, broken.allowed, broken.first_s >= 121.0) == (False, 30e3, True)
    assert broken.worst > 36e3


def test_each_feed_is_held_to_its_own_contract(demo_site: SiteModel) -> None:
    """The sum of both keeps the sum of the limits; one of them alone does not keep its own."""
    first = msgspec.structs.replace(demo_site.grid, name="a", import_max_w=500e3, ramps=[])
    feeds = [
        msgspec.structs.replace(
            one, ramp_up_max_w_per_s=None, ramp_down_max_w_per_s=None, export_max_w=0.0
        )
        for one in (first, msgspec.structs.replace(first, name="b", import_max_w=100e3))
    ]
    file = msgspec.structs.replace(demo_site.file, grid=None, feed=feeds)
    feeds_w = np.full((100, 2), [200e3, 90e3])
    feeds_w[40:60, 1] = 150e3
    run = SimpleNamespace(
        site=replace(demo_site, file=file),
        clock=SiteClock("UTC", 0.0),
        series={"grid_w": feeds_w.sum(axis=1), "soc": np.full(100, np.nan)},
        record=SimpleNamespace(feeds_w=feeds_w),
        events=(),
    )
    found = {one.limit: one for one in judge(cast(Simulation, run))}
    assert list(found) == ["import a", "export a", "import b", "export b", "breakers"]
    assert [name for name, one in found.items() if not one.held] == ["import b"]
    assert found["import b"][2:6] == (100e3, 150e3, 20.0, 41.0)
