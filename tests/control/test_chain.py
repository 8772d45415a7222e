"""From a cap back to its cause: the same decision, told concern by concern."""

from typing import Any

import pytest

from mallee.control import chain_of
from mallee.core.request import Request
from tests.control.site_view import Story


def told(story: Story, load: int) -> list[tuple[str, str, str]]:
    chain = chain_of(
        story.state,
        story.view.snapshot(story.time_s),
        story.requests,
        story.view.limits,
        story.time_s,
        load,
    )
    assert chain is not None
    assert chain.bound_w == (chain.links[-1].after_w if chain.links else chain.most_w)
    assert (chain.lost_frac > 0.0) == (chain.bound_w < chain.most_w and load >= 2)
    return [(link.concern, link.place, link.actor) for link in chain.links]


def test_a_cap_leads_back_to_who_asked_and_to_the_feed() -> None:
    story = Story()
    story.run(3.0)
    assert told(story, 5) == []
    common: dict[str, Any] = {"actor": "slurm", "reason": "job 7", "from_s": 0.0, "until_s": 100.0}
    story.requests = (
        Request(id="a", origin="scheduler", ask="sum", subject="pod1/r1", high=60e3, **common),
        Request(id="b", origin="grid", subject="grid", high=200e3, **common),
    )
    story.view.battery("discharge_available_w", 0.0)
    story.run(20.0)
    first = told(story, 5)
    assert first[0] == ("request", "a", "slurm")
    assert ("capacity", "grid", "") in first
    assert ("capacity", "grid", "") in told(story, 30)  # of rack 2, which nobody asked about


def test_nothing_is_made_up_while_control_sees_nothing() -> None:
    story = Story()
    limits, snapshot = story.view.limits, story.view.snapshot(0.0)
    assert chain_of(story.state, snapshot, (), limits, 0.0, 3) is None


@pytest.mark.parametrize("load", [0, 1])
def test_a_charger_loses_no_work(load: int) -> None:
    story = Story().run(3.0)
    assert all(concern == "ramp" for concern, _, _ in told(story, load))
