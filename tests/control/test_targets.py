"""Demand windows and what becomes of a plan's target: clock, lead, energy, once a minute."""

import datetime as dt
import math
from zoneinfo import ZoneInfo

import msgspec
import pytest

from mallee.control.aims import Target, next_target
from mallee.control.demand_window import plan_of_windows
from mallee.control.view import look
from mallee.core.plan import Plan, PlanStep
from mallee.site.contract import DemandWindow
from tests.control.scene_of import state_of
from tests.control.site_view import SiteView

SITE = SiteView().site
ZONE = ZoneInfo("America/Chicago")


def at(clock: str, day: str = "2025-07-01") -> Plan | None:
    """The plan of the demo's window (16:00 to 21:00, 550 kW) at a local time."""
    utc_s = dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE).timestamp()
    return plan_of_windows(SITE.file, utc_s, 500.0, generation=3)


def test_a_window_opens_and_closes_by_the_site_s_own_clock() -> None:
    """C8: Chicago is five or six hours behind UTC; the hour is the local one in both halves."""
    for day in ("2025-07-01", "2025-12-01"):
        assert at("15:59", day) is None
        assert at("16:00", day) is not None
        assert at("20:59", day) is not None
        assert at("21:00", day) is None


def test_its_plan_says_until_when_and_for_what() -> None:
    plan = at("17:00")
    assert plan is not None
    assert (plan.generation, plan.made_s, plan.valid_until_s) == (3, 500.0, 620.0)
    (step,) = plan.steps
    assert (step.import_target_w, step.reason) == (550e3, "demand window evening")
    assert (step.from_s, step.until_s) == (500.0, 620.0)


def windows(*rows: tuple[str, str, float]) -> Plan | None:
    """At 17:00 of other windows."""
    own = [
        DemandWindow(name=f"w{n}", from_time=start, until_time=end, target_w=target_w)
        for n, (start, end, target_w) in enumerate(rows)
    ]
    grid = msgspec.structs.replace(SITE.file.feeds[0], demand_windows=own)
    file = msgspec.structs.replace(SITE.file, grid=grid)
    utc_s = dt.datetime(2025, 7, 1, 17, tzinfo=ZONE).timestamp()
    return plan_of_windows(file, utc_s, 0.0)


def test_the_tightest_of_open_windows_counts_and_none_without_a_target() -> None:
    plan = windows(("16:00", "21:00", 550e3), ("17:00", "18:00", 500e3), ("18:00", "19:00", 1e3))
    assert plan is not None
    assert plan.steps[0].import_target_w == 500e3
    assert windows(("16:00", "21:00", 0.0)) is None
    assert windows(("22:00", "17:01", 1e3)) is not None, "over midnight"
    assert windows(("22:00", "17:00", 1e3)) is None
    assert windows(("17:00", "09:00", 1e3)) is not None


# Adopting a target


def plan(target_w: float, from_s: float = 0.0, until_s: float = 4200.0) -> Plan:
    step = PlanStep(from_s=from_s, until_s=until_s, import_target_w=target_w, reason="window")
    return Plan(source="test", generation=1, made_s=0.0, valid_until_s=1e5, steps=(step,))


def target(
    plans: tuple[Plan, ...], *, soc: float = 0.6, load_w: float = 580e3, time_s: float = 600.0,
    cycle: int = 6000, in_force: Target | None = None,
) -> Target:  # fmt: skip
    view = SiteView(SITE)
    view.battery("soc", soc)
    state = state_of(view, load_mean_w=load_w, cycle=cycle)
    if in_force is not None:
        state = state_of(
            view, load_mean_w=load_w, cycle=cycle,
            target_w=in_force.power_w, target_reason=in_force.reason,
        )  # fmt: skip
    return next_target(state, look(view.snapshot(time_s), view.limits), plans, view.limits, time_s)


def test_a_target_that_the_energy_carries_is_adopted_as_it_is() -> None:
    assert target((plan(500e3),)) == Target(500e3, "window")
    assert target(()) == Target(math.inf, "")


def test_one_that_it_does_not_is_adopted_as_far_as_it_goes() -> None:
    """0.9 of what lies above the floor, over the hour that is left, off the mean load."""
    carried_w = 0.9 * 0.005 * 3.85e6 / 1.0
    found = target((plan(500e3),), soc=0.205)
    assert found.power_w == pytest.approx(580e3 - carried_w)
    later = target((plan(500e3),), soc=0.205, time_s=2400.0)
    assert later.power_w == pytest.approx(580e3 - 2.0 * carried_w), "half an hour left"


def test_power_bounds_it_too_and_import_never_goes_below_the_contract_s_least() -> None:
    brief = plan(1e3, until_s=1800.0)
    assert target((brief,), soc=1.0, load_w=2.5e6).power_w == pytest.approx(2.5e6 - 1.93e6)
    assert target((plan(-5e5),)).power_w == 0.0, "no export is contracted"


def test_it_is_prepared_five_minutes_before_it_opens() -> None:
    assert target((plan(500e3, from_s=900.0),)).power_w == 500e3
    assert target((plan(500e3, from_s=901.0),)).power_w == math.inf
    assert target((plan(500e3, until_s=600.0),)).power_w == math.inf, "the end is not included"


def test_it_is_decided_once_a_minute() -> None:
    before = Target(555e3, "window")
    held = target((plan(500e3),), cycle=3610, in_force=before)
    assert held == before
    assert target((plan(500e3),), cycle=3609, in_force=before).power_w == 500e3
    other = Target(555e3, "another window")
    assert target((plan(500e3),), cycle=3610, in_force=other).power_w == 500e3


def test_the_tightest_of_several_plans_counts() -> None:
    assert target((plan(520e3), plan(500e3), plan(540e3))).power_w == 500e3
