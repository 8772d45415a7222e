"""Whatever is seen: bounds only shrink, limits in force fit, nothing out of range is written."""

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.control import cycle, initial_state
from mallee.control.bounds import Bounds, Reason
from mallee.control.concerns import CONCERNS
from mallee.control.guard import guard
from mallee.control.prepare import BORROWED_MAX_FRAC
from mallee.control.trim import Trim, next_trims
from mallee.core.command import Command
from tests.control.site_view import SiteView, Story

VIEW = SiteView()
POWERS = st.floats(-1e6, 3e6)
READINGS = st.one_of(POWERS, st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e12]))


@given(
    st.lists(
        st.tuples(
            st.lists(READINGS, min_size=4, max_size=4),
            st.lists(st.booleans(), min_size=4, max_size=4),
        ),
        max_size=5,
    )
)
def test_bounds_only_shrink(narrowings: list[tuple[list[float], list[bool]]]) -> None:
    low, high = np.array([0.0, 1e3, 2e3, 0.0]), np.array([1e6, 5e3, 7e3, 2e5])
    bounds = Bounds.of_ratings(low, high)
    for values, where in narrowings:
        before = bounds
        bounds = bounds.at_most(np.array(values), Reason("test", "here"), np.array(where))
        assert (bounds.high_w <= before.high_w).all()
        assert (bounds.high_w >= low).all()
        changed = bounds.high_w < before.high_w
        assert (bounds.by[changed] >= 0).all()
        assert (bounds.by[~changed] == before.by[~changed]).all()


@settings(max_examples=60, deadline=None)
@given(
    import_w=READINGS,
    soc=st.floats(-0.2, 1.3),
    charge_w=READINGS,
    ev=st.tuples(READINGS, READINGS),
    node_w=READINGS,
    seed=st.integers(0, 1000),
)
def test_whatever_is_read_every_command_is_one_that_devices_can_do(
    import_w: float,
    soc: float,
    charge_w: float,
    ev: tuple[float, float],
    node_w: float,
    seed: int,
) -> None:
    view = SiteView(VIEW.site)
    loads, rng = view.limits.budget.loads, np.random.default_rng(seed)
    view.values[view.limits.meter_row] = import_w
    view.battery("soc", soc)
    view.battery("charge_w", charge_w)
    view.values[loads.power_rows[:2]] = ev
    view.values[loads.power_rows[2:]] = node_w
    view.quality[loads.power_rows] = rng.choice([0, 0, 1, 2], loads.count)
    state = initial_state()
    for tenth in range(25):
        time_s = tenth / 10
        state, commands, _ = cycle(state, view.snapshot(time_s), (), (), view.limits, time_s)
        msgspec.msgpack.encode(state)
        for command in commands:
            assert (command.values >= view.limits.write_min[command.rows]).all()
            assert (command.values <= view.limits.write_max[command.rows]).all()


@settings(max_examples=25, deadline=None)
@given(
    soc=st.floats(0.0, 1.0),
    power=st.floats(0.0, 1.0),
    ev=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    policy=st.sampled_from(["chargers-first", "compute-first", "shared"]),
)
def test_limits_in_force_fit_every_branch_at_every_cycle(
    soc: float, power: float, ev: tuple[float, float], policy: str
) -> None:
    """Also while they change, with the battery's proved help and what is lent: the safe set."""
    view = SiteView(VIEW.site)
    object.__setattr__(view.limits, "policy", policy)
    loads, nodes = view.limits.budget.loads, view.nodes
    view.values[loads.limit_rows] = np.where(nodes, loads.most_w, view.limits.safe_w)
    view.battery("soc", soc)
    story = Story(view)
    for _ in range(6):
        limits_w = view.values[loads.limit_rows]
        view.values[loads.power_rows] = (
            np.where(nodes, power, [*ev, *[0.0] * nodes.sum()]) * limits_w
        )
        drawn_w = float(view.values[loads.power_rows] @ loads.factor) + 20e3
        given_w = min(max(0.0, drawn_w - 588e3), 1.93e6 if soc > 0.3 else 0.0)
        view.battery("charge_w", -given_w)
        view.values[view.limits.meter_row] = drawn_w - given_w
        story.run(2.0)
        in_force_w = view.values[loads.limit_rows] * loads.factor
        through_w = view.limits.budget.tree.carried(loads.branch, in_force_w)
        support_w = 1.93e6 if soc > 0.3 else max(0.0, soc - 0.2) * 3.85e6 * 4
        most_w = (1.0 + BORROWED_MAX_FRAC) * view.limits.budget.limit_w
        assert through_w[0] <= most_w[0] + support_w
        below = most_w[1:]
        assert (through_w[1:][np.isfinite(below)] <= below[np.isfinite(below)] + 1.0).all()


@given(
    over=st.lists(st.floats(-5e5, 5e5), min_size=1, max_size=30),
    shed=st.floats(0.0, 1e6),
)
def test_a_trim_never_winds_up_beyond_what_can_be_shed(over: list[float], shed: float) -> None:
    trims: tuple[Trim, ...] = (Trim(),)
    limits = VIEW.limits
    for second, over_w in enumerate(over):
        before = trims[0].trim_w
        trims = next_trims(
            trims,
            np.array([588e3 + over_w]),
            np.array([588e3]),
            np.array([shed]),
            limits,
            float(second),
            1.0,
        )
        assert 0.0 <= trims[0].trim_w <= before + shed + 1e-6


@given(values=st.lists(st.floats(), min_size=1, max_size=8), data=st.data())
def test_nothing_out_of_range_passes_the_guard(values: list[float], data: st.DataObject) -> None:
    limits = VIEW.limits
    rows = data.draw(st.lists(st.integers(0, 906), min_size=len(values), max_size=len(values)))
    command = Command(
        rows=np.array(rows), values=np.array(values), lease_s=1.0, reason="property test"
    )
    passed, _ = guard([command], limits, 0.0)
    for one in passed:
        assert (one.values >= limits.write_min[one.rows]).all()
        assert (one.values <= limits.write_max[one.rows]).all()


def test_every_concern_says_in_a_sentence_what_it_is_for() -> None:
    assert len({concern.name for concern in CONCERNS}) == len(CONCERNS)
    assert all(concern.what.endswith(".") for concern in CONCERNS)
