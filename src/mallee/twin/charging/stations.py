"""The charger stations of a site: built from the catalogue, limited by profiles, read as points."""

import math
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import IntArray
from mallee.core.errors import Rejected
from mallee.site.model import SiteModel
from mallee.twin.charging import layout
from mallee.twin.charging.sessions import DAY_MS, draw_day, read_sessions
from mallee.twin.parameters import parameter_in

_FOREVER_MS: Final = 2**60
"""A lease of 0: what is written stands until it is written again."""


class Stations:
    """State of all stations and evses in arrays of records, which the site's kernel steps.

    Attributes:
        stations, state: what they are, and their state.  # (stations,)
        evses: state of all evses, station by station.  # (evses,)
        sessions: cars of the current day, or all of the file's.  # (evses, sessions)
        day: number of the day that `sessions` is for.
        rows: points of each station, in the order of the model.  # (stations, points)
    """

    def __init__(self, site: SiteModel, seed: int) -> None:
        groups = list(site.groups_of("charger"))
        self.names = tuple(name for group in groups for name in group.names)
        self.stations: NDArray[np.void] = np.zeros(len(self.names), layout.STATION)
        self.state: NDArray[np.void] = np.zeros(len(self.names), layout.STATION_STATE)
        at = evse = 0
        for group in groups:
            here = slice(at, at + group.count)
            model = group.model
            evses = int(parameter_in(model, "evse_count", 1, 64))
            station = self.stations[here]
            station["branch"], station["evses"] = group.branch, evses
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
        self.rows = _rows(site)
        self._seed, self.day = seed, 0
        twin = site.file.twin
        self._per_day = twin.ev_sessions_per_day if twin else 0.0
        self._from_file = bool(twin and twin.ev_sessions)
        if twin and twin.ev_sessions and evse:
            self.sessions = read_sessions(Path(twin.ev_sessions), evse)
        else:
            self.sessions = draw_day(seed, 0, evse, self._per_day)

    def write(self, station: int, point: str, value: float, lease_s: float, time_ms: int) -> None:
        """A charging profile reaches the station; it ends with its lease.

        Raises:
            Rejected: not a limit, or a negative one.
        """
        name = self.names[station]
        if point != "limit_w":
            raise Rejected(f"{name}: {point} cannot be written")
        if not (math.isfinite(value) and value >= 0.0):
            raise Rejected(f"{name}: a limit of {value} W is not possible, it must be >= 0")
        state = self.state[station]
        state["limit_w"] = min(value, float(self.stations[station]["max_w"]))
        stands_ms = round(lease_s * 1000) if lease_s > 0.0 else _FOREVER_MS
        state["limit_until_ms"] = time_ms + stands_ms

    def next_day(self, time_ms: int) -> None:
        """Draw the cars of the day that `time_ms` lies in, once a day."""
        day = time_ms // DAY_MS
        if self._from_file or day == self.day or not len(self.evses):
            return
        self.day = day
        fresh = draw_day(self._seed, day, len(self.evses), self._per_day)
        for evse in range(len(self.evses)):
            state = self.evses[evse]
            if state["occupied"]:  # the car that is still there goes first
                staying = self.sessions[evse, state["next_session"]].copy()
                fresh[evse, 1:] = fresh[evse, :-1].copy()
                fresh[evse, 0] = staying
            state["next_session"] = 0
        self.sessions[:] = fresh


def safe_share_w(site: SiteModel) -> float:
    """Limit a station that is safe with nobody in charge: an equal share of what the pods leave.

    Import limit less every pod at its most, over the number of stations.
    """
    stations = sum(group.count for group in site.groups_of("charger"))
    if not stations:
        return 0.0
    pods_w = sum(
        group.count * group.model.power_max_w
        for group in site.groups
        if group.kind in ("node", "switch", "cdu")
    )
    return max(0.0, (site.grid.import_max_w - pods_w) / stations)


def _rows(site: SiteModel) -> IntArray:
    """Rows of power, energy, occupied, offered, limit, then of each evse's power and charge."""
    rows = []
    for group in site.groups_of("charger"):
        evses = range(1, int(group.model.parameter("evse_count")) + 1)
        names = ["power_w", "energy_wh", "occupied_count", "offered_w", "limit_w"]
        names += [f"evse{n}_power_w" for n in evses] + [f"evse{n}_soc" for n in evses]
        rows.append(np.stack([group.rows(name) for name in names], axis=1))
    width = max((one.shape[1] for one in rows), default=0)
    return (
        np.concatenate(
            [np.pad(r, ((0, 0), (0, width - r.shape[1])), constant_values=-1) for r in rows]
        )
        if rows
        else np.empty((0, 0), np.int64)
    )
