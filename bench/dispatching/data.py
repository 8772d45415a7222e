"""Load, prices and tariffs of the dispatch bench, from measured data where it is there.

The hall's load follows the GPUs that a cluster had allocated (Alibaba 2023, its last 33 days), a
cooling share by the month's own temperatures (TMY) and rapid-charging sessions (Perth); each is
scaled, none is fitted to a result. Without the data folder the bench says so and skips.
"""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.price_file import read_series
from mallee.optimize.series import Series
from mallee.optimize.tariff.file import DemandRate, EnergyRate, TariffFile

DAYS = 33
STEP_S = 300.0
COUNT = DAYS * 288


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def hall_w(shared: Path) -> FloatArray:
    """IT power of the hall, mean 7 MW, from allocated GPUs; five minutes a value."""
    path = shared / "data/jobs/alibaba_gpu2023_pods.csv.gz"
    pods = [r for r in _rows(path) if r["scheduled_time"] and float(r["num_gpu"]) > 0]
    end_s = max(float(r["deletion_time"]) for r in pods)
    start_s = end_s - DAYS * 86400.0
    change = np.zeros(COUNT + 1)
    for row in pods:
        gpus = float(row["num_gpu"]) * float(row["gpu_milli"]) / 1000.0
        begin, stop = (
            int(np.clip((float(row[name]) - start_s) // STEP_S, 0, COUNT))
            for name in ("scheduled_time", "deletion_time")
        )
        change[begin] += gpus
        change[stop] -= gpus
    allocated = np.cumsum(change)[:COUNT]
    power: FloatArray = 2e6 + 5e6 * allocated / allocated.mean()
    return power


def cars_w(shared: Path, month: int) -> FloatArray:
    """Charging power of a lot: Perth's sessions of two years folded onto one month, five-fold."""
    path = shared / "data/ev/perth_rapid_sessions_2016-09_2018-08.csv.gz"
    power = np.zeros(COUNT)
    for row in _rows(path):
        day, clock = row["start"].split(" ")
        if int(day.split("-")[1]) != month:
            continue
        place = (int(day.split("-")[2]) - 1) * 288
        hours, minutes, *_ = clock.split(":")
        place += (int(hours) * 60 + int(minutes)) // 5
        power[place : place + 6] += 5.0 * float(row["kwh"]) * 1e3 / 0.5
    return power


def load_w(shared: Path, start_utc_s: float, month: int, city: str) -> Series:
    """Hall, cooling and cars from an instant on; a week before it repeats its first week."""
    temps = [float(r["temp_c"]) for r in _rows(shared / f"data/weather/tmy_{city}.csv.gz")]
    first = (month - 1) * 730
    hourly = np.array((temps + temps)[first : first + DAYS * 24])
    hot = np.repeat(np.clip(hourly - 18.0, 0.0, None), 12)
    hall = hall_w(shared)
    total = hall * (1.08 + 0.006 * hot) + cars_w(shared, month)
    return Series(start_utc_s, STEP_S, total)


def market(shared: Path, name: str) -> Series:
    """Day-ahead prices of a market's year."""
    found = read_series(shared / f"data/prices/epf_{name}_year1.csv.gz", timezone="UTC")
    return found.columns["price"]


def tariff(usd_per_w_month: float = 15e-3) -> TariffFile:
    """Day-ahead energy and one demand charge on 15-minute means of all hours."""
    return TariffFile(
        name="day-ahead with demand charge",
        energy=[EnergyRate(name="energy", market="day-ahead")],
        demand=[DemandRate(name="all hours", usd_per_w_month=usd_per_w_month)],
    )
