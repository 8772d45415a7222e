"""What posts draw: cars come, ramp up, taper with their state of charge, share a limit, leave."""

import numpy as np
from numpy.typing import NDArray

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel


@kernel
def taper_frac(soc: float) -> float:
    """Share of its best power that a car takes: full to 50 %, 30 % at 80 %, little at the end.

    Source: shape of published fast-charging curves (assumed; sessions from a file bring their own
    maximum).
    """
    if soc < 0.5:
        return 1.0
    if soc < 0.8:
        return 1.0 - 0.7 * (soc - 0.5) / 0.3
    return max(0.02, 0.3 - 0.28 * (soc - 0.8) / 0.2)


@kernel
def charge_cars(
    cabinets: NDArray[np.void],
    states: NDArray[np.void],
    posts: NDArray[np.void],
    sessions: NDArray[np.void],
    time_ms: int,
    step_s: float,
) -> None:
    """Power of all cabinets and posts in one step; `book_cars` then moves energy.

    Args:
        cabinets, states: what they are, and their state.  # (cabinets,)
        posts: state of all posts, cabinet by cabinet.  # (posts,)
        sessions: cars of each post in the order of arrival.  # (posts, sessions)
        time_ms: start of the step.
        step_s: its length.
    """
    for c in range(cabinets.shape[0]):
        cabinet, state = cabinets[c], states[c]
        if time_ms >= state["limit_until_ms"]:
            state["limit_w"] = cabinet["default_w"]
        standby_w = cabinet["standby_w"] * state["served"]
        limit_w = min(state["limit_w"], cabinet["max_w"])
        room_w = max(0.0, limit_w - standby_w) * state["served"] * state["healthy"]
        first, last = cabinet["first_post"], cabinet["first_post"] + cabinet["posts"]
        occupied = 0
        for p in range(first, last):
            occupied += _greet(cabinet, posts[p], sessions[p], time_ms)
        level_w = _equal_share_w(posts, first, last, room_w)
        total_w = 0.0
        for p in range(first, last):
            post = posts[p]
            if post["occupied"] == 0:
                post["power_w"] = 0.0
                continue
            car = sessions[p, post["next_session"]]
            goal_w = min(post["want_w"], level_w)
            rise_w = car["car_max_w"] / car["rise_s"] * step_s
            fall_w = cabinet["post_max_w"] / cabinet["fall_s"] * step_s
            power_w = post["power_w"]
            if goal_w > power_w:
                power_w = min(goal_w, power_w + rise_w)
            else:
                power_w = max(goal_w, power_w - fall_w)
            post["power_w"] = power_w * state["served"]
            total_w += post["power_w"]
        state["power_w"] = total_w + standby_w
        state["offered_w"] = room_w
        state["occupied"] = occupied


@kernel
def book_cars(
    cabinets: NDArray[np.void],
    states: NDArray[np.void],
    posts: NDArray[np.void],
    sessions: NDArray[np.void],
    step_s: float,
) -> None:
    """Move the energy of one step: into the cars, and into the cabinets' losses."""
    hours = step_s / SECONDS_PER_HOUR
    for c in range(cabinets.shape[0]):
        cabinet, state = cabinets[c], states[c]
        given_wh = 0.0
        for p in range(cabinet["first_post"], cabinet["first_post"] + cabinet["posts"]):
            post = posts[p]
            if post["occupied"] == 1:
                post_wh = post["power_w"] * cabinet["efficiency"] * hours
                post["soc"] += post_wh / sessions[p, post["next_session"]]["capacity_wh"]
                post["energy_wh"] += post_wh
                given_wh += post_wh
        state["vehicle_wh"] += given_wh
        state["energy_wh"] += state["power_w"] * hours
        state["loss_wh"] += state["power_w"] * hours - given_wh


@kernel
def _greet(cabinet: np.void, post: np.void, cars: NDArray[np.void], time_ms: int) -> int:
    """Let the car that is done leave and the next one plug in; returns whether one is there."""
    if post["occupied"] == 1:
        car = cars[post["next_session"]]
        if post["soc"] >= car["soc_leave"] or time_ms >= car["leave_ms"]:
            post["occupied"] = 0
            post["next_session"] += 1
    if post["occupied"] == 0 and post["next_session"] < cars.shape[0]:
        car = cars[post["next_session"]]
        if time_ms >= car["arrival_ms"]:
            post["occupied"] = 1
            post["soc"] = car["soc_start"]
            post["power_w"] = 0.0
            post["energy_wh"] = 0.0
    post["want_w"] = 0.0
    if post["occupied"] == 1:
        car = cars[post["next_session"]]
        best_w = car["car_max_w"] * taper_frac(post["soc"]) / cabinet["efficiency"]
        post["want_w"] = min(best_w, cabinet["post_max_w"])
    return post["occupied"]


@kernel
def _equal_share_w(posts: NDArray[np.void], first: int, last: int, room_w: float) -> float:
    """The level at which posts that want more are held so that together they use `room_w`."""
    wanted_w = 0.0
    for p in range(first, last):
        wanted_w += posts[p]["want_w"]
    if wanted_w <= room_w:
        return wanted_w
    left_w, level_w = room_w, 0.0
    open_posts = last - first
    while open_posts > 0:
        level_w = left_w / open_posts
        still, used_w = 0, 0.0
        for p in range(first, last):
            if posts[p]["want_w"] > level_w:
                still += 1
            else:
                used_w += posts[p]["want_w"]
        if still == open_posts or still == 0:
            break
        open_posts, left_w = still, room_w - used_w
    return level_w
