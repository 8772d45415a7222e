"""Modes and set points that somebody asks for: each does what it says until it is over."""

from dataclasses import replace
from typing import Any

import pytest

from mallee.control.concerns import CONCERNS
from mallee.core.command import Command
from mallee.core.request import Ask, Request
from tests.control.site_view import SiteView, Story

SUPPLY = "pod1/cdu1/supply_set_degc"


def ask(what: Ask = "bound", subject: str = "*", until_s: float = 30.0, **changes: Any) -> Request:
    fields = {"id": "r1", "origin": "person", "actor": "anna", "reason": "works", **changes}
    return Request(ask=what, subject=subject, from_s=2.0, until_s=until_s, **fields)


def story(*requests: Request, limit_w: float = 300e3) -> Story:
    view = SiteView()
    view.set(import_w=limit_w)
    told = Story(view)
    told.run(2.0)
    told.requests = requests
    told.commands.clear()
    return told


def rows_of(commands: list[Command]) -> set[int]:
    return {row for command in commands for row in command.rows.tolist()}


def test_a_hold_gives_nothing_back_that_was_taken() -> None:
    held, free = story(ask("hold")), story()
    for one in (held, free):
        loads = one.view.limits.budget.loads
        one.view.values[loads.limit_rows[one.view.nodes]] = 3000.0
        one.run(6.0)
    assert free.caps_w() > 1.3 * held.caps_w()
    assert "hold of the site" in held.state.text
    held.run(50.0)  # its lease is over
    assert held.caps_w() == pytest.approx(free.run(30.0).caps_w())


def test_a_hold_still_lowers_what_a_limit_demands() -> None:
    told = story(ask("hold"), ask(subject="pod1", what="sum", high=80e3, id="r2"))
    told.run(4.0)
    assert told.caps_w() < 0.45 * told.view.limits.budget.loads.most_w[2:].sum()


@pytest.mark.parametrize("covered", [True, False])
def test_a_safe_stop_goes_down_no_faster_than_the_ramp(covered: bool) -> None:
    told = story(ask("safe-stop", until_s=1000.0), limit_w=250e3)
    if not covered:
        told.view.battery("discharge_available_w", 0.0)
    loads = told.view.limits.budget.loads
    before_w = told.caps_w()
    told.run(1.0)
    least_w = float((loads.least_w * loads.factor)[told.view.nodes].sum())
    if covered:
        assert told.caps_w() == pytest.approx(least_w)
    else:
        assert told.caps_w() > 0.9 * float(
            (told.view.values[loads.power_rows] * loads.factor)[told.view.nodes].sum()
        )
    assert told.caps_w() <= before_w
    assert told.asked["bess1/mode"] == 2.0 if "bess1/mode" in told.asked else True


def test_maintenance_writes_nothing_there_and_counts_the_worst() -> None:
    told = story(ask("maintenance", "pod1/r1"), ask(what="sum", subject="pod1", high=90e3, id="r2"))
    told.run(4.0)
    loads, places = told.view.limits.budget.loads, told.view.limits.places
    inside = places.loads_in("pod1/r1")
    assert rows_of(told.commands) & set(loads.limit_rows[inside].tolist()) == set()
    assert rows_of(told.commands) & set(loads.limit_rows[~inside].tolist())
    untouched = told.view.values[loads.limit_rows[inside]]
    assert untouched.tolist() == loads.most_w[inside].tolist()


def test_a_battery_under_maintenance_gets_no_word_and_no_trust() -> None:
    told = story(ask("maintenance", "bess1"))
    told.run(3.0)
    assert not rows_of(told.commands) & set(told.view.limits.batteries[0].rows.values())
    assert "battery-unseen" not in told.told
    assert story(ask("maintenance", "pod1")).run(3.0).commands  # null case: it is spoken to


def test_a_supply_set_point_is_set_and_comes_back() -> None:
    told = story(ask(subject=SUPPLY, low=25.0, high=25.0, until_s=6.0))
    row = told.view.site.find_point(SUPPLY)
    assert row is not None
    told.view.values[row] = 30.0
    told.run(2.0)
    assert told.view.values[row] == 25.0
    assert {c.actor for c in told.commands if row in c.rows} == {"anna"}
    told.run(6.0)
    assert told.view.values[row] == 30.0
    assert told.state.settings == ()


def test_a_battery_is_charged_as_asked_within_its_window() -> None:
    told = story(ask(subject="bess1/charge_set_w", low=-50e3, high=-50e3, until_s=100.0))
    told.run(10.0)
    assert told.state.charge_bias_w == pytest.approx(-50e3)
    told.view.battery("soc", 0.15)  # the window goes before what anybody asks
    assert told.run(20.0).state.charge_bias_w > 0.0


def test_a_battery_follows_set_points_while_asked() -> None:
    told = story(ask(subject="bess1/mode", low=1.0, high=1.0, until_s=8.0))
    told.run(4.0)
    assert told.asked["bess1/mode"] == 1.0
    assert told.run(6.0).asked["bess1/mode"] == 2.0


def test_an_island_aims_at_nothing_from_the_grid_where_batteries_can_carry_it() -> None:
    told = story(ask("island"))
    told.run(2.0)
    assert told.state.import_in_force_w == 0.0
    view = SiteView()
    weak = Story(view)
    limits = view.limits
    view.limits = replace(
        limits, batteries=tuple(replace(one, discharge_max_w=1e3) for one in limits.batteries)
    )
    weak.run(2.0)
    weak.requests = (ask("island"),)
    weak.run(2.0)
    refused = [event.text for event in weak.events if event.kind == "request-refused"]
    assert len(refused) == 1
    assert "its batteries give 1000 W" in refused[0]


def test_every_concern_says_what_it_is() -> None:
    names = [concern.name for concern in CONCERNS]
    assert len(set(names)) == len(names)
    assert names.index("mode") < names.index("capacity")
