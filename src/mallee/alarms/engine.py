"""One step of the alarm system: what holds, what is due, what explains what. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mallee.alarms.instances import Instances, instances_of
from mallee.alarms.kind import AlarmKind
from mallee.alarms.observe import observe
from mallee.alarms.rows import ALARMS
from mallee.alarms.state import AlarmState, Change, advance
from mallee.alarms.suppress import root_of, suppress
from mallee.alarms.topology import Topology, topology_of
from mallee.core.event import Event
from mallee.core.snapshot import Snapshot
from mallee.site.model import SiteModel


@dataclass(frozen=True, slots=True)
class SiteAlarms:
    """What a site can alarm about; prepared once."""

    instances: Instances
    topology: Topology


def site_alarms(site: SiteModel, kinds: Iterable[AlarmKind] = tuple(ALARMS.values())) -> SiteAlarms:
    """Prepare the alarms of a site."""
    return SiteAlarms(instances_of(site, kinds), topology_of(site))


def step(
    alarms: SiteAlarms,
    state: AlarmState,
    snapshot: Snapshot,
    events: Iterable[Event],
    time_s: float,
) -> tuple[AlarmState, list[Change]]:
    """Judge, wait out the delays, and find the causes.

    Args:
        alarms: of the site.
        state: as the last step or action handed it back.
        snapshot: latest readings.
        events: new ones since the last step, in order of time.
        time_s: never less than in the last step.

    Returns:
        The state after, and what happened, for the journal.
    """
    observed = observe(alarms.instances, snapshot, events, state.active)
    state, came = advance(state, observed, alarms.instances, time_s)
    state, explained = suppress(state, alarms.topology, alarms.instances, time_s)
    return state, came + explained


def first_out(state: AlarmState) -> int | None:
    """The alarm that came first of those that stand, by the chain of causes; None if all is well.

    Of alarms that came in one step the one that explains others is first.
    """
    standing = np.flatnonzero(state.stands & ~state.out)
    if standing.size == 0:
        return None
    earliest = standing[np.argmin(state.raised_s[standing])]
    return root_of(state, int(earliest))


def banner(alarms: SiteAlarms, state: AlarmState, count_max: int = 5) -> list[int]:
    """What a shift must see first: annunciated alarms by priority, then by age."""
    rows = np.flatnonzero(state.annunciated)
    priorities = np.array([kind.priority for kind in alarms.instances.kinds])
    order = np.lexsort((state.raised_s[rows], priorities[alarms.instances.kind[rows]]))
    return [int(row) for row in rows[order][:count_max]]
