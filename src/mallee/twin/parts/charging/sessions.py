"""The cars: from a file of sessions, or drawn from a seeded generator a day at a time."""

import csv
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from mallee.core.errors import ConfigError
from mallee.twin.parts.charging.layout import NEVER_MS, SESSION

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000

HOURLY_ARRIVALS: Final = np.array(
    [1, 1, 1, 1, 1, 2, 3, 5, 6, 6, 7, 8, 9, 8, 8, 8, 9, 10, 9, 7, 5, 4, 3, 2], np.float64
)
"""Shape of a day at a public fast charger: quiet nights, noon and late-afternoon rush (assumed)."""

DWELL_MAX_MS: Final = 5_400_000
SESSIONS_A_DAY_MAX: Final = 64

CAR_MAX_PER_H: Final = 3.0
"""Most that a car takes over what its battery holds: 2.5 C to 3 C of today's cars at their peak
(170 kW into 57.5 kWh, 250 kW into 82 kWh; makers' figures)."""

COLUMNS: Final = ("evse", "arrival_s", "energy_wh")


def draw_day(seed: int, day: int, evses: int, per_day: float) -> NDArray[np.void]:
    """Sessions of one day for every evse, in order of arrival.

    Every evse and day has a generator of its own, so neither the number of evses nor how far the
    run goes changes what another evse sees.

    Returns:
        Times count from the start of the twin; places that stay empty never arrive.
        (evses, sessions)
    """
    width = min(SESSIONS_A_DAY_MAX, max(1, int(per_day * 2 + 8)))
    sessions = np.zeros((evses, width), SESSION)
    sessions["arrival_ms"] = NEVER_MS
    cumulative = np.concatenate(([0.0], np.cumsum(HOURLY_ARRIVALS / HOURLY_ARRIVALS.sum())))
    for evse in range(evses):
        rng = np.random.default_rng([seed, 0x6361_7273, evse, day])
        count = min(width, int(rng.poisson(per_day)))
        hour = np.interp(np.sort(rng.random(count)), cumulative, np.arange(25.0))
        one = sessions[evse, :count]
        one["arrival_ms"] = day * DAY_MS + (hour * HOUR_MS).astype(np.int64)
        one["leave_ms"] = one["arrival_ms"] + DWELL_MAX_MS
        one["capacity_wh"] = rng.choice([57_500.0, 75_000.0, 82_000.0, 100_000.0], count)
        one["soc_start"] = rng.uniform(0.08, 0.45, count)
        one["soc_leave"] = rng.uniform(0.7, 0.9, count)
        one["car_max_w"] = rng.choice([120e3, 170e3, 250e3], count, p=[0.3, 0.4, 0.3])
        one["car_max_w"] = np.minimum(one["car_max_w"], CAR_MAX_PER_H * one["capacity_wh"])
        one["rise_s"] = rng.uniform(10.0, 30.0, count)
    return sessions


def read_sessions(path: Path, evses: int) -> NDArray[np.void]:
    """Sessions from a CSV with the columns ``evse,arrival_s,energy_wh[,power_max_w]``.

    Args:
        path: the file; `evse` (`post` in older files) counts from 1 over all stations,
            `arrival_s` from the start.
        evses: how many evses the site has.

    Raises:
        ConfigError: not readable, a missing column, a value out of range, times that run back.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            reader.fieldnames = ["evse" if n == "post" else n for n in reader.fieldnames or ()]
            rows = list(reader)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        hint = "save it as CSV in UTF-8"
        raise ConfigError(str(path), f"cannot be read: {error}", hint) from None
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing or not rows:
        what = f"has no column {missing[0]!r}" if missing else "holds no session"
        raise ConfigError(str(path), what, f"columns are {','.join(COLUMNS)}[,power_max_w]")
    lists: list[list[np.void]] = [[] for _ in range(evses)]
    for line, row in enumerate(rows, 2):
        evse, session = _session(row, evses, f"{path}:{line}")
        if lists[evse] and lists[evse][-1]["arrival_ms"] > session["arrival_ms"]:
            raise ConfigError(
                f"{path}:{line}", f"evse {evse + 1} has arrivals that run back in time"
            )
        lists[evse].append(session)
    sessions = np.zeros((evses, max(len(one) for one in lists)), SESSION)
    sessions["arrival_ms"] = NEVER_MS
    for evse, one in enumerate(lists):
        for position, session in enumerate(one):
            sessions[evse, position] = session
    return sessions


def _session(row: dict[str, str], evses: int, where: str) -> tuple[int, np.void]:
    try:
        evse, arrival_s = int(row["evse"]) - 1, float(row["arrival_s"])
        energy_wh, power_w = float(row["energy_wh"]), float(row.get("power_max_w") or "150e3")
    except ValueError as error:
        raise ConfigError(where, f"is not a number: {error}") from None
    if not 0 <= evse < evses:
        raise ConfigError(where, f"evse {evse + 1} does not exist", f"evses are 1..{evses}")
    if not (arrival_s >= 0.0 and energy_wh > 0.0 and power_w > 0.0):
        raise ConfigError(where, "arrival_s must be >= 0, energy_wh and power_max_w > 0")
    session = np.zeros((), SESSION)
    session["arrival_ms"] = round(arrival_s * 1000)
    session["leave_ms"] = session["arrival_ms"] + 8 * HOUR_MS
    capacity_wh = max(60_000.0, energy_wh / 0.8)
    session["capacity_wh"], session["car_max_w"], session["rise_s"] = capacity_wh, power_w, 20.0
    session["soc_start"] = 0.1
    session["soc_leave"] = 0.1 + energy_wh / capacity_wh
    return evse, cast(np.void, session[()])
