"""The page's state: board in, one frame a second out."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from mallee.console.alarms import NO_ALARMS, AlarmSummary
from mallee.console.frame import Flag, Frame, SignalState, encode_frame
from mallee.console.held_why import HeldWhy, WhyLine
from mallee.console.places import power_tree
from mallee.console.signals import Numbers, Readings
from mallee.console.site_info import SignalInfo, site_info
from mallee.console.table import SignalTable
from mallee.console.tiles import FIXED
from mallee.console.trend import Trend
from mallee.core.arrays import FloatArray
from mallee.core.event import Event
from mallee.core.status import ControlStatus
from mallee.core.units import SECONDS_PER_HOUR
from mallee.site.model import SiteModel

EVENTS_KEPT = 500
EVENTS_SENT = 12
CONTROL_SILENT_S = 3.0
"""Control reports ten times a second; after this long without it the page says so."""
MEAN_S = 60
"""PUE and the battery's time to its floor are means of the last minute, as loads swing."""
IDLE_FRAC = 0.002
"""A mean battery power below this share of its capability has no meaningful time to go."""


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event as people read it; `severity` 0 information, 1 warning, 2 critical."""

    time_utc_s: float
    kind: str
    source: str
    text: str
    severity: int


class FrameText(msgspec.Struct, frozen=True, kw_only=True):
    """The words that go with the numbers.

    Attributes:
        status: what control said last.
        why: its "why" line, held while the state stays the same in kind.
        status_age_s: how long ago, -1 if never.
        processes: seconds since each process gave a sign of life, -1 if never.
        history: empty while history is being written, else what stops it.
        events: the latest, newest first.
        alarms: at a glance.
    """

    status: ControlStatus | None
    why: WhyLine | None
    status_age_s: float
    processes: dict[str, float]
    history: str
    events: list[EventRow]
    alarms: AlarmSummary = NO_ALARMS


NO_TEXT = FrameText(status=None, why=None, status_age_s=-1.0, processes={}, history="", events=[])


STATUS_SIGNALS = (
    "import_in_force_w",
    "import_target_w",
    "charge_bias_w",
    "chargers_max_w",
    "nodes_max_w",
)
DERIVED = {
    "load_w": "w",
    "import_over_w": "w",
    "pue": "pu",
    "floor_time_s": "s",
    "ceiling_time_s": "s",
}
"""`load_w` is import less what the batteries take, as control means it; `import_over_w` by how much
the last second stood above the limit in force."""


class Live:
    """Everything the console shows of one site, second by second.

    Args:
        folder: where the trend is kept for the console that comes after this one.
    """

    def __init__(self, site: SiteModel, folder: Path | None = None) -> None:
        self.site = site
        tree = power_tree(site)
        self._table = SignalTable(site, tree)
        extra = [SignalInfo(name=name, unit="w") for name in STATUS_SIGNALS]
        extra += [SignalInfo(name=name, unit=unit) for name, unit in DERIVED.items()]
        table = zip(self._table.names, self._table.units, strict=True)
        signals = [SignalInfo(name=name, unit=unit) for name, unit in table] + extra
        self.info = site_info(site, tree, signals)
        self.trend = Trend(folder)
        self.events: deque[EventRow] = deque(maxlen=EVENTS_KEPT)
        self.text = NO_TEXT
        self.alarms = NO_ALARMS
        self._why = HeldWhy()
        self._sequence = 0
        self._last: Frame | None = None

    def add_event(self, event: Event, time_utc_s: float) -> None:
        """Keep an event for the page; `time_utc_s` is when it happened."""
        self.events.appendleft(
            EventRow(
                time_utc_s=time_utc_s,
                kind=event.kind,
                source=event.source,
                text=event.text,
                severity=int(event.severity),
            )
        )

    def tick(
        self,
        readings: Readings,
        status: ControlStatus | None,
        *,
        status_age_s: float,
        time_utc_s: float,
        processes: Mapping[str, float],
        history: str = "",
        aligned: FloatArray | None = None,
    ) -> bytes:
        """One second: evaluate, remember for the trend, encode.

        Args:
            readings: with the fast ones as means of the last second.
            status_age_s: age of `status`; ignored without one.
            processes: age of each process's last heartbeat, infinite if there was none.
            history: what stops the history, empty if nothing does.
            aligned: readings with the fast ones of the same second as the slow ones.  # (points,)
        """
        numbers = self._table.evaluate(readings, aligned)
        by_name = self._by_name(numbers, status)
        self.trend.add(time_utc_s, by_name | self._second(readings, by_name))
        by_name |= self._derived(readings, by_name)
        self.text = FrameText(
            status=status,
            why=self._why.update(status, time_utc_s) if status else None,
            status_age_s=_wire_age_s(status_age_s) if status else -1.0,
            processes={name: _wire_age_s(age_s) for name, age_s in processes.items()},
            history=history,
            events=list(self.events)[:EVENTS_SENT],
            alarms=self.alarms,
        )
        self._sequence += 1
        self._last = self._frame(numbers, by_name, time_utc_s)
        return encode_frame(self._last)

    def retell(self) -> bytes:
        """The last frame with the newest events and alarms; empty before there was one."""
        if self._last is None:
            return b""
        self.text = msgspec.structs.replace(
            self.text, events=list(self.events)[:EVENTS_SENT], alarms=self.alarms
        )
        return encode_frame(replace(self._last, text=msgspec.json.encode(self.text)))

    def _by_name(self, numbers: Numbers, status: ControlStatus | None) -> dict[str, float]:
        """What can be trusted of numbers and status, by name; NaN for the rest."""
        by_name = {name: getattr(status, name, math.nan) for name in STATUS_SIGNALS}
        for name, position in self._table.index.items():
            trusted = numbers.states[position] in (SignalState.GOOD, SignalState.PARTLY)
            by_name[name] = float(numbers.values[position]) if trusted else math.nan
        by_name["load_w"] = _load_w(by_name)
        plant_w = by_name.get(f"tile_w:{FIXED}", 0.0)
        by_name["facility_w"] = by_name.get("pods_w", math.nan) + plant_w
        return by_name

    def _second(self, readings: Readings, by_name: Mapping[str, float]) -> dict[str, float]:
        """The fast quantities of this very second, for the trend; only what can be trusted."""
        second = self._table.of_second(readings.values)
        found = {
            name: second[name]
            for name in ("import_w", "battery_charge_w")
            if math.isfinite(by_name.get(name, math.nan))
        }
        return found | {"load_w": _load_w(found)}

    def _frame(self, numbers: Numbers, by_name: Mapping[str, float], time_utc_s: float) -> Frame:
        text = self.text
        control_stale = not 0.0 <= text.status_age_s <= CONTROL_SILENT_S
        import_at = self._table.index.get("import_w")
        meter_good = import_at is not None and numbers.states[import_at] == SignalState.GOOD
        flags = Flag.TWIN if self.info.twin else Flag(0)
        flags |= Flag(0) if meter_good else Flag.METER_STALE
        flags |= Flag.CONTROL_STALE if control_stale else Flag(0)
        extra = np.array([by_name[s.name] for s in self.info.signals[len(numbers.values) :]])
        states = np.full(len(extra), SignalState.STALE if control_stale else SignalState.GOOD)
        states[len(STATUS_SIGNALS) :] = SignalState.GOOD
        states[~np.isfinite(extra)] = SignalState.UNKNOWN
        ages_s = np.zeros(len(extra))
        ages_s[: len(STATUS_SIGNALS)] = text.status_age_s
        return Frame(
            schema=self.info.schema,
            flags=flags,
            sequence=self._sequence,
            time_utc_s=time_utc_s,
            values=np.append(numbers.values, extra).astype(np.float32),
            ages_s=np.append(numbers.ages_s, ages_s).astype(np.float32),
            states=np.append(numbers.states, states).astype(np.uint8),
            text=msgspec.json.encode(text),
        )

    def _derived(self, readings: Readings, now: Mapping[str, float]) -> dict[str, float]:
        """By how much the second is over its limit; PUE and time to go from means of a minute.

        PUE is what pods and plant draw over what reaches nodes and switches (ISO/IEC 30134-2
        measured at the equipment's input, category 3): power shelves and cooling count, the site's
        transformer, battery and chargers do not.
        """
        it_w = self.trend.mean("it_w", MEAN_S)
        charge_w = self.trend.mean("battery_charge_w", MEAN_S)
        control, soc = self.site.file.control, now.get("soc", math.nan)
        capacity_wh = now.get("capacity_wh", math.nan)
        idle_w = IDLE_FRAC * self.info.limits.battery_max_w
        floor_s = ceiling_s = math.nan
        if charge_w < -idle_w:
            floor_s = max(soc - control.soc_min, 0.0) * capacity_wh / -charge_w * SECONDS_PER_HOUR
        elif charge_w > idle_w:
            ceiling_s = max(control.soc_max - soc, 0.0) * capacity_wh / charge_w * SECONDS_PER_HOUR
        limit_w = now["import_in_force_w"]
        limit_w = limit_w if math.isfinite(limit_w) else self.info.limits.import_contract_w
        import_w = self._second(readings, now).get("import_w", math.nan)
        return {
            "import_over_w": max(import_w - limit_w, 0.0) if math.isfinite(import_w) else math.nan,
            "pue": self.trend.mean("facility_w", MEAN_S) / it_w if it_w > 0.0 else math.nan,
            "floor_time_s": floor_s,
            "ceiling_time_s": ceiling_s,
        }


def _load_w(by_name: Mapping[str, float]) -> float:
    """What the site draws beside its batteries, as control counts it."""
    return by_name.get("import_w", math.nan) - by_name.get("battery_charge_w", 0.0)


def _wire_age_s(age_s: float) -> float:
    return round(age_s, 2) if math.isfinite(age_s) else -1.0
