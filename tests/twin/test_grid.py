"""The grid's events at the site: ride-through, outage and return, islands."""

from pathlib import Path

import numpy as np
import pytest

from mallee.core.errors import ConfigError
from mallee.site.model import SiteModel
from mallee.twin.clock import STEP_S, Clock
from mallee.twin.parts.battery import layout
from mallee.twin.parts.grid.grid import Grid, GridEvent
from mallee.twin.parts.grid.ride_through import load_curves, trips_in
from tests.twin.given import given_twin, run

NAMES, CURVES = load_curves()


def record_pu(voltage_pu: float, length_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    record = np.ones(3_000)
    record[10 : 10 + round(length_s / STEP_S)] = voltage_pu
    return record


@pytest.mark.parametrize(
    ("curve", "voltage_pu", "length_s", "trips"),
    [
        ("itic", 0.0, 0.02, 0),
        ("itic", 0.0, 0.04, 1),
        ("itic", 0.75, 0.5, 0),
        ("itic", 0.75, 0.6, 1),
        ("itic", 0.85, 9.9, 0),
        ("itic", 0.85, 10.2, 1),
        ("itic", 1.15, 0.5, 0),
        ("itic", 1.15, 0.6, 1),
        ("semi-f47", 0.55, 0.2, 0),
        ("semi-f47", 0.55, 0.3, 1),
        ("semi-f47", 0.75, 0.5, 0),
        ("ieee-1547-cat3", 0.6, 9.9, 0),
        ("ieee-1547-cat3", 0.6, 10.2, 1),
        ("ieee-1547-cat3", 0.3, 1.2, 1),
    ],
)
def test_curves(curve: str, voltage_pu: float, length_s: float, trips: int) -> None:
    assert trips_in(CURVES[NAMES.index(curve)], record_pu(voltage_pu, length_s), STEP_S) == trips


def test_a_utility_rule_is_a_table(tmp_path: Path) -> None:
    rule = tmp_path / "rule.toml"
    rule.write_text("[mine]\nbelow = [[0.5, 0.25]]\nabove = [[1.2, 1.0]]\nreturn_s = 1\n")
    names, curves = load_curves(rule)
    assert names == ("mine",)
    assert trips_in(curves[0], record_pu(0.4, 0.2), STEP_S) == 0
    assert trips_in(curves[0], record_pu(0.4, 0.3), STEP_S) == 1
    rule.write_text("[mine]\nbelow = [[0.5]]\nabove = []\nreturn_s = 1\n")
    load_curves.cache_clear()
    with pytest.raises(ConfigError, match="no ride-through curve"):
        load_curves(rule)


def test_impossible_events_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="whole"):
        GridEvent(start_ms=10, end_ms=30)
    with pytest.raises(ConfigError, match="out of range"):
        GridEvent(start_ms=0, end_ms=20, voltage_pu=3.0)
    trace = tmp_path / "v.csv"
    trace.write_text("t_s,voltage_pu,frequency_hz\n0,1,60\n1,nan,60\n")
    with pytest.raises(ConfigError, match="holes"):
        Grid(60.0, Clock()).use_trace(trace)


def test_trace_holds_between_its_rows(tmp_path: Path) -> None:
    trace = tmp_path / "v.csv"
    trace.write_text("t_s,voltage_pu,frequency_hz\n0,1,60\n1,0.8,59.9\n2,1,60\n")
    grid = Grid(60.0, Clock())
    grid.use_trace(trace)
    voltage_pu, frequency_hz = grid.block(980, 5)
    assert list(voltage_pu) == [1.0, 0.8, 0.8, 0.8, 0.8]
    assert frequency_hz[-1] == 59.9


def test_a_short_sag_is_ridden_through_and_a_long_one_is_not(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3))
    twin.grid.add_sag("half-cycle", 2_000)
    run(twin, 4)
    assert twin.truth.pods_w > 190e3
    twin.grid.add(GridEvent(start_ms=5_000, end_ms=6_000, voltage_pu=0.6))
    run(twin, 3)
    assert twin.truth.pods_w == pytest.approx(0.0, abs=10e3)  # at most the CDU still runs
    run(twin, 8)
    assert twin.truth.pods_w > 190e3  # back after five healthy seconds


def test_outage_and_return(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3))
    twin.grid.add_outage(2_000, 5_000)
    run(twin, 3)
    assert twin.truth.grid_w == 0.0
    assert twin.truth.battery_charge_w == 0.0  # a grid-following unit stops with its voltage
    group = next(twin.site.groups_of("meter"))
    assert twin.true_points[group.row(0, "voltage_v")] == 0.0
    run(twin, 40)
    assert twin.truth.pods_w > 190e3
    assert twin.truth.grid_w > 0.0


def test_grid_forming_battery_carries_the_island(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3))
    twin.batteries.state["mode"] = layout.GRID_FORMING
    twin.batteries.state["reverted"] = 1
    twin.grid.add_outage(2_000, 12_000)
    run(twin, 1.9)
    record = run(twin, 8)
    assert np.abs(record["grid_w"][10:]).max() < 1e-3
    assert twin.truth.pods_w > 190e3
    assert twin.truth.battery_charge_w < -200e3
    assert twin.branches.state["hz"][0] < 60.0  # droop shows the load
    run(twin, 5)
    assert twin.truth.grid_w > 100e3


def test_an_island_that_cannot_carry_its_load_collapses(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3), soc_start=0.0005)
    twin.batteries.state["mode"] = layout.GRID_FORMING
    twin.grid.add_outage(1_000, 60_000)
    run(twin, 3)
    assert twin.truth.pods_w == 0.0
    assert twin.branches.state["collapsed"][0] == 1


def test_frequency_droop_moves_a_forming_battery(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3))
    twin.batteries.state["mode"] = layout.GRID_FORMING
    twin.grid.add(GridEvent(start_ms=1_000, end_ms=5_000, frequency_hz=59.7))
    run(twin, 3)
    rated_w = float(twin.batteries.units[0]["charge_max_w"])
    assert twin.truth.battery_charge_w == pytest.approx(-rated_w * (0.3 / 60.0) / 0.05, rel=1e-3)
