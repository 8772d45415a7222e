"""The page's numbers: right sums, honest about what is old or missing."""

from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.console.frame import SignalState
from mallee.console.places import power_tree
from mallee.console.signals import Numbers, Readings
from mallee.console.table import SignalTable
from mallee.core.snapshot import Quality
from mallee.site.model import SiteModel

ROOT = Path(__file__).parents[2]


class Bench:
    """A table with readings that a test may spoil."""

    def __init__(self, site: SiteModel) -> None:
        self.site = site
        self.table = SignalTable(site, power_tree(site))
        self.values = np.ones(site.point_count)
        self.ages_s = np.full(site.point_count, 0.5)
        self.quality = np.full(site.point_count, Quality.GOOD, np.uint8)

    def numbers(self) -> Numbers:
        return self.table.evaluate(
            Readings(values=self.values, ages_s=self.ages_s, quality=self.quality)
        )

    def state(self, name: str) -> int:
        return int(self.numbers().states[self.table.index[name]])

    def value(self, name: str) -> float:
        return float(self.numbers().values[self.table.index[name]])

    def age_s(self, name: str) -> float:
        return float(self.numbers().ages_s[self.table.index[name]])


@pytest.fixture
def bench(demo_site: SiteModel) -> Bench:
    return Bench(demo_site)


def test_a_rack_draws_its_loads_and_what_its_shelves_lose(bench: Bench) -> None:
    site = bench.site
    bench.values[site.rows("node", "power_w")] = 6000.0
    bench.values[site.rows("switch", "power_w")] = 500.0
    bench.values[site.rows("power_shelf", "input_w")] = 14_500.0
    bench.values[site.rows("power_shelf", "output_w")] = 14_100.0
    bench.values[site.rows("cdu", "power_w")] = 6000.0
    rack_w = (18 * 6000.0 + 9 * 500.0) * 14_500.0 / 14_100.0
    assert bench.value("power:pod1/r1") == pytest.approx(rack_w)
    assert bench.value("power:q-pod") == pytest.approx(2 * rack_w + 6000.0)
    assert bench.value("pods_w") == pytest.approx(bench.value("power:q-pod"))
    assert bench.value("it_w") == pytest.approx(36 * 6000.0 + 18 * 500.0)


def test_a_branch_is_the_sum_of_what_hangs_below(bench: Bench) -> None:
    site = bench.site
    bench.values[:] = 0.0
    bench.values[site.rows("battery", "charge_w")] = -90e3
    bench.values[site.rows("charger", "power_w")] = (120e3, 30e3)
    assert bench.value("power:ev1") == 120e3
    assert bench.value("tile_w:charger") == 150e3
    assert bench.value("power:q-ev1") == 120e3


def test_what_carries_everything_shows_the_meter(bench: Bench) -> None:
    bench.values[bench.site.rows("meter", "import_w")] = 412e3
    assert bench.value("power:grid") == bench.value("power:tx1") == 412e3


def test_a_spare_breaker_carries_nothing(tmp_path: Path) -> None:
    text = (ROOT / "examples/sites/charging-site.toml").read_text("utf-8")
    spare = '[[breaker]]\nname = "q-spare"\nfed_by = "tx1"\nrating_a = 400\n\n[[battery]]'
    path = tmp_path / "spare.toml"
    path.write_text(text.replace("[[battery]]", spare, 1), "utf-8")
    bench = Bench(load_site(path))
    assert bench.value("power:q-spare") == 0.0
    assert bench.state("power:q-spare") == SignalState.GOOD


def test_three_missed_polls_make_a_number_stale(bench: Bench) -> None:
    row = bench.site.rows("meter", "import_w")
    bench.ages_s[row] = 2.9
    assert bench.state("import_w") == SignalState.GOOD
    bench.ages_s[row] = 3.1
    assert bench.state("import_w") == SignalState.STALE
    assert bench.age_s("import_w") == pytest.approx(3.1)
    # shelves are polled every 5 s
    bench.ages_s[bench.site.rows("power_shelf", "input_w")] = 14.0
    assert bench.state("pods_w") == SignalState.GOOD
    bench.ages_s[bench.site.rows("power_shelf", "input_w")] = 16.0
    assert bench.state("pods_w") == SignalState.PARTLY


def test_one_silent_node_marks_its_rack_and_not_the_other(bench: Bench) -> None:
    row = bench.site.rows("node", "power_w")[3]
    bench.quality[row] = Quality.STALE
    assert bench.state("power:pod1/r1") == SignalState.PARTLY
    assert bench.state("power:pod1/r2") == SignalState.GOOD
    bench = Bench(bench.site)  # with no memory of what it drew before
    bench.values[row], bench.quality[row] = np.nan, Quality.NEVER
    assert bench.state("power:pod1/r1") == SignalState.STALE
    assert bench.state("power:pod1/r2") == SignalState.GOOD
    assert bench.value("power:pod1/r1") == pytest.approx(17 + 9)


def test_bad_quality_is_not_good_however_young(bench: Bench) -> None:
    bench.quality[bench.site.rows("cdu", "supply_degc")] = Quality.BAD
    assert bench.state("coolant_supply_degc") == SignalState.STALE


def test_nothing_read_is_unknown(bench: Bench) -> None:
    bench.values[:] = np.nan
    bench.ages_s[:] = np.inf
    bench.quality[:] = Quality.NEVER
    numbers = bench.numbers()
    last = bench.table.index["adjusted_w"]  # nothing was adjusted, and that is known
    assert np.isnan(np.delete(numbers.values, last)).all()
    assert (np.delete(numbers.states, last) == SignalState.UNKNOWN).all()


def test_a_large_site_forgives_a_few_missing_devices(large_site: SiteModel) -> None:
    bench = Bench(large_site)
    rows = large_site.rows("node", "power_w")
    bench.quality[rows[:100]] = Quality.STALE
    assert bench.state("pods_w") == SignalState.GOOD
    bench.quality[rows[:2000]] = Quality.STALE
    assert bench.state("pods_w") == SignalState.PARTLY
    bench.quality[rows] = Quality.STALE
    bench.quality[large_site.rows("switch", "power_w")] = Quality.STALE
    assert bench.state("pods_w") == SignalState.STALE
    assert len(bench.table.names) < 5000
