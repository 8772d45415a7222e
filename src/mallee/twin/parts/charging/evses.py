"""What evses draw: cars come, ramp up, taper with their state of charge, share a limit, leave."""

import numpy as np
from numpy.typing import NDArray

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel


@kernel
def taper_frac(soc: float) -> float:
    """Share of its best power that a car takes: all to 20 %, 55 % at half, 30 % at 80 % full.

    From 10 to 80 % this takes 24 minutes for 82 kWh at 250 kW, as published (25..27 minutes);
    sessions from a file bring their own maximum.
    """
    if soc < 0.2:
        return 1.0
    if soc < 0.5:
        return 1.0 - 0.45 * (soc - 0.2) / 0.3
    if soc < 0.8:
        return 0.55 - 0.25 * (soc - 0.5) / 0.3
    return max(0.02, 0.3 - 0.28 * (soc - 0.8) / 0.2)


@kernel
def charge_cars(
    stations: NDArray[np.void],
    states: NDArray[np.void],
    evses: NDArray[np.void],
    sessions: NDArray[np.void],
    time_ms: int,
    step_s: float,
) -> None:
    """Power of all stations and evses in one step; `book_cars` then moves energy.

    Args:
        stations, states: what they are, and their state.  # (stations,)
        evses: state of all evses, station by station.  # (evses,)
        sessions: cars of each evse in the order of arrival.  # (evses, sessions)
        time_ms: start of the step.
        step_s: its length.
    """
    for c in range(stations.shape[0]):
        station, state = stations[c], states[c]
        if time_ms >= state["limit_until_ms"]:
            state["limit_w"] = station["default_w"]
        standby_w = station["standby_w"] * state["served"]
        limit_w = min(state["limit_w"], station["max_w"])
        room_w = max(0.0, limit_w - standby_w) * state["served"] * state["healthy"]
        first, last = station["first_evse"], station["first_evse"] + station["evses"]
        occupied = 0
        for p in range(first, last):
            occupied += _greet(station, evses[p], sessions[p], time_ms)
        level_w = _equal_share_w(evses, first, last, room_w)
        total_w = 0.0
        for p in range(first, last):
            evse = evses[p]
            if evse["occupied"] == 0:
                evse["power_w"] = 0.0
                continue
            car = sessions[p, evse["next_session"]]
            goal_w = min(evse["want_w"], level_w)
            rise_w = car["car_max_w"] / car["rise_s"] * step_s
            fall_w = station["evse_max_w"] / station["fall_s"] * step_s
            power_w = evse["power_w"]
            if goal_w > power_w:
                power_w = min(goal_w, power_w + rise_w)
            else:
                power_w = max(goal_w, power_w - fall_w)
            evse["power_w"] = power_w * state["served"]
            total_w += evse["power_w"]
        state["power_w"] = total_w + standby_w
        state["offered_w"] = room_w
        state["occupied"] = occupied


@kernel
def book_cars(
    stations: NDArray[np.void],
    states: NDArray[np.void],
    evses: NDArray[np.void],
    sessions: NDArray[np.void],
    step_s: float,
) -> None:
    """Move the energy of one step: into the cars, and into the stations' losses."""
    hours = step_s / SECONDS_PER_HOUR
    for c in range(stations.shape[0]):
        station, state = stations[c], states[c]
        given_wh = 0.0
        for p in range(station["first_evse"], station["first_evse"] + station["evses"]):
            evse = evses[p]
            if evse["occupied"] == 1:
                evse_wh = evse["power_w"] * station["efficiency"] * hours
                evse["soc"] += evse_wh / sessions[p, evse["next_session"]]["capacity_wh"]
                evse["energy_wh"] += evse_wh
                given_wh += evse_wh
        state["vehicle_wh"] += given_wh
        state["energy_wh"] += state["power_w"] * hours
        state["loss_wh"] += state["power_w"] * hours - given_wh


@kernel
def _greet(station: np.void, evse: np.void, cars: NDArray[np.void], time_ms: int) -> int:
    """Let the car that is done leave and the next one plug in; returns whether one is there."""
    if evse["occupied"] == 1:
        car = cars[evse["next_session"]]
        if evse["soc"] >= car["soc_leave"] or time_ms >= car["leave_ms"]:
            evse["occupied"] = 0
            evse["next_session"] += 1
    if evse["occupied"] == 0 and evse["next_session"] < cars.shape[0]:
        car = cars[evse["next_session"]]
        if time_ms >= car["arrival_ms"]:
            evse["occupied"] = 1
            evse["soc"] = car["soc_start"]
            evse["power_w"] = 0.0
            evse["energy_wh"] = 0.0
    evse["want_w"] = 0.0
    if evse["occupied"] == 1:
        car = cars[evse["next_session"]]
        best_w = car["car_max_w"] * taper_frac(evse["soc"]) / station["efficiency"]
        evse["want_w"] = min(best_w, station["evse_max_w"])
    return evse["occupied"]


@kernel
def _equal_share_w(evses: NDArray[np.void], first: int, last: int, room_w: float) -> float:
    """The level at which evses that want more are held so that together they use `room_w`."""
    wanted_w = 0.0
    for p in range(first, last):
        wanted_w += evses[p]["want_w"]
    if wanted_w <= room_w:
        return wanted_w
    left_w, level_w = room_w, 0.0
    open_evses = last - first
    while open_evses > 0:
        level_w = left_w / open_evses
        still, used_w = 0, 0.0
        for p in range(first, last):
            if evses[p]["want_w"] > level_w:
                still += 1
            else:
                used_w += evses[p]["want_w"]
        if still == open_evses or still == 0:
            break
        open_evses, left_w = still, room_w - used_w
    return level_w
