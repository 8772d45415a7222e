"""The charger stations of a site: built from the catalogue, limited by profiles, read as points."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.errors import Rejected
from mallee.kinds import KINDS
from mallee.kinds.charger import CHARGER
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.cords import joined_feeds, make_cords
from mallee.twin.local_time import LocalTime
from mallee.twin.parameters import parameter_in
from mallee.twin.part import Part, Saved
from mallee.twin.parts.charging import layout
from mallee.twin.parts.charging.layout import NEVER_MS
from mallee.twin.parts.charging.points import EVSE_SHOWN, SHOWN, show_stations
from mallee.twin.parts.charging.sessions import DAY_MS, draw_day, read_sessions
from mallee.twin.shown import Shown, ShownEach

CURVE: Final = "semi-f47"

STAY_MS: Final = 1_500_000
"""Cars that came longer than this before the start have left (25 minutes, a usual stay)."""

NO_DATE: Final = LocalTime("UTC", None)

_FOREVER_MS: Final = 2**60
"""A lease of 0: what is written stands until it is written again."""


class Stations(Part):
    """State of all stations and evses in arrays of records, which the site's kernel steps.

    Attributes:
        stations, state: what they are, and their state.  # (stations,)
        evses: state of all evses, station by station.  # (evses,)
        sessions: cars of the current day, or all of the file's.  # (evses, sessions)
        day: number of the day that `sessions` is for.  # (1,)
        cords: where they hang.  # (stations,)
    """

    kinds = (CHARGER.name,)
    is_fast = True

    def __init__(self, site: SiteModel, seed: int, local: LocalTime = NO_DATE) -> None:
        groups = list(site.groups_of(CHARGER))
        counts: list[int] = []
        self.names = tuple(name for group in groups for name in group.names)
        self.stations: NDArray[np.void] = np.zeros(len(self.names), layout.STATION)
        self.state: NDArray[np.void] = np.zeros(len(self.names), layout.STATION_STATE)
        at = evse = 0
        for group in groups:
            here = slice(at, at + group.count)
            model = group.model
            evses = int(parameter_in(model, "evse_count", 1, 64))
            station = self.stations[here]
            station["evses"] = evses
            counts.append(evses)
            station["first_evse"] = evse + evses * np.arange(group.count)
            station["max_w"] = parameter_in(model, "station_max_w", 1.0, 1e9)
            station["evse_max_w"] = parameter_in(model, "evse_max_w", 1.0, 1e9)
            station["fall_s"] = parameter_in(model, "obey_s", 0.01, 600.0)
            station["efficiency"] = parameter_in(model, "efficiency", 0.3, 1.0)
            station["standby_w"] = parameter_in(model, "standby_w", 0.0, 1e6)
            at, evse = at + group.count, evse + evses * group.count
        self.stations["default_w"] = safe_share_w(site)
        self.state["healthy"] = self.state["served"] = 1
        self.state["limit_w"] = self.stations["default_w"]
        self.evses: NDArray[np.void] = np.zeros(evse, layout.EVSE_STATE)
        self.cords = make_cords(
            joined_feeds(group.branch for group in groups),
            joined_feeds(group.standby_branch for group in groups),
            CURVE,
        )
        self._shown = Shown(groups, SHOWN)
        self._evses_shown = ShownEach(groups, "evse", counts, EVSE_SHOWN)
        self._seed, self._local, self.day = seed, local, np.zeros(1, np.int64)
        twin = site.file.twin
        self._per_day = twin.ev_sessions_per_day if twin else 0.0
        self._from_file = bool(twin and twin.ev_sessions)
        if twin and twin.ev_sessions and evse:
            self.sessions = read_sessions(Path(twin.ev_sessions), evse)
        else:
            self.sessions = self._draw(0)
            gone = self.sessions["arrival_ms"] < -STAY_MS
            self.evses["next_session"] = gone.sum(axis=1)

    def write(
        self, kind: str, number: int, point: str, value: float, lease_s: float, time_ms: int
    ) -> None:
        """A charging profile reaches the station; it ends with its lease.

        Raises:
            Rejected: not a limit, or a negative one.
        """
        name = self.names[number]
        if point != "limit_w":
            raise Rejected(f"{name}: {point} cannot be written")
        if not (math.isfinite(value) and value >= 0.0):
            raise Rejected(f"{name}: a limit of {value} W is not possible, it must be >= 0")
        state = self.state[number]
        state["limit_w"] = min(value, float(self.stations[number]["max_w"]))
        stands_ms = round(lease_s * 1000) if lease_s > 0.0 else _FOREVER_MS
        state["limit_until_ms"] = time_ms + stands_ms

    def forget(self, kind: str, number: int) -> None:
        """Back to the limit that it starts with."""
        self.state[number]["limit_w"] = self.stations[number]["default_w"]

    def step_slow(self, time_ms: int, dt_s: float) -> None:
        """Draw the cars of the day that `time_ms` lies in, once a day."""
        day = self._local.day(time_ms)
        if self._from_file or day == self.day[0] or not len(self.evses):
            return
        self.day[0] = day
        fresh = self._draw(day)
        for evse in range(len(self.evses)):
            state = self.evses[evse]
            if state["occupied"]:  # the car that is still there goes first
                staying = self.sessions[evse, state["next_session"]].copy()
                fresh[evse, 1:] = fresh[evse, :-1].copy()
                fresh[evse, 0] = staying
            state["next_session"] = 0
        self.sessions[:] = fresh

    def _draw(self, day: int) -> NDArray[np.void]:
        """The cars of a calendar day; those of the first one came from its midnight on."""
        sessions = draw_day(self._seed, day, len(self.evses), self._per_day)
        shift_ms = self._local.midnight_ms(day) - day * DAY_MS
        coming = sessions["arrival_ms"] < NEVER_MS
        for time in ("arrival_ms", "leave_ms"):
            sessions[time][coming] += shift_ms
        return sessions

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """See `Part.points_of`."""
        count = int(group.model.parameter("evse_count"))
        return [*self._shown.points_of(group), *self._evses_shown.points_of(group, count)]

    def show(self, true_points: FloatArray) -> None:
        """See `Part.show`."""
        show_stations(
            self.stations, self.state, self.evses, self._shown.values, self._evses_shown.values
        )
        self._shown.put(true_points)
        self._evses_shown.put(true_points)

    def arrays(self) -> Saved:
        """See `Part.arrays`."""
        return {
            "state": self.state,
            "cords": self.cords,
            "evses": self.evses,
            "sessions": self.sessions,
            "day": self.day,
        }

    def terms_wh(self) -> dict[str, float]:
        """See `Part.terms_wh`."""
        return {
            "vehicles": float(self.state["vehicle_wh"].sum()),
            "charger losses": float(self.state["loss_wh"].sum()),
        }


def safe_share_w(site: SiteModel) -> float:
    """Limit a station that is safe with nobody in charge: an equal share of what the pods leave.

    Import limit less every pod at its most, over the number of stations.
    """
    stations = sum(group.count for group in site.groups_of(CHARGER))
    if not stations:
        return 0.0
    pods_w = sum(
        group.count * group.model.power_max_w
        for group in site.groups
        if KINDS[group.kind].role == "load" and group.kind != CHARGER.name
    )
    return max(0.0, (site.grid.import_max_w - pods_w) / stations)
