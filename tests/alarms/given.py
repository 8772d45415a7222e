"""A site whose readings and events a test sets by hand, and an alarm system that watches it."""

from pathlib import Path

import numpy as np

from mallee.alarms import ALARMS, Change, SiteAlarms, nothing_yet, site_alarms, state_of, step
from mallee.alarms.instances import find
from mallee.catalogue import load_site
from mallee.core.event_kinds import new_event
from mallee.core.snapshot import Quality, Snapshot

ROOT = Path(__file__).parents[2]
SITE = load_site(ROOT / "examples/sites/charging-site.toml")
PREPARED = site_alarms(SITE, tuple(ALARMS.values()))


class Watched:
    """The demo site, all well: every point read, nothing beyond its limit."""

    def __init__(self, alarms: SiteAlarms = PREPARED) -> None:
        self.alarms, self.state = alarms, nothing_yet(alarms.instances)
        self.values = np.zeros(SITE.point_count)
        self.quality = np.zeros(SITE.point_count, np.uint8)
        self.values[SITE.rows("battery", "soc")] = 0.6
        self.values[SITE.rows("meter", "voltage_v")] = 480.0
        for row, path in enumerate(SITE.point_paths()):
            if path.endswith(("power_w", "output_w")):
                self.values[row] = 1000.0
        self.time_s = 0.0
        self.journal: list[Change] = []

    def row(self, kind: str, source: str) -> int:
        """Row of one alarm."""
        (row,) = find(self.alarms.instances, kind, source)
        return row

    def read(self, path: str, value: float) -> None:
        """A reading."""
        row = SITE.find_point(path)
        assert row is not None
        self.values[row], self.quality[row] = value, Quality.GOOD

    def lose(self, prefix: str, quality: Quality = Quality.STALE) -> None:
        """Everything whose path begins so."""
        for row, path in enumerate(SITE.point_paths()):
            if path.startswith(prefix):
                self.quality[row] = quality

    def find_again(self, prefix: str) -> None:
        """The same, read well again."""
        self.lose(prefix, Quality.GOOD)

    def go_on(
        self, seconds: float = 1.0, *events: tuple[str, str], by_s: float = 1.0
    ) -> list[Change]:
        """Let time pass, `by_s` at a time; the events come at once.

        Returns:
            What happened.
        """
        happened: list[Change] = []
        words = {"why": "", "count": 1, "value": 0.0, "point": "x", "low": 0, "high": 1}
        more = {"import_kw": 700.0, "limit_kw": 600.0, "cycle": 1, "error": "", "silent_s": 1.0}
        told = [new_event(kind, self.time_s, source, **words, **more) for kind, source in events]
        for _ in range(max(1, round(seconds / by_s))):
            self.time_s += by_s
            snapshot = Snapshot(
                time_s=self.time_s,
                values=self.values,
                times_s=np.full(self.values.size, self.time_s),
                quality=self.quality,
                progress=np.zeros(self.values.size, np.uint8),
            )
            self.state, changes = step(self.alarms, self.state, snapshot, told, self.time_s)
            happened += changes
            told = []
        self.journal += happened
        return happened

    def names(self, changes: list[Change], what: str) -> list[tuple[str, str]]:
        """Kind and source of what happened in one way."""
        instances = self.alarms.instances
        return [
            (instances.kinds[int(instances.kind[one.alarm])].name, instances.source[one.alarm])
            for one in changes
            if one.what == what
        ]

    def state_of(self, kind: str, source: str) -> str:
        """Name of an alarm's state."""
        return state_of(self.state, self.row(kind, source))

    def annunciated(self) -> list[tuple[str, str]]:
        """What sounds now."""
        instances = self.alarms.instances
        return [
            (instances.kinds[int(instances.kind[row])].name, instances.source[row])
            for row in np.flatnonzero(self.state.annunciated).tolist()
        ]
