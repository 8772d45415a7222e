"""The cooling of a site: balances, set points, what fails and how fast."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue.read import load_site
from mallee.core.arrays import FloatArray
from mallee.core.errors import Rejected
from mallee.site.model import SiteModel
from mallee.twin.balance import PhysicsError
from mallee.twin.parts.cooling import Cooling


@pytest.fixture(scope="module")
def site(demo_site: SiteModel) -> SiteModel:
    return demo_site


def full_heat(cooling: Cooling, share: float = 0.9) -> tuple[FloatArray, FloatArray]:
    design = cooling.design
    return design.rack_liquid_max_w * share, design.rack_air_max_w * share


def settled(site: SiteModel, ambient_degc: float = 22.0) -> Cooling:
    cooling = Cooling(site, ambient_degc)
    for _ in range(1500):
        cooling.advance(1.0, *full_heat(cooling))
    return cooling


def test_steady_state_holds_the_set_point_and_the_rise(site: SiteModel) -> None:
    cooling = settled(site)
    design, state = cooling.design, cooling.state
    assert state.supply_degc[0] == pytest.approx(35.0, abs=0.1)
    assert cooling.supply_degc == pytest.approx(state.supply_degc[design.cdu_of_rack], abs=0.05)
    coolant_w = full_heat(cooling)[0].sum()
    flow_w_per_k = design.rack_design_kgps.sum() * design.secondary_j_per_kgk[0]
    rise_k = state.tank_degc[0] - state.supply_degc[0]
    assert rise_k == pytest.approx(coolant_w / flow_w_per_k, rel=0.02)  # pump heat adds 1 %
    assert rise_k == pytest.approx(9.98 * 0.9, rel=0.03)
    assert cooling.flow_frac == pytest.approx(1.0, abs=1e-3)
    assert 0.0 < cooling.plant_power_w < 0.1 * coolant_w


def test_all_points_are_filled(site: SiteModel) -> None:
    cooling = settled(site)
    points = np.full(site.point_count, np.nan)
    cooling.show(points)
    (group,) = site.groups_of("cdu")
    for name in group.model.index:
        assert np.isfinite(points[group.rows(name)]).all(), name
    assert points[group.row(0, "heat_w")] == pytest.approx(full_heat(cooling)[0].sum(), rel=0.02)
    assert points[group.row(0, "pump2_speed_frac")] == 0.0


@settings(max_examples=15, deadline=None)
@given(
    shares=st.lists(st.floats(0.0, 1.2), min_size=3, max_size=3),
    ambient_degc=st.floats(-10.0, 45.0),
    facility=st.floats(0.0, 1.0),
    clean=st.floats(0.4, 1.0),
    leak_kgps=st.floats(0.0, 0.5),
    air_lock=st.floats(0.0, 1.0),
    pumps=st.tuples(st.booleans(), st.booleans()),
    dt_s=st.sampled_from([1.0, 2.0, 7.0]),
)
def test_energy_and_mass_close_whatever_fails(
    site: SiteModel, shares: list[float], ambient_degc: float, facility: float, clean: float,
    leak_kgps: float, air_lock: float, pumps: tuple[bool, bool], dt_s: float,
) -> None:  # fmt: skip
    cooling = Cooling(site, ambient_degc)
    for number, share in enumerate(shares):
        for _ in range(40):
            cooling.advance(dt_s, *full_heat(cooling, share))
        if number == 0:
            cooling.faults.facility_flow_frac = facility
            cooling.faults.clean_frac[:] = clean
            cooling.faults.rack_leak_kgps[0] = leak_kgps
            cooling.faults.cdu_leak_kgps[0] = 0.3 * leak_kgps
            cooling.faults.air_lock_frac[1] = air_lock
            cooling.faults.pump_ok[0] = pumps
    assert abs(cooling.ledger.residual_j) <= 1e-9 * max(cooling.ledger.through_j, 1e6)
    assert abs(cooling.ledger.residual_kg) <= 1e-9 * cooling.ledger.through_kg
    assert np.isfinite(cooling.supply_degc).all()


def test_reserve_pump_takes_over(site: SiteModel) -> None:
    cooling = settled(site)
    cooling.faults.pump_ok[0, 0] = False
    lowest = 1.0
    for _ in range(20):
        cooling.advance(1.0, *full_heat(cooling))
        lowest = min(lowest, float(cooling.flow_frac.min()))
    assert 0.4 < lowest < 0.9
    assert cooling.flow_frac == pytest.approx(1.0, abs=0.01)
    assert cooling.state.pump_speed_frac[0, 0] == 0.0


def test_flow_is_gone_seconds_after_both_pumps_fail(site: SiteModel) -> None:
    cooling = settled(site)
    cooling.faults.pump_ok[0] = False
    for _ in range(5):
        cooling.advance(1.0, *full_heat(cooling))
    assert (cooling.flow_frac < 0.05).all()


def test_loss_of_facility_water_heats_the_loop_as_a_lump(site: SiteModel) -> None:
    """Heat over heat capacity: 0.51 K/s for 120 kW in 60 kg; here the CDU's tank adds to that."""
    cooling = settled(site)
    cooling.faults.facility_flow_frac = 0.0
    for _ in range(20):
        cooling.advance(1.0, *full_heat(cooling))
    before_degc = cooling.state.tank_degc[0]
    for _ in range(30):
        cooling.advance(1.0, *full_heat(cooling))
    capacity_j_per_k = float(cooling.coolant_kg[0]) * cooling.design.secondary_j_per_kgk[0]
    expected_k = 30.0 * full_heat(cooling)[0].sum() / capacity_j_per_k
    assert cooling.state.tank_degc[0] - before_degc == pytest.approx(expected_k, rel=0.03)


def test_leak_empties_the_loop_then_stops_the_flow(site: SiteModel) -> None:
    cooling = settled(site)
    cooling.faults.rack_leak_kgps[0] = 0.2
    cooling.advance(1.0, *full_heat(cooling))
    assert cooling.rack_leak_count.tolist() == [0.0, 0.0]
    for _ in range(600):
        cooling.advance(1.0, *full_heat(cooling))
    assert cooling.rack_leak_count.tolist() == [1.0, 0.0]
    assert cooling.flow_frac.max() < 0.1
    assert cooling.coolant_kg[0] == pytest.approx(0.9 * cooling.design.loop_kg[0], rel=0.01)


def test_air_lock_starves_one_rack_only(site: SiteModel) -> None:
    cooling = settled(site)
    cooling.faults.air_lock_frac[0] = 0.8
    for _ in range(20):
        cooling.advance(1.0, *full_heat(cooling))
    assert cooling.flow_frac.tolist() == pytest.approx([0.2, 1.0], abs=0.01)


def test_stuck_valve_and_fouling_lose_the_set_point(site: SiteModel) -> None:
    cooling = settled(site)
    cooling.faults.valve_stuck_frac[0] = 0.15
    for _ in range(300):
        cooling.advance(1.0, *full_heat(cooling))
    assert cooling.state.supply_degc[0] > 38.0
    cooling.faults.valve_stuck_frac[0] = np.nan
    for _ in range(600):
        cooling.advance(1.0, *full_heat(cooling))
    open_clean = cooling.state.valve_frac[0]
    cooling.faults.clean_frac[0] = 0.6
    for _ in range(600):
        cooling.advance(1.0, *full_heat(cooling))
    assert cooling.state.valve_frac[0] > open_clean
    assert cooling.state.supply_degc[0] == pytest.approx(35.0, abs=0.2)


def test_hot_day_needs_the_chiller_and_its_loss_warms_the_racks(site: SiteModel) -> None:
    cool_day, hot_day = settled(site, 15.0), settled(site, 38.0)
    assert hot_day.plant_power_w > 2.0 * cool_day.plant_power_w
    assert hot_day.state.supply_degc[0] == pytest.approx(35.0, abs=0.3)
    hot_day.faults.chiller_frac = 0.0
    for _ in range(900):
        hot_day.advance(1.0, *full_heat(hot_day))
    assert hot_day.state.supply_degc[0] > 45.0
    assert hot_day.air_degc[0] > 30.0


def test_set_point_is_taken_within_limits_only(site: SiteModel) -> None:
    cooling = settled(site)
    cooling.write("cdu", 0, "supply_set_degc", 30.0, 0.0, 0)
    for _ in range(900):
        cooling.advance(1.0, *full_heat(cooling))
    assert cooling.state.supply_degc[0] == pytest.approx(30.0, abs=0.2)
    with pytest.raises(Rejected, match=r"60 degC.* 17\.\.45"):
        cooling.write("cdu", 0, "supply_set_degc", 60.0, 0.0, 0)
    with pytest.raises(Rejected, match="flow_kgps"):
        cooling.write("cdu", 0, "flow_kgps", 1.0, 0.0, 0)


def test_restore_continues_as_if_nothing_had_happened(site: SiteModel) -> None:
    first = settled(site)
    saved = first.save()
    other = Cooling(site, 5.0)
    other.restore(saved)
    for cooling in (first, other):
        for _ in range(30):
            cooling.advance(1.0, *full_heat(cooling, 0.7))
    assert np.array_equal(first.supply_degc, other.supply_degc)
    assert first.plant_power_w == other.plant_power_w
    assert first.ledger.residual_j == other.ledger.residual_j


@pytest.mark.slow
@pytest.mark.parametrize("ambient_degc", [5.0, 25.0, 36.0])
def test_minute_steps_end_where_second_steps_do(site: SiteModel, ambient_degc: float) -> None:
    fine, coarse = settled(site, ambient_degc), Cooling(site, ambient_degc)
    for _ in range(30):
        coarse.advance(60.0, *full_heat(coarse))
    assert coarse.supply_degc == pytest.approx(fine.supply_degc, abs=0.1)
    assert coarse.state.tank_degc == pytest.approx(fine.state.tank_degc, abs=0.1)
    assert coarse.state.valve_frac == pytest.approx(fine.state.valve_frac, abs=0.02)
    assert coarse.plant_power_w == pytest.approx(fine.plant_power_w, rel=0.01)
    assert coarse.power_w == pytest.approx(fine.power_w, rel=1e-3)


def test_minute_steps_follow_faults_in_small_steps(site: SiteModel) -> None:
    cooling = Cooling(site, 22.0)
    cooling.advance(60.0, *full_heat(cooling))
    cooling.faults.facility_flow_frac = 0.0
    cooling.advance(60.0, *full_heat(cooling))
    assert cooling.state.supply_degc[0] > 45.0
    cooling.faults.facility_flow_frac = 1.0
    for _ in range(10):
        cooling.advance(60.0, *full_heat(cooling))
    assert cooling.state.supply_degc[0] == pytest.approx(35.0, abs=0.1)


def test_a_state_that_is_no_number_stops_the_run_and_is_named(site: SiteModel) -> None:
    cooling = Cooling(site, 22.0)
    cooling.state.tank_degc[0] = np.nan
    with pytest.raises(
        PhysicsError, match=r"stopped at 1\.000 s: coolant supply: pod1/cdu1 is nan"
    ):
        cooling.advance(1.0, *full_heat(cooling))
    cooling = Cooling(site, 22.0)
    cooling.state.tank_degc[0] += 1.0
    with pytest.raises(PhysicsError, match=r"cooling: energy does not close"):
        cooling.advance(1.0, *full_heat(cooling))
    cooling = Cooling(site, 22.0)
    cooling.state.cdu_lost_kg[0] += 1.0
    with pytest.raises(PhysicsError, match=r"coolant: mass does not close"):
        cooling.advance(1.0, *full_heat(cooling))


def test_racks_without_cdu_are_cooled_by_air(root: Path, tmp_path: Path) -> None:
    text = (root / "examples/sites/charging-site.toml").read_text().replace('cdu = "cdu1"\n', "")
    path = tmp_path / "air.toml"
    path.write_text(text)
    cooling = Cooling(load_site(path), 22.0)
    heat_w = np.full(2, 50e3)
    for _ in range(600):
        cooling.advance(1.0, heat_w, heat_w)
    assert cooling.flow_frac.tolist() == [1.0, 1.0]
    assert cooling.supply_degc == pytest.approx(24.0, abs=1.5)
    assert np.array_equal(cooling.supply_degc, cooling.air_degc)
    assert abs(cooling.ledger.residual_j) <= 1e-9 * cooling.ledger.through_j
    assert cooling.water_kg > 0.0
