"""Charging: sessions, sharing of a limit, leases and the default profile."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.core.errors import ConfigError, Rejected
from mallee.site.model import SiteModel
from mallee.twin.clock import STEP_MS, STEP_S
from mallee.twin.parts.charging.evses import book_cars, charge_cars, taper_frac
from mallee.twin.parts.charging.layout import NEVER_MS
from mallee.twin.parts.charging.sessions import DAY_MS, draw_day, read_sessions
from mallee.twin.parts.charging.stations import Stations, safe_share_w
from tests.twin.given import changed, given_twin


def filled(site: SiteModel, cars: int) -> Stations:
    """Stations with cars at the first EVSEs of each station, from the start."""
    chargers = Stations(changed(site, twin={"ev_sessions_per_day": 0.0}), 1)
    chargers.sessions["arrival_ms"] = NEVER_MS
    for evse in range(len(chargers.evses)):
        if evse % 8 < cars:
            car = chargers.sessions[evse, 0]
            car["arrival_ms"], car["leave_ms"] = 0, NEVER_MS
            car["capacity_wh"], car["soc_start"], car["soc_leave"] = 80e3, 0.2, 0.8
            car["car_max_w"], car["rise_s"] = 200e3, 20.0
    return chargers


def charge(chargers: Stations, seconds: float, start_ms: int = 0) -> list[float]:
    power = []
    for step in range(round(seconds * 1000 / STEP_MS)):
        charge_cars(
            chargers.stations, chargers.state, chargers.evses, chargers.sessions,
            start_ms + step * STEP_MS, STEP_S,
        )  # fmt: skip
        book_cars(chargers.stations, chargers.state, chargers.evses, chargers.sessions, STEP_S)
        power.append(float(chargers.state["power_w"].sum()))
    return power


def test_safe_share_is_what_the_pods_leave(demo_site: SiteModel) -> None:
    pods_w = 36 * 6667 + 18 * 800 + 13_000
    assert safe_share_w(demo_site) == pytest.approx((600e3 - pods_w) / 2)


def test_a_car_ramps_up_tapers_and_leaves(demo_site: SiteModel) -> None:
    chargers = filled(demo_site, 1)
    chargers.write("charger", 0, "limit_w", 1e6, 3600.0, 0)
    chargers.write("charger", 1, "limit_w", 1e6, 3600.0, 0)
    power = charge(chargers, 1_800)
    at_5s, at_25s, at_end = (power[round(s / STEP_S) - 1] for s in (5.0, 25.0, 1_800.0))
    full_w = 2 * (200e3 / 0.95 + 800)
    assert at_5s == pytest.approx(2 * 800 + 2 * 200e3 * 5 / 20, rel=0.02)
    assert at_25s == pytest.approx(full_w, rel=0.02)
    assert at_end == pytest.approx(2 * 800)
    assert chargers.state["occupied"].sum() == 0
    assert chargers.state["vehicle_wh"].sum() == pytest.approx(2 * 0.6 * 80e3, rel=1e-3)


def test_taper_falls_and_stays_positive() -> None:
    values = [taper_frac(soc) for soc in np.linspace(0.0, 1.0, 101)]
    assert values[0] == 1.0
    assert all(a >= b > 0.0 for a, b in itertools.pairwise(values))


@given(limit_w=st.floats(0.0, 1.2e6), cars=st.integers(0, 8))
@settings(max_examples=25, deadline=None)
def test_a_limit_is_obeyed_within_its_time(demo_site: SiteModel, limit_w: float, cars: int) -> None:
    chargers = filled(demo_site, cars)
    chargers.write("charger", 0, "limit_w", 1e6, 3600.0, 0)
    charge(chargers, 30)
    chargers.write("charger", 0, "limit_w", limit_w, 3600.0, 30_000)
    charge(chargers, 2.1, 30_000)
    assert chargers.state["power_w"][0] <= max(limit_w, 800.0) + 1e-6
    energy_wh = chargers.state["energy_wh"]
    assert energy_wh == pytest.approx(chargers.state["vehicle_wh"] + chargers.state["loss_wh"])


def test_a_profile_ends_with_its_lease_and_the_default_holds(demo_site: SiteModel) -> None:
    chargers = filled(demo_site, 8)
    chargers.write("charger", 0, "limit_w", 900e3, 10.0, 0)
    charge(chargers, 9.9)
    assert chargers.state["limit_w"][0] == 900e3
    charge(chargers, 3.0, 9_900)
    assert chargers.state["limit_w"][0] == pytest.approx(safe_share_w(demo_site))
    assert chargers.state["power_w"][0] <= safe_share_w(demo_site) + 1.0


def test_evses_share_a_limit_equally(demo_site: SiteModel) -> None:
    chargers = filled(demo_site, 4)
    chargers.write("charger", 0, "limit_w", 200.8e3, 3600.0, 0)
    charge(chargers, 60)
    assert chargers.evses["power_w"][:4] == pytest.approx(50e3, rel=1e-6)


def test_impossible_limits_are_declined(demo_site: SiteModel) -> None:
    chargers = filled(demo_site, 0)
    for point, value in (("limit_w", -1.0), ("limit_w", float("nan")), ("power_w", 1.0)):
        with pytest.raises(Rejected, match="ev1"):
            chargers.write("charger", 0, point, value, 10.0, 0)


def test_generated_days_are_seeded_and_independent_of_the_number_of_evses() -> None:
    few, many = draw_day(3, 2, 2, 12.0), draw_day(3, 2, 16, 12.0)
    assert (few == many[:2]).all()
    assert (draw_day(4, 2, 2, 12.0) != few).any()
    real = many["arrival_ms"] < NEVER_MS
    assert (
        2 * DAY_MS <= many["arrival_ms"][real].min() <= many["arrival_ms"][real].max() < 3 * DAY_MS
    )
    assert real.sum(axis=1).mean() == pytest.approx(12.0, rel=0.3)


def test_sessions_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cars.csv"
    path.write_text("evse,arrival_s,energy_wh,power_max_w\n1,0,30000,150000\n3,10,20000,\n")
    sessions = read_sessions(path, 4)
    assert sessions[0, 0]["soc_leave"] - sessions[0, 0]["soc_start"] == pytest.approx(0.5)
    assert sessions[2, 0]["arrival_ms"] == 10_000
    assert sessions[1, 0]["arrival_ms"] == NEVER_MS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("evse,arrival_s\n1,0\n", "energy_wh"),
        ("evse,arrival_s,energy_wh\n9,0,1\n", "does not exist"),
        ("evse,arrival_s,energy_wh\n1,x,1\n", "not a number"),
        ("evse,arrival_s,energy_wh\n1,-5,1\n", ">= 0"),
        ("evse,arrival_s,energy_wh\n1,50,1000\n1,10,1000\n", "run back"),
    ],
)
def test_broken_session_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cars.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_sessions(path, 4)


def test_cars_come_over_a_day_boundary(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 100e3), ev_sessions_per_day=30.0)
    chargers = twin.chargers
    before = chargers.sessions.copy()
    chargers.step_slow(DAY_MS + 60_000, 60.0)
    assert chargers.day == 1
    assert (chargers.sessions != before).any()
