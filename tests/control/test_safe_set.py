"""What holds without any control: standing limits of every example site, and the safe state."""

from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.control import limits_of, safe_commands
from mallee.control.limits import Limits, safe_limits_w
from mallee.control.safe_state import standing_values
from mallee.core.arrays import NO_INDEX
from tests.control.site_view import EXAMPLE, SiteView, Story

SMALL = sorted(path for path in EXAMPLE.parent.glob("*.toml") if "67k" not in path.name)
DEMO = SiteView()


@pytest.fixture(scope="module", params=SMALL, ids=lambda path: path.stem)
def limits(request: pytest.FixtureRequest) -> Limits:
    path: Path = request.param
    return limits_of(load_site(path))


def test_standing_limits_fit_under_every_branch_with_all_the_rest_at_its_worst(
    limits: Limits,
) -> None:
    """Chargers at their standing limit, nodes at theirs, plant and losses of the hottest day.

    Where not even the lowest caps fit, nothing is given beyond them.
    """
    budget = limits.budget
    loads = budget.loads
    through_w = budget.tree.carried(loads.branch, limits.safe_w * loads.factor)
    lowest_w = budget.tree.carried(loads.branch, loads.least_w * loads.factor)
    room_w = budget.limit_w * (1.0 - limits.margin_frac) - budget.other_max_w
    assert (through_w <= np.maximum(room_w, lowest_w) + 1.0).all()


def test_nobody_is_asked_for_more_or_less_than_it_can(limits: Limits) -> None:
    loads = limits.budget.loads
    assert (limits.safe_w >= loads.least_w).all()
    assert (limits.safe_w <= loads.most_w).all()


def test_chargers_get_what_nodes_leave() -> None:
    """Nodes first: a job outlives a silent controller, and cars share the rest."""
    limits = DEMO.limits
    loads, budget = limits.budget.loads, limits.budget
    pod_w = budget.limit_w[5] * 0.98 - budget.other_max_w[5]
    assert limits.safe_w[2:] * loads.factor[2:] @ np.ones(36) == pytest.approx(pod_w)
    left_w = 600e3 * 0.98 - budget.other_max_w[0] - pod_w
    assert limits.safe_w[:2] == pytest.approx([left_w / 2, left_w / 2], rel=1e-5)
    tighter = safe_limits_w(budget, 0.10)
    assert tighter.sum() < limits.safe_w.sum()


def test_chargers_fall_back_to_it_by_themselves() -> None:
    standing = standing_values(DEMO.site)
    rows = [DEMO.site.find_point(f"ev{n}/limit_w") for n in (1, 2)]
    assert standing == {row: pytest.approx(122_807.27, abs=1.0) for row in rows}


def test_each_point_may_be_written_in_its_range_only(limits: Limits) -> None:
    """Every limit of a load lies inside what the guard passes; readings take no commands."""
    loads = limits.budget.loads
    assert (limits.write_min[loads.limit_rows] <= loads.least_w).all()
    assert (limits.write_max[loads.limit_rows] >= loads.most_w).all()
    assert np.isnan(limits.write_min[loads.power_rows]).all()
    assert (np.isnan(limits.write_min) == np.isnan(limits.write_max)).all()
    known = ~np.isnan(limits.write_min)
    assert (limits.write_min[known] <= limits.write_max[known]).all()


def test_meters_of_feeds_come_first_and_batteries_know_theirs(limits: Limits) -> None:
    budget = limits.budget
    parents = budget.tree.parent[limits.metered]
    assert (parents[: limits.feeds] == NO_INDEX).all()
    assert (budget.meter_row[limits.metered] != NO_INDEX).all()
    assert limits.contract_w == pytest.approx(budget.limit_w[limits.metered])
    assert all(0 <= battery.feed < limits.feeds for battery in limits.batteries)
    margin_w = limits.margin_frac * limits.contract_w[0]
    probes_w = sum(battery.probe_w for battery in limits.batteries)
    assert probes_w == pytest.approx(margin_w / 2.0 if limits.batteries else 0.0)


# The state itself


def blind(story: Story) -> Story:
    """Neither the meter nor the devices can be seen."""
    story.view.lose("meter/import_w")
    story.view.quality[story.view.limits.budget.loads.power_rows] = 1
    return story


def test_safe_values_are_written_at_once_and_renewed_every_second() -> None:
    story = blind(Story(SiteView(DEMO.site)).run(20.0))
    story.commands.clear()
    story.run(0.1)
    limits_rows = set(story.view.limits.budget.loads.limit_rows.tolist())
    first = {row for command in story.commands for row in command.rows.tolist()}
    assert limits_rows <= first, "chargers and nodes alike"
    story.commands.clear()
    story.run(10.0)
    chargers = set(story.view.limits.budget.loads.limit_rows[:2].tolist())
    renewed = [c for c in story.commands if chargers & set(c.rows.tolist())]
    assert len(renewed) == 10
    assert all(command.lease_s == 30.0 for command in renewed)


def test_a_controller_that_failed_leaves_the_same_behind() -> None:
    view = SiteView(DEMO.site)
    commands = safe_commands(view.snapshot(0.0), view.limits, "control has ended")
    values = {
        row: value
        for command in commands
        for row, value in zip(command.rows.tolist(), command.values.tolist(), strict=True)
    }
    loads = view.limits.budget.loads
    found = [values[row] for row in loads.limit_rows.tolist()]
    assert found == pytest.approx(view.limits.safe_w.tolist())
    assert {command.reason for command in commands} == {"control has ended"}


def test_what_it_says_is_what_is_known() -> None:
    story = blind(Story(SiteView(DEMO.site)).run(20.0)).run(5.0)
    state = story.state
    assert (state.binding, state.acting) == ("no sight of the meter", "safe state")
    assert "no good reading of the meter of grid" in state.text
    assert "too few devices can be seen" in state.text
    loads = story.view.limits.budget.loads
    nodes_w = float((story.view.limits.safe_w * loads.factor)[2:].sum())
    assert state.nodes_max_w == pytest.approx(nodes_w)
    assert state.nodes_cap_frac == pytest.approx(nodes_w / (36 * 6667 / 0.94))
    assert state.chargers_max_w == pytest.approx(2 * 122_807.27, abs=2.0)
    assert (state.charge_bias_w, state.filter_overridden) == (0.0, False)
