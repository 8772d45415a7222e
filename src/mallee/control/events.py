"""Events of control: one when a condition comes, one when it is seen to be over, none between.

A condition is named by the kind of event that tells of its coming, and by what it is about; the
kind that tells of its end is the one that its row in `core.event_kinds` names. A condition that
cannot be observed (the import while there is no meter) stays as it was: entering the safe state
ends nothing but the sight of it.
"""

from collections.abc import Mapping

from mallee.control.limits import Limits
from mallee.control.state import Condition, ControlState
from mallee.core.event import Event
from mallee.core.event_kinds import EVENT_KINDS, new_event

CONTROL = "control"
"""Source of what is about the whole site."""

Observed = Mapping[Condition, bool]
"""Conditions that could be judged now, and whether each holds."""


def conditions_after(before: tuple[Condition, ...], observed: Observed) -> tuple[Condition, ...]:
    """Conditions that hold after an observation; what was not observed stays as it was."""
    unobserved = [condition for condition in before if condition not in observed]
    return (*(condition for condition, holds in observed.items() if holds), *unobserved)


def events_of_change(
    before: ControlState,
    after: ControlState,
    limits: Limits,
    time_s: float,
    own_words: Mapping[Condition, Mapping[str, object]] | None = None,
) -> list[Event]:
    """What began and ended between two states.

    Args:
        own_words: words of sentences that are about one condition only.
    """
    own_words = own_words or {}
    numbers = {"import_w": after.import_w, "load_w": after.load_w}
    words = {
        "why": after.text,
        "import_kw": sum(after.flow_mean_w[: limits.feeds]) / 1e3,
        "limit_kw": limits.import_contract_w / 1e3,
    }
    begun = [
        new_event(kind, time_s, source, numbers, **{**words, **own_words.get((kind, source), {})})
        for kind, source in after.active
        if (kind, source) not in before.active
    ]
    ended = [
        new_event(EVENT_KINDS[kind].ended_by, time_s, source)
        for kind, source in before.active
        if (kind, source) not in after.active and EVENT_KINDS[kind].ended_by
    ]
    return begun + ended
