"""The shape of everything that decides in a simulated run."""

from collections.abc import Callable, Sequence

from mallee.control import ControlState, Limits
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.plan import Plan
from mallee.core.request import Request
from mallee.core.snapshot import Snapshot

Decision = tuple[ControlState, list[Command], list[Event]]
Decide = Callable[
    [ControlState, Snapshot, Sequence[Plan], Sequence[Request], Limits, float], Decision
]
"""As `mallee.control.cycle`."""


def slowly(once_a_second: Callable[[Snapshot, int], list[Command]]) -> Decide:
    """A rule that looks once a second and keeps nothing in control's state.

    Args:
        once_a_second: given the snapshot and the number of the second, from 0.
    """
    seen = {"second": -1}

    def decide(
        state: ControlState,
        snapshot: Snapshot,
        plans: Sequence[Plan],
        requests: Sequence[Request],
        limits: Limits,
        time_s: float,
    ) -> Decision:
        del plans, requests, limits
        second = int(time_s)
        if second == seen["second"]:
            return state, [], []
        seen["second"] = second
        return state, once_a_second(snapshot, second), []

    return decide
