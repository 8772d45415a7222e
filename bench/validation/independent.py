"""Somebody else's measurements against product code that was not fitted to them: V22 to V26."""

import csv
import gzip
import math
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from mallee.catalogue import load_site
from mallee.core.arrays import FloatArray
from mallee.twin.parts.charging.evses import book_cars, charge_cars
from mallee.twin.parts.charging.layout import EVSE_STATE, NEVER_MS, SESSION, STATION, STATION_STATE
from mallee.twin.parts.charging.sessions import draw_day
from mallee.twin.parts.compute import Compute
from mallee.twin.parts.power.ups import make_ups, ups_watch
from mallee.twin.weather import clear_sky_w_per_m2
from validation.case import CALIBRATION, NULL_CASE, VALIDATION, Kind, Result
from validation.compute import run

TMY: Final = "TMY3 typical years (NREL), horizontal irradiance"
LATITUDES_DEG: Final = {
    "austin": 30.29,
    "dallas": 32.85,
    "memphis": 35.06,
    "philadelphia": 39.87,
    "phoenix": 33.45,
}
EPFL: Final = "EPFL, sessions of a public 172.5 kW post, 2022-04 to 2023-02"
B300: Final = "gpu-power-lab, one B300 at 50..100 Hz"
IDLE_W, VIRUS_W = 183.5, 1038.5
"""Its mean power at rest and in the power virus of the duty cycles (runs `idle`, `soak-30min`)."""


def clear_sky(result: Result, shared: Path | None) -> None:
    """V22: the clear sky of solar plants against the brightest hours of five typical years."""
    if shared is None:
        result.skipped.append("V22 clear sky: no shared data")
        return
    noon, winter = [], []
    for city, latitude_deg in LATITUDES_DEG.items():
        with gzip.open(shared / f"data/weather/tmy_{city}.csv.gz", "rt", newline="") as file:
            seen = np.array([float(row["ghi_w_m2"]) for row in csv.DictReader(file)])
        latitude_rad = math.radians(latitude_deg)
        clear = np.array([clear_sky_w_per_m2(latitude_rad, hour + 0.5) for hour in range(8760)])
        noon.append(float(clear.max() / seen.max()))
        days = clear.reshape(365, 24).sum(axis=1) / seen.reshape(365, 24).sum(axis=1)
        winter.append(float(np.percentile(days[320:], 5)))  # the clearest days of the last weeks
    what = "clear sky over the brightest hour of the year"
    result.near(
        "V22", f"{what}, median of 5 cities", np.median(noon), 1.0, 0.05, "", TMY, VALIDATION
    )
    worst = max(noon, key=lambda one: abs(one - 1.0))
    result.near("V22", f"{what}, worst city", worst, 1.0, 0.15, "", TMY, VALIDATION)
    what = "clear sky over clear winter days, worst city"
    worst = max(winter, key=lambda one: abs(one - 1.0))
    result.near("V22", what, worst, 1.0, 0.10, "", TMY, VALIDATION)


def charge(capacity_wh: FloatArray, soc: FloatArray, car_max_w: FloatArray) -> FloatArray:
    """Minutes in which cars at posts of 172.5 kW charge as far as they did.

    Args:
        soc: at arrival and departure.  # (2, cars)
    """
    cars = len(capacity_wh)
    stations, states = np.zeros(1, STATION), np.zeros(1, STATION_STATE)
    evses, sessions = np.zeros(cars, EVSE_STATE), np.zeros((cars, 1), SESSION)
    station, state = stations[0], states[0]
    station["evses"], station["max_w"], station["evse_max_w"] = cars, 1e12, 172.5e3 / 0.95
    station["efficiency"], station["fall_s"] = 0.95, 2.0
    state["healthy"] = state["served"] = 1
    state["limit_w"], state["limit_until_ms"] = 1e12, NEVER_MS
    sessions["capacity_wh"], sessions["car_max_w"] = capacity_wh[:, None], car_max_w[:, None]
    sessions["soc_start"], sessions["soc_leave"] = soc[0][:, None], soc[1][:, None]
    sessions["leave_ms"], sessions["rise_s"] = NEVER_MS, 20.0
    minutes = np.full(cars, np.nan)
    for second in range(4 * 3600):
        charge_cars(stations, states, evses, sessions, second * 1000, 1.0)
        book_cars(stations, states, evses, sessions, 1.0)
        left = (evses["occupied"] == 0) & np.isnan(minutes)
        minutes[left] = second / 60.0
        if not evses["occupied"].any():
            break
    return minutes


def cars(result: Result, shared: Path | None) -> None:
    """V23: how long real sessions took; V24: what cars draw on average."""
    if shared is None:
        result.skipped.append("V23 sessions: no shared data")
    else:
        rows = []
        with (shared / "data/ev/epfl_dcfc_sessions_2022-04_2023-02.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                names = ("soc_arrival_pct", "soc_departure_pct", "capacity_wh", "preq_max_w")
                values = [float(row[name] or "nan") for name in (*names, "stay_min")]
                came, went, capacity_wh, asked_w, stay_min = values
                if 5 <= came < went - 20 and 20e3 < capacity_wh < 120e3 and asked_w > 20e3:
                    rows.append(
                        (came / 100, min(went, 100.0) / 100, capacity_wh, asked_w, stay_min)
                    )
        came, went, capacity_wh, asked_w, stay_min = np.array(rows).T
        share = charge(capacity_wh, np.stack([came, went]), asked_w) / stay_min
        what = (
            f"time to charge over length of stay, median of {len(rows)} sessions (stays wait, too)"
        )
        result.within("V23", what, np.nanmedian(share), 0.6, 1.0, "", EPFL, VALIDATION)
    day = draw_day(1, 0, 40, 12.0)
    day = day[day["arrival_ms"] < NEVER_MS]
    soc = np.stack([day["soc_start"], day["soc_leave"]])
    minutes = charge(day["capacity_wh"], soc, day["car_max_w"])
    energy_wh = (soc[1] - soc[0]) * day["capacity_wh"]
    mean_kw = float((energy_wh / minutes).mean() * 60.0 / 1e3)
    source = "most cars average 80..100 kW at 250 kW posts (hardware reference S65)"
    result.within(
        "V24", "mean power of generated cars", mean_kw, 80.0, 100.0, "kW", source, VALIDATION
    )


def sags(result: Result) -> None:
    """V25: the faults of 10 July 2024, six in 82 s, after which UPS loads stayed on battery."""
    source = "NERC incident review of 10 July 2024: 6 faults in 82 s, ~1,500 MW left"
    for faults, expected in ((6, 1.0), (2, 0.0)):
        unit, state = make_ups(500e3, 40e3)
        for step in range(round(120 / 0.02)):
            time_s = step * 0.02
            number, into_s = divmod(time_s, 82.0 / 5.0)
            volts_pu = 0.6 if into_s < 0.1 and number < faults else 1.0
            ups_watch(unit, state, volts_pu, step * 20)
        what = f"UPS that stay on battery after {faults} faults at the pace of the event"
        kind: Kind = VALIDATION if faults == 6 else NULL_CASE
        result.near("V25", what, float(state["locked"]), expected, 0.0, "", source, kind)


RACK: Final = """
name = "lab"
[grid]
contracted_w = 1e6
import_max_w = 1e6
meter = { name = "meter", model = "grid-meter-sunspec" }
[[transformer]]
name = "tx"
rating_va = 1e6
[[pod]]
name = "pod"
[[pod.rack]]
name = "r1"
fed_by = "tx"
nodes = { model = "nvidia-gb300-nvl72-compute-tray", count = 18 }
[twin]
load = LOAD
"""
DUTY: Final = (
    '{ kind = "training", iteration_s = PERIOD, iteration_jitter_frac = 0.0, compute_frac = 0.5, '
    "compute_level = 1.0, comm_level = 0.0, bubbles = 0, checkpoint_iterations = 0, "
    "start_ramp_s = 0.0, noise_frac = 0.0 }"
)


def rack_of(load: str, dt_ms: int = 20) -> Compute:
    """A rack of GB300 trays under a load."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.toml"
        path.write_text(RACK.replace("LOAD", load))
        return Compute(load_site(path), dt_ms=dt_ms)


def one_accelerator(result: Result, shared: Path | None) -> None:
    """V26: a B300 under caps and in duty cycles of half on, half off."""
    if shared is None:
        result.skipped.append("V26 one accelerator: no shared data")
        return
    with (shared / "data/gpu/b300_power_runs.csv").open(newline="") as file:
        runs = {row["run"]: float(row["avg_w"]) for row in csv.DictReader(file)}
    worst = 0.0
    full = rack_of('{ kind = "constant", level = 1.0, noise_frac = 0.0 }')
    for cap_w in (450.0, 550.0, 700.0, 900.0):
        low_w, high_w = full.caps.min_w, full.caps.max_w
        share = (cap_w - 200.0) / (1400.0 - 200.0)
        full.write_caps(np.arange(18), low_w + share * (high_w - low_w))
        run(full, 4.0, block=50)
        twin_w = float(full.slots.power_w[0, :72].mean())
        worst = max(worst, abs(twin_w / runs[f"cap-{cap_w:.0f}w"] - 1.0))
    what = "power under caps of 450..900 W, largest deviation"
    result.within("V26", what, 100 * worst, -np.inf, 2.0, "%", B300, VALIDATION)
    cycles: tuple[tuple[str, float, Kind], ...] = (
        ("100 ms", 0.2, CALIBRATION),  # the time constant of falling power is from here
        ("500 ms", 1.0, VALIDATION),
        ("2 s", 4.0, VALIDATION),
    )
    for name, period_s, kind in cycles:
        measured = (runs[f"duty-{name.replace(' ', '')}"] - IDLE_W) / (VIRUS_W - IDLE_W)
        what = f"mean power, {name} on and {name} off, between rest and full"
        result.near("V26", what, duty_share(period_s), measured, 0.05, "", B300, kind)


def duty_share(period_s: float) -> float:
    """Mean power of an accelerator that works half of the time, 0 at rest, 1 at work."""
    compute = rack_of(DUTY.replace("PERIOD", str(period_s)), dt_ms=5)
    run(compute, 2 * period_s, block=20)
    start_j, seconds = float(compute.slots.energy_j[0, 0]), 10 * period_s
    run(compute, math.ceil(seconds), block=20)
    mean_w = (float(compute.slots.energy_j[0, 0]) - start_j) / math.ceil(seconds)
    idle_w, span_w = float(compute.layout.idle_w[0, 0]), float(compute.layout.span_w[0, 0])
    return (mean_w - idle_w) / span_w
