"""States of alarms after ISA-18.2, and how they change: pure functions of arrays and time.

An alarm's state is four facts: whether its condition holds (`active`), whether a person has seen it
(`acked`), whether it waits to be reset (`latched`), and whether something hides it (shelved, out of
service, suppressed by a cause). The names that people use come from these:

    active  acked  latched    state
    yes     no                unacknowledged
    yes     yes               acknowledged
    no      no                returned unacknowledged
    no      yes    yes        latched
    no      yes    no         normal
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mallee.alarms.instances import Instances
from mallee.alarms.observe import HOLDS, OVER, Observed
from mallee.core.arrays import NO_INDEX, BoolArray, FloatArray, IntArray

State = Literal["normal", "unacknowledged", "acknowledged", "returned unacknowledged", "latched"]
Hidden = Literal["", "shelved", "out of service", "suppressed"]
Happening = Literal[
    "raised", "returned", "acknowledged", "reset", "shelved", "unshelved", "suppressed", "released",
    "out of service", "in service",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened to an alarm: a line of the journal.

    Attributes:
        alarm: its row.
        actor: who did it; empty for what happened by itself.
        reason: why, in their words; of a suppression, the row of the cause.
        reading: of the point it is about, NaN for none.
    """

    time_s: float
    alarm: int
    what: Happening
    actor: str = ""
    reason: str = ""
    reading: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmState:
    """All alarms of a site.  # (alarms,) each

    Attributes:
        active, acked, latched: see the module.
        holds: the condition as it was last judged, before its delays.
        differs_s: since when it differs from `active`; NaN while it does not.
        raised_s: when it came last, NaN for never.
        acked_s: when it was seen last, NaN for never.
        shelved_until_s: -inf not shelved, inf until the condition is over.
        out: out of service.
        cause: row of the alarm that explains it, `NO_INDEX` for none.
        released_s: when its last cause ended; it stays suppressed a little longer.
    """

    active: BoolArray
    acked: BoolArray
    latched: BoolArray
    holds: BoolArray
    differs_s: FloatArray
    raised_s: FloatArray
    acked_s: FloatArray
    shelved_until_s: FloatArray
    out: BoolArray
    cause: IntArray
    released_s: FloatArray

    @property
    def stands(self) -> BoolArray:
        """Alarms that a person has still to deal with."""
        stands: BoolArray = self.active | ~self.acked | self.latched
        return stands

    @property
    def hidden(self) -> BoolArray:
        """Shelved, out of service or explained by a cause."""
        hidden: BoolArray = (self.shelved_until_s > -np.inf) | self.out | (self.cause != NO_INDEX)
        return hidden

    @property
    def annunciated(self) -> BoolArray:
        """What sounds and blinks: it stands, nobody has seen it, nothing hides it."""
        return self.stands & ~self.acked & ~self.hidden


def nothing_yet(instances: Instances) -> AlarmState:
    """All normal."""
    count = instances.count
    return AlarmState(
        active=np.zeros(count, bool),
        acked=np.ones(count, bool),
        latched=np.zeros(count, bool),
        holds=np.zeros(count, bool),
        differs_s=np.full(count, np.nan),
        raised_s=np.full(count, np.nan),
        acked_s=np.full(count, np.nan),
        shelved_until_s=np.full(count, -np.inf),
        out=np.zeros(count, bool),
        cause=np.full(count, NO_INDEX),
        released_s=np.full(count, -np.inf),
    )


def state_of(state: AlarmState, alarm: int) -> State:
    """Name of one alarm's state."""
    if state.active[alarm]:
        return "acknowledged" if state.acked[alarm] else "unacknowledged"
    if not state.acked[alarm]:
        return "returned unacknowledged"
    return "latched" if state.latched[alarm] else "normal"


def hidden_by(state: AlarmState, alarm: int) -> Hidden:
    """What hides one alarm, the strongest first."""
    if state.out[alarm]:
        return "out of service"
    if state.shelved_until_s[alarm] > -np.inf:
        return "shelved"
    return "suppressed" if state.cause[alarm] != NO_INDEX else ""


def advance(
    state: AlarmState, observed: Observed, instances: Instances, time_s: float
) -> tuple[AlarmState, list[Change]]:
    """Let conditions come and go.

    Args:
        state: as the last call handed it back.
        observed: what holds now.
        time_s: never less than in the last call.
    """
    holds = np.where(observed.verdicts == HOLDS, True, state.holds)
    holds = np.where(observed.verdicts == OVER, False, holds) & ~state.out
    differs = holds != state.active
    since_s = np.where(
        differs, np.where(np.isnan(state.differs_s), time_s, state.differs_s), np.nan
    )
    delay_s = np.where(holds, instances.on_delay_s, instances.off_delay_s)
    due = differs & (time_s - since_s >= delay_s)
    flashed = observed.flashes & ~state.out
    raised = (due & holds) | flashed
    returned = due & ~holds
    latching = np.array([kind.latched for kind in instances.kinds])[instances.kind]
    after = replace(
        state,
        active=np.where(due, holds, state.active),
        acked=state.acked & ~raised,
        latched=state.latched | (raised & latching),
        holds=holds,
        differs_s=np.where(due, np.nan, since_s),
        raised_s=np.where(raised, time_s, state.raised_s),
    )
    changes = [
        _change(time_s, alarm, "raised", observed) for alarm in np.flatnonzero(raised).tolist()
    ]
    changes += [
        _change(time_s, alarm, "returned", observed) for alarm in np.flatnonzero(returned).tolist()
    ]
    after, ended = _end_shelves(after, time_s)
    return after, changes + ended


def _change(time_s: float, alarm: int, what: Happening, observed: Observed) -> Change:
    return Change(
        time_s=time_s, alarm=int(alarm), what=what, reading=float(observed.readings[alarm])
    )


def _end_shelves(state: AlarmState, time_s: float) -> tuple[AlarmState, list[Change]]:
    """Shelves end with their time; those until the condition is over, with it."""
    shelved = state.shelved_until_s > -np.inf
    over = shelved & (
        (state.shelved_until_s <= time_s) | (np.isinf(state.shelved_until_s) & ~state.active)
    )
    if not over.any():
        return state, []
    changes = [
        Change(time_s=time_s, alarm=int(alarm), what="unshelved") for alarm in np.flatnonzero(over)
    ]
    return replace(state, shelved_until_s=np.where(over, -np.inf, state.shelved_until_s)), changes
