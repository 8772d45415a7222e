"""Requests narrow the limits for as long as their lease runs, and never widen them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mallee.control import ControlState, cycle, initial_state
from mallee.control.aims import Target, aims_of
from mallee.control.refusal import why_not
from mallee.core.command import CONTROL, Command
from mallee.core.event import Event
from mallee.core.request import Request
from tests.control.site_view import SiteView

VIEW = SiteView()
NODE = "pod1/r1/n01/cap_w"


def request(subject: str = "grid", high: float = 300e3, **changes: Any) -> Request:
    given_ = {
        "id": "r1",
        "origin": "person",
        "actor": "anna",
        "reason": "works at tx1",
        "subject": subject,
        "high": high,
        "from_s": 10.0,
        "until_s": 100.0,
    }
    return Request(**{**given_, **changes})


def run(
    view: SiteView, state: ControlState, time_s: float, *requests: Request
) -> tuple[ControlState, list[Command], list[Event]]:
    return cycle(replace(state, cycle=10), view.snapshot(time_s), (), requests, view.limits, time_s)


SUBJECTS = st.sampled_from(
    ["grid", NODE, "pod1/r1/*/cap_w", "*/cap_w", "pod9/*", "meter/import_w", "bess1/charge_set_w"]
)
REQUESTS = st.lists(
    st.builds(
        request,
        SUBJECTS,
        st.floats(-1e6, 1e6),
        low=st.sampled_from([-np.inf, -np.inf, -2e6]),
        id=st.sampled_from("abc"),
        from_s=st.floats(0.0, 50.0),
    ),
    max_size=5,
)


@given(REQUESTS, st.floats(0.0, 120.0))
@settings(max_examples=60)
def test_whatever_is_asked_only_narrows(requests: list[Request], time_s: float) -> None:
    running = [one for one in requests if one.is_in_force(time_s)]
    (aim,) = aims_of(VIEW.limits, Target(np.inf, ""), running)
    assert aim.power_w <= VIEW.limits.import_aim_w
    for one in running:
        if one.subject == "grid" and not why_not(VIEW.limits, one):
            assert aim.shown_w <= max(one.high, 0.0) or one.high >= VIEW.limits.import_contract_w


@given(REQUESTS, st.floats(0.0, 120.0))
@settings(max_examples=40, deadline=None)
def test_a_cycle_under_any_requests_commands_what_the_devices_can_do(
    requests: list[Request], time_s: float
) -> None:
    state, commands, events = run(VIEW, initial_state(), time_s, *requests)
    for command in commands:
        assert (command.values >= VIEW.limits.write_min[command.rows]).all()
        assert (command.values <= VIEW.limits.write_max[command.rows]).all()
        assert command.actor in (CONTROL, "anna")
    assert {event.source for event in events if event.kind == "request-in-force"} <= set("abc")
    assert state.mode == "auto"


def test_a_lower_import_limit_holds_for_its_lease_and_is_told() -> None:
    view = SiteView()
    state, _, _ = run(view, initial_state(), 5.0, request())
    state, commands, events = run(view, state, 10.0, request())
    assert state.import_in_force_w == pytest.approx(0.98 * 300e3)
    assert [event.kind for event in events] == ["request-in-force"]
    assert events[0].text == "anna asks for grid at most 300000: works at tx1"
    assert any("asked for by anna (works at tx1)" in command.reason for command in commands)
    state, _, events = run(view, state, 99.9, request())
    assert events == []
    state, _, events = run(view, state, 100.0, request())
    assert [event.kind for event in events] == ["request-over"]
    assert state.import_in_force_w == pytest.approx(588e3)


def test_nodes_are_capped_in_the_name_of_who_asked() -> None:
    view = SiteView()
    state, _, _ = run(view, initial_state(), 5.0)
    asked = request(NODE, 4000.0)
    state, commands, _ = run(view, state, 11.0, asked)
    row = view.site.find_point(NODE)
    ours = [command for command in commands if row in command.rows]
    assert [(c.actor, c.reason, c.values.tolist()) for c in ours] == [
        ("anna", "works at tx1", [4000.0])
    ]


def test_where_control_caps_deeper_than_asked_it_says_so_itself() -> None:
    view = SiteView()
    state, _, _ = run(view, initial_state(), 5.0)
    view.battery("soc", 0.2)
    view.set(import_w=588e3, charge_w=0.0, chargers_w=(190e3, 190e3))
    state, commands, _ = run(view, state, 11.0, request("*/cap_w", 6000.0))
    caps = [c for c in commands if np.isin(c.rows, view.limits.budget.loads.limit_rows[2:]).all()]
    assert state.nodes_cap_frac < 1.0
    assert {c.actor for c in caps} == {CONTROL}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request("meter/import_w", 0.0), "neither a branch with a meter"),
        (request("pod1/r1/*/cap_w", 100.0), "can be set to 1927..6667 W"),
        (request("pod1/r1", 10e3, ask="sum"), "can be held to 34686..120006 W together"),
        (request("grid", 700e3), "limited to 600000 W already"),
        (request("bess1/charge_set_w", -2e6), "can be asked for -"),
        (request("pod1/cdu1/supply_set_degc", 90.0), "pod1/cdu1/supply_set_degc can be set to 1"),
        (request("pod7", np.inf, ask="maintenance"), "no device is in pod7"),
        (request("pod7", np.inf, ask="hold"), "no node or charger is in pod7"),
        (request("grid", -1.0), "cannot be below 0"),
        (request("grid", 3e5, low=1e5), "only upper bounds"),
    ],
)
def test_what_cannot_be_followed_is_refused_once_and_changes_nothing(
    asked: Request, why: str
) -> None:
    view = SiteView()
    state, _, _ = run(view, initial_state(), 5.0)
    state, _, events = run(view, state, 11.0, asked)
    assert [event.kind for event in events] == ["request-refused"]
    assert why in events[0].text
    assert state.import_in_force_w == pytest.approx(588e3)
    assert run(view, state, 12.0, asked)[2] == []


def test_the_safe_state_keeps_to_what_was_asked_too() -> None:
    view = SiteView()
    state, _, _ = run(view, initial_state(), 5.0)
    view.lose("meter/import_w")
    view.quality[view.limits.budget.loads.power_rows] = 1
    state, commands, _ = run(view, state, 11.0, request("*/cap_w", 3000.0))
    assert state.mode == "safe"
    caps = [c for c in commands if np.isin(c.rows, view.limits.budget.loads.limit_rows[2:]).all()]
    assert all((command.values <= 3000.0).all() for command in caps)
