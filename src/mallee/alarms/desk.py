"""The alarms of one running site: what stands, what it says, what people did and noted.

Everything that watches a site holds one desk: the console, and a simulation. It has no clock and
writes nothing; `keeping.py` keeps it over a restart.
"""

from collections import deque
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final, Literal

import msgspec
import numpy as np

from mallee.alarms import actions
from mallee.alarms.engine import SiteAlarms, site_alarms, step
from mallee.alarms.kind import AlarmKind
from mallee.alarms.kpi import annunciations, is_flood
from mallee.alarms.observe import row_told
from mallee.alarms.rows import ALARMS
from mallee.alarms.state import AlarmState, Change, nothing_yet
from mallee.alarms.topology import hit_by
from mallee.alarms.words import says
from mallee.core.arrays import NO_INDEX, BoolArray
from mallee.core.event import Event
from mallee.core.snapshot import Snapshot
from mallee.site.model import SiteModel

Act = Literal["acknowledge", "reset", "shelve", "unshelve", "take out", "put back"]
SOUNDED_KEPT: Final = 1000
WHOLE_SITE: Final = "site"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said of an alarm: why it is hidden, or a note."""

    time_s: float
    actor: str
    text: str


class Desk:
    """All alarms of a site.

    Attributes:
        ids: ``kind@source`` of each.
        state: of each.
        said: by row, why it was raised last.
        hidden_why: by row, who shelved it or took it out of service, and why.
        notes: by row, oldest first.
        time_s: of the last look or act.
    """

    def __init__(
        self, site: SiteModel, kinds: Iterable[AlarmKind] = tuple(ALARMS.values())
    ) -> None:
        self.site = site
        self.alarms: SiteAlarms = site_alarms(site, kinds)
        instances = self.alarms.instances
        self.ids = tuple(
            f"{instances.kinds[kind].name}@{source}"
            for kind, source in zip(instances.kind.tolist(), instances.source, strict=True)
        )
        self.row_of = {one: row for row, one in enumerate(self.ids)}
        self.state: AlarmState = nothing_yet(instances)
        self.said: dict[int, str] = {}
        self.hidden_why: dict[int, Remark] = {}
        self.notes: dict[int, list[Remark]] = {}
        self.time_s = -np.inf
        self._sounded_s: deque[float] = deque(maxlen=SOUNDED_KEPT)

    def kind_of(self, alarm: int) -> AlarmKind:
        """The kind of one alarm."""
        return self.alarms.instances.kinds[int(self.alarms.instances.kind[alarm])]

    def look(self, snapshot: Snapshot, events: Iterable[Event], time_s: float) -> list[Change]:
        """Judge everything anew; what happened is handed back.

        Args:
            events: new ones since the last look, in order of time.
            time_s: of any clock; where it runs backwards time stands still.
        """
        self.time_s = max(self.time_s, time_s)
        events = list(events)
        for event in events:
            row = row_told(self.alarms.instances, event.kind, event.source)
            if row is not None:
                self.said[row] = event.text
        self.state, changes = step(self.alarms, self.state, snapshot, events, self.time_s)
        for change in changes:
            if change.what == "raised":
                text = says(self.site, self.alarms.instances, change.alarm, snapshot)
                self.said[change.alarm] = text or self.said.get(change.alarm, "")
        self._sounded_s.extend(time_s for time_s, _ in annunciations(changes))
        return changes

    @property
    def flood(self) -> bool:
        """Whether more comes than a person can follow."""
        return is_flood(list(self._sounded_s), self.time_s)

    def act(
        self,
        what: Act,
        alarms: Iterable[int],
        time_s: float,
        actor: str,
        *,
        reason: str = "",
        for_s: float = 0.0,
    ) -> list[Change]:
        """Do what a person asks for; what changed is handed back.

        Raises:
            ValueError: it makes no sense; nothing was changed.
        """
        self.time_s = max(self.time_s, time_s)
        alarms = list(alarms)
        if what == "shelve":
            result = actions.shelve(
                self.state, alarms, self.time_s, actor, reason=reason, for_s=for_s
            )
        elif what == "take out":
            result = actions.take_out(self.state, alarms, self.time_s, actor, reason=reason)
        else:
            result = _PLAIN[what](self.state, alarms, self.time_s, actor)
        self.state, changes = result
        for change in changes:
            if change.what in ("shelved", "out of service"):
                why = Remark(time_s=self.time_s, actor=actor, text=reason)
                self.hidden_why[change.alarm] = why
        return changes

    def note(self, alarm: int, time_s: float, actor: str, text: str) -> None:
        """Keep what a person wrote about an alarm.

        Raises:
            ValueError: no text, or nobody wrote it.
        """
        if not text.strip() or not actor.strip():
            raise ValueError("give a text and who writes it")
        remark = Remark(time_s=max(self.time_s, time_s), actor=actor, text=text)
        self.notes.setdefault(alarm, []).append(remark)

    def select(self, wanted: Iterable[str]) -> list[int]:
        """Rows of alarms by ``kind@source``, in which ``*`` stands for any letters.

        Raises:
            ValueError: one fits no alarm of this site.
        """
        rows: dict[int, None] = {}
        for one in wanted:
            found = (
                [self.row_of[one]]
                if one in self.row_of
                else [row for row, known in enumerate(self.ids) if fnmatchcase(known, one)]
            )
            if not found:
                near = get_close_matches(one, self.ids, 1)
                hint = f"; did you mean {near[0]}?" if near else "; it is written KIND@PLACE"
                raise ValueError(f"{one}: no such alarm at this site{hint}")
            rows |= dict.fromkeys(found)
        return list(rows)

    def at(self, place: str) -> list[int]:
        """Rows of all alarms about a place and what is in it, or hangs on it by power alone.

        Args:
            place: a device, rack, pod or branch; or ``site``.

        Raises:
            ValueError: nothing of this site is called so.
        """
        if place == WHOLE_SITE:
            return list(range(len(self.ids)))
        sources = self.alarms.instances.source
        found = {
            row
            for row, source in enumerate(sources)
            if source == place or source.startswith(f"{place}/")
        }
        names = [branch.name for branch in self.site.branches]
        if place in names:
            found |= set(np.flatnonzero(self.hit(names.index(place))).tolist())
        if not found:
            near = get_close_matches(place, [*dict.fromkeys(sources), *names], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{place}: no device, rack, pod or branch of this site{hint}")
        return sorted(found)

    def hit(self, branch: int) -> BoolArray:
        """Alarms about what is dark when a branch opens.  # (alarms,)"""
        return hit_by(self.alarms.topology, self.alarms.instances, branch)

    def explained_by(self, alarm: int) -> int:
        """How many standing alarms one explains."""
        return int(((self.state.cause == alarm) & self.state.stands).sum())

    def id_of(self, alarm: int) -> str:
        """``kind@source``, empty for none."""
        return "" if alarm == NO_INDEX else self.ids[alarm]


_PLAIN: Final[dict[Act, Callable[[AlarmState, Iterable[int], float, str], actions.Result]]] = {
    "acknowledge": actions.acknowledge,
    "reset": actions.reset,
    "unshelve": actions.unshelve,
    "put back": actions.put_back,
}
