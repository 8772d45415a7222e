"""CDU groups N+1, plant devices on their own feeds, and where an assumed plant hangs."""

from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.site.model import SiteModel
from mallee.twin.parts.cooling import Cooling
from mallee.twin.site_twin import SiteTwin
from tests.twin.plants import HEAD, site_of

GROUP = """
[[breaker]]
name = "q-cdu2"
fed_by = "b"
rating_a = 200
[[pod]]
name = "pod"
cdu = [
  { name = "cdu1", model = "cdu-1300kw", fed_by = "a" },
  { name = "cdu2", model = "cdu-1300kw", fed_by = "q-cdu2" },
]
cdu_group = [{ name = "group", cdus = "cdu{1..2}", spare = 1 }]
[[pod.rack]]
name = "r{1..6}"
fed_by = "a"
cdu = "group"
nodes = { model = "nvidia-gb200-nvl72-compute-tray", count = 18 }
[twin]
"""

PLANT = """
[[breaker]]
name = "q-plant"
fed_by = "a"
rating_a = 1000
[[dry_cooler]]
name = "dc{1..2}"
model = "a-dry_cooler"
fed_by = "q-plant"
[[pump]]
name = "p{1..2}"
model = "a-pump"
fed_by = "q-plant"
[[chiller]]
name = "ch{1..2}"
model = "a-chiller"
fed_by = "q-plant"
[[air_handler]]
name = "ah{1..2}"
model = "a-air_handler"
fed_by = "q-plant"
[[pod]]
name = "pod"
cdu = [{ name = "cdu", model = "cdu-1300kw", fed_by = "a" }]
[[pod.rack]]
name = "r{1..2}"
fed_by = "a"
cdu = "cdu"
nodes = { model = "nvidia-gb200-nvl72-compute-tray", count = 18 }
[twin]
"""


def run(cooling: Cooling, seconds: int, share: float = 0.9) -> None:
    design = cooling.design
    for _ in range(seconds):
        cooling.advance(1.0, design.rack_liquid_max_w * share, design.rack_air_max_w * share)


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> SiteModel:
    return site_of(tmp_path_factory.mktemp("group"), HEAD + GROUP)


def test_a_group_shares_flow_and_heat_and_goes_on_without_one(group: SiteModel) -> None:
    cooling = Cooling(group, 20.0)
    run(cooling, 400)
    first, second = cooling.state.cdu_kgps
    assert first == pytest.approx(second)
    assert cooling.state.exchanged_w[0] == pytest.approx(cooling.state.exchanged_w[1], rel=1e-3)
    flows = cooling.state.rack_kgps.copy()
    cooling.faults.powered[1] = False
    run(cooling, 400)
    assert cooling.state.cdu_kgps[1] == pytest.approx(0.0, abs=1e-3)
    assert cooling.state.cdu_kgps[0] > 1.9 * first
    np.testing.assert_allclose(cooling.state.rack_kgps, flows, rtol=0.02)  # N+1: no rack is short
    assert cooling.supply_degc.max() < 40.0
    cooling.faults.powered[0] = False
    run(cooling, 30)
    assert cooling.flow_frac.max() < 0.05  # the null case: none is left


def test_a_leak_in_a_group_takes_from_all_of_it_and_closes(group: SiteModel) -> None:
    cooling = Cooling(group, 20.0)
    cooling.faults.rack_leak_kgps[0] = 0.05
    run(cooling, 200)
    assert cooling.state.rack_lost_kg.sum() > 5.0
    assert cooling.state.tank_kg[0] == pytest.approx(cooling.state.tank_kg[1])
    assert cooling.state.pressure_frac[0] == cooling.state.pressure_frac[1] < 1.0


def test_plant_devices_carry_the_plants_power_and_fail_with_their_feed(tmp_path: Path) -> None:
    twin = SiteTwin(site_of(tmp_path, HEAD + PLANT))
    site, devices = twin.site, twin.cooling.devices
    twin.advance(30_000)
    at = site.branch_index("q-plant")
    drawn_w = float(devices.load.power_w.sum())
    assert drawn_w > 0.0
    assert twin.truth.branch_w[at] == pytest.approx(drawn_w, rel=0.2)  # a second older
    row = site.find_point("ah1/power_w")
    assert row is not None
    assert twin.true_points[row] > 0.0
    warm_degc = float(twin.cooling.state.room_degc[0])
    twin.branches.trip(at, twin.time_ms)
    twin.advance(60_000)
    assert not devices.load.powered.any()
    assert twin.cooling.state.room_degc[0] > warm_degc + 2.0
    assert float(twin.cooling.state.primary_kgps.sum()) < 0.1


def test_a_chiller_needs_its_time_to_come_back(tmp_path: Path) -> None:
    cooling = Cooling(site_of(tmp_path, HEAD + PLANT), 35.0)
    devices = cooling.devices
    run(cooling, 10)
    devices.healthy[devices.names.index("ch1")] = 0.0
    run(cooling, 1)
    devices.healthy[devices.names.index("ch1")] = 1.0
    run(cooling, 58)
    assert devices.working()[devices.names.index("ch1")] == 0.0
    run(cooling, 5)
    assert devices.working()[devices.names.index("ch1")] == 1.0


def test_an_assumed_plant_never_hangs_on_a_racks_breaker(root: Path) -> None:
    """The field's case: 46 kW of plant on the first rack's breaker tripped it."""
    site = load_site(root / "examples/sites/single-rack.toml")
    cooling = Cooling(site, 20.0)
    racks = set(site.racks.branch.tolist())
    if not cooling.devices.names:
        (main, _) = cooling.loads()
        assert not set(main.branch.tolist()) & (racks - {0})
