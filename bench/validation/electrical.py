"""Power chain, transformer, breaker, battery and its ramp filter: V1, V2, V7 to V10, V14."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from mallee.catalogue import load_site
from mallee.core.arrays import FloatArray
from mallee.site.model import SiteModel
from mallee.site.simulated import Load, Twin
from mallee.twin.clock import STEP_S, Clock
from mallee.twin.parts.battery import ageing, layout
from mallee.twin.parts.battery.batteries import Batteries
from mallee.twin.parts.battery.cells import store
from mallee.twin.parts.battery.inverter import make_path, residual_frac, respond
from mallee.twin.parts.charging.evses import taper_frac
from mallee.twin.parts.power import layout as power
from mallee.twin.parts.power.breakers import set_breaker, trip_step, trip_time_s
from mallee.twin.parts.power.transformer import ageing_rate, step_thermal
from mallee.twin.site_twin import SiteTwin
from validation.case import CALIBRATION, VALIDATION, Curve, Picture, Result

DEMO: Final = Path(__file__).parents[2] / "examples/sites/charging-site.toml"
RAPS: Final = "ExaDigiT/RAPS, config/frontier.yaml; arithmetic of its constants, no product code"
IEC: Final = "loads of the IEC 60076-7 example, solved here in closed form"
PATHS: Final = {
    "local": (0.002, 0.005),
    "PLC": (0.010, 0.020),
    "site": (0.050, 0.030),
    "poll": (0.100, 0.050),
}
RESIDUALS_PCT: Final = {
    "local": (0, 1, 2, 4, 9, 13),
    "PLC": (2, 4, 9, 19, 37, 53),
    "site": (5, 10, 25, 49, 92, 125),
    "poll": (9, 19, 46, 88, 146, 168),
}
FREQUENCIES_HZ: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0)


def frontier(result: Result) -> None:
    """V1, V2: node constants of Frontier through its conversion chain, summed over 74 racks."""
    sums, chain = {}, 0.0
    for name, cpu_w, gpu_w in (("idle", 90.0, 88.0), ("peak", 280.0, 560.0)):
        node_w = cpu_w + 4 * gpu_w + 74.26 + 4 * 20.0 + 30.0
        converted_w = (node_w + 13.0) / 0.98
        blade_w = (4 * converted_w + 17.0) / 0.96
        rack_w = 32 * blade_w + 32 * 250.0 / 0.96
        sums[name] = 74 * rack_w + 25 * 8473.47
        chain = (node_w / converted_w) * (4 * converted_w / blade_w)
    result.near("V1", "Frontier idle", sums["idle"] / 1e3, 7306.5, 0.1, "kW", RAPS)
    result.near("V1", "Frontier peak", sums["peak"] / 1e3, 28227.9, 0.1, "kW", RAPS)
    result.near("V2", "Frontier conversion at peak", chain, 0.935, 0.001, "", RAPS)


def residuals(result: Result) -> None:
    """V7: what is left of a swing after cancellation through each command path."""
    worst, curves = 0.0, []
    for name, (delay_s, tau_s) in PATHS.items():
        left = np.array([measured_residual(delay_s, tau_s, f_hz) for f_hz in FREQUENCIES_HZ])
        worst = max(worst, float(np.abs(left * 100 - np.array(RESIDUALS_PCT[name])).max()))
        fine_hz = np.geomspace(0.05, 5.0, 200)
        curves.append(Curve(name=name, x=fine_hz, y=100 * residual_frac(delay_s, tau_s, fine_hz)))
        curves.append(Curve(name="", x=np.array(FREQUENCIES_HZ), y=100 * left, has_marks=True))
    result.within(
        "V7", "residual of 4 paths at 0.1..3 Hz, largest deviation", worst, -np.inf, 2.0,
        "points", "|1 - e^(-jwd) / (1 + jwt)|, analytic",
    )  # fmt: skip
    result.pictures.append(
        Picture(
            name="v7-residual",
            title="Residual of a swing after cancellation",
            x_label="frequency in Hz; lines analytic, marks from the twin",
            y_label="left of the swing in %",
            curves=tuple(curves),
            has_log_x=True,
        )
    )


def measured_residual(delay_s: float, tau_s: float, frequency_hz: float) -> float:
    """Amplitude left when a sine is cancelled through a path, by Fourier sum over its end."""
    state, path = np.zeros(1, layout.STATE)[0], make_path(delay_s, tau_s)
    count = round(20 / frequency_hz / STEP_S)
    time_s = (np.arange(count) + 0.5) * STEP_S
    swing_w = np.sin(2 * np.pi * frequency_hz * time_s)
    answer_w = np.array([respond(state, path, -value, STEP_S) for value in swing_w])
    half = count // 2
    wave = np.exp(-2j * np.pi * frequency_hz * time_s[half:])
    left, before = ((swing_w + answer_w)[half:] * wave).mean(), (swing_w[half:] * wave).mean()
    return float(abs(left) / abs(before))


def transformer(result: Result) -> None:
    """V8: the 250 MVA example with its six load steps."""
    unit, state = np.zeros(1, power.THERMAL)[0], np.zeros(1, power.THERMAL_STATE)[0]
    unit["oil_rise_k"], unit["hot_spot_rise_k"], unit["loss_ratio"] = 38.3, 20.3, 1000.0
    unit["oil_exponent"], unit["winding_exponent"] = 0.8, 1.3
    unit["k11"], unit["k21"], unit["k22"] = 0.5, 2.27, 2.0
    unit["oil_tau_s"], unit["winding_tau_s"] = 9000.0, 420.0
    state["oil_k"] = 12.7
    loads = ((1.0, 190), (0.6, 365), (1.5, 500), (0.3, 705), (2.1, 730), (0.0, 745))
    oil_degc = (61.9, 44.4, 89.8, 35.0, 67.9, 60.3)
    hot_degc = (84.2, 53.8, 129.1, 37.1, 145.6, 75.2)
    seen, worst_oil, worst_hot = [], 0.0, 0.0
    minute = 0
    for (load_pu, until), oil, hot in zip(loads, oil_degc, hot_degc, strict=True):
        while minute < until:
            step_thermal(unit, state, load_pu**2, 25.6, 60.0)
            minute += 1
            seen.append((minute, 25.6 + float(state["oil_k"]), float(state["hot_spot_degc"])))
        worst_oil = max(worst_oil, abs(seen[-1][1] - oil))
        worst_hot = max(worst_hot, abs(seen[-1][2] - hot))
    what = "250 MVA example, largest error of"
    result.within("V8", f"{what} top oil", worst_oil, -np.inf, 0.1, "K", IEC)
    result.within("V8", f"{what} hot spot", worst_hot, -np.inf, 0.1, "K", IEC)
    times, oil_line, hot_line = (np.array(column, np.float64) for column in zip(*seen, strict=True))
    ends = np.array([float(until) for _, until in loads])
    result.pictures.append(
        Picture(
            name="v8-transformer",
            title="Transformer of the IEC 60076-7 example",
            x_label="minutes; marks are the closed solution",
            y_label="°C",
            curves=(
                Curve(name="top oil", x=times, y=oil_line),
                Curve(name="hot spot", x=times, y=hot_line),
                Curve(name="", x=ends, y=np.array(oil_degc), has_marks=True),
                Curve(name="", x=ends, y=np.array(hot_degc), has_marks=True),
            ),
        )
    )
    c57 = "IEEE C57.91, F_AA"
    for degc, expected in ((98.0, 0.28), (110.0, 1.0), (120.0, 2.71), (130.0, 6.98), (140.0, 17.2)):
        tolerance = 0.005 if expected < 10.0 else 0.05
        result.near("V9", f"ageing at {degc:g} °C", ageing_rate(degc), expected, tolerance, "", c57)


def breaker(result: Result) -> None:
    """V10: trip times against the maker's bands, by running the breaker."""
    ratios = (6.0, 4.0, 3.0, 2.0, 1.5, 1.35)
    times = []
    for ratio in ratios:
        unit, state = np.zeros(1, power.BRANCH)[0], np.zeros(1, power.BRANCH_STATE)[0]
        set_breaker(unit, power.ELECTRONIC, STEP_S)
        steps = 1
        while not trip_step(unit, state, ratio, STEP_S):
            steps += 1
        times.append(steps * STEP_S)
    source = "Schneider bulletin S1A1576900, band of tr 16 s; one time constant fits all"
    result.near("V10", "breaker at 6 Ir", times[0], 16.0, 2 * STEP_S, "s", "its setting")
    for at, low_s, high_s in ((3, 133.0, 175.0), (4, 277.0, 400.0), (5, 382.0, 612.0)):
        what = f"breaker at {ratios[at]:g} Ir"
        result.within("V10", what, times[at], low_s, high_s, "s", source, CALIBRATION)
    unit = np.zeros(1, power.BRANCH)[0]
    set_breaker(unit, power.ELECTRONIC, STEP_S)
    slow = np.zeros(1, power.BRANCH)[0]
    set_breaker(slow, power.THERMAL_MAGNETIC, STEP_S)
    fine = np.geomspace(1.2, 20.0, 400)
    result.pictures.append(
        Picture(
            name="v10-breaker",
            title="Trip times",
            x_label="current over rating; marks from running the breaker",
            y_label="seconds to trip",
            curves=(
                Curve(name="electronic", x=fine, y=_times(unit, fine)),
                Curve(name="thermal-magnetic", x=fine, y=_times(slow, fine)),
                Curve(name="", x=np.array(ratios), y=np.array(times), has_marks=True),
            ),
            has_log_x=True,
            has_log_y=True,
        )
    )


def charging_time(result: Result) -> None:
    """V21: a car of 82 kWh and 250 kW from 10 to 80 %; the taper was calibrated to this figure."""
    soc, minutes = 0.1, 0.0
    while soc < 0.8:
        soc += 250e3 * taper_frac(soc) / 60.0 / 82e3 / 60.0
        minutes += 1.0 / 60.0
    source = "makers' figures of 25..27 min"
    result.near("V21", "car from 10 to 80 %", minutes, 25.0, 2.0, "min", source, CALIBRATION)


def _times(unit: np.void, ratios: FloatArray) -> FloatArray:
    return np.array([max(0.02, min(1e4, trip_time_s(unit, float(r)))) for r in ratios])


def battery(result: Result) -> None:
    """V14: round trip at rating, and fade."""
    units = Batteries(load_site(DEMO), 1, 0.5, Clock())
    unit, state = units.units[0], units.state[0]
    rated_w, into_wh, out_wh = float(unit["charge_max_w"]), 0.0, 0.0
    for _ in range(1_000):
        store(unit, state, rated_w, 1.0)
        into_wh += rated_w / 3600.0
    half_wh = float(state["auxiliary_wh"])
    while state["stored_wh"] > 0.0:
        store(unit, state, -rated_w, 1.0)
        out_wh += rated_w / 3600.0
    other_wh = float(state["auxiliary_wh"]) - half_wh
    source = "Megapack 2 XL (2 h) and Megapack 3 published efficiencies"
    result.near(
        "V14", "round trip at rating", out_wh / into_wh, 0.92, 0.01, "", source, CALIBRATION
    )
    net = (out_wh - other_wh) / (into_wh + half_wh)
    result.near("V14", "round trip with auxiliaries", net, 0.91, 0.01, "", source, VALIDATION)
    blast = "NREL BLAST-Lite, lfp_gr_250AhPrismatic_2019"
    calendar, cycle = ageing.calendar_rate(0.5, 25.0), ageing.cycle_rate(0.8, 0.25, 25.0)
    year = ageing.grow(0.0, calendar, ageing.CALENDAR_POWER, 365.0)
    cycled = ageing.grow(0.0, cycle, ageing.CYCLE_POWER, 10_000.0)
    result.near("V14", "first year at rest, 25 °C", 100 * year, 1.1, 0.1, "%", blast)
    result.near("V14", "10,000 cycles at 0.25 C", 100 * cycled, 31.0, 5.0, "%", blast)
    cycles = np.linspace(0.0, 10_000.0, 101)
    curves = tuple(
        Curve(
            name=f"{degc:g} °C",
            x=cycles,
            y=100 * ageing.cycle_rate(0.8, 0.25, degc) * cycles**ageing.CYCLE_POWER,
        )
        for degc in (15.0, 25.0, 40.0)
    )
    result.pictures.append(
        Picture(
            name="v14-fade",
            title="Cycle fade of the LFP cells",
            x_label="equivalent full cycles at 0.25 C, 80 % deep",
            y_label="capacity lost in %",
            curves=curves,
        )
    )


def ramp_filter(result: Result, shared: Path | None) -> None:
    """Measured training runs behind the battery's own filter: the contract at the meter."""
    made = Load(checkpoint_iterations=60, checkpoint_s=25.0, stop_ramp_s=0.0)
    demand_w, second_w = behind_filter(made, 600)
    time_s = np.arange(len(second_w), dtype=np.float64)
    result.pictures.append(
        Picture(
            name="ramp-filter",
            title="A generated training job with checkpoints behind the ramp filter",
            x_label="seconds",
            y_label="kW, means of a second",
            curves=(
                Curve(name="load", x=time_s, y=demand_w / 1e3),
                Curve(name="meter", x=time_s, y=second_w / 1e3),
            ),
        )
    )
    if shared is None:
        result.skipped.append("ramp filter on measured training runs: no shared data")
        return
    worst_w, most_w = -math.inf, 0.0
    for name in ("ckpt100", "ckpt500", "ckpt1000"):
        trace = shared / f"data/power/h100x8_train_{name}_10hz.csv.gz"
        _, second_w = behind_filter(Load(kind="trace", trace=str(trace), scale_to_w=264e3), 690)
        for lag in range(1, 61):
            change_w = float(np.abs(second_w[lag:] - second_w[:-lag]).max())
            worst_w = max(worst_w, change_w - 1_000.0 * lag)
        most_w = max(most_w, float(second_w.max()))
    contract = "contract of the demo site: 1 kW/s, 2 % of 600 kW"
    what = "3 training runs at 264 kW: change beyond the ramp, 1..60 s"
    result.within("filter", what, worst_w / 1e3, -np.inf, 12.0, "kW", contract)
    result.within("filter", "highest import", most_w / 1e3, -np.inf, 600.0, "kW", contract)


def behind_filter(load: Load, seconds: int) -> tuple[FloatArray, FloatArray]:
    """Means of each second of the demo site's load, and of its meter.  # (seconds,) each"""
    twin = SiteTwin(_loaded(load_site(DEMO), load))
    demand_w, grid_w = np.empty(seconds), np.empty(seconds)
    for second in range(seconds):
        twin.advance(1_000)
        demand_w[second] = twin.truth.block_load_w.mean()
        grid_w[second] = twin.truth.block_grid_w.mean()
    return demand_w, grid_w


def _loaded(site: SiteModel, load: Load) -> SiteModel:
    settings = site.file.twin if site.file.twin is not None else Twin()
    twin = msgspec.structs.replace(settings, load=load, ev_sessions_per_day=0.0)
    file = msgspec.structs.replace(site.file, twin=twin)
    return replace(site, file=file)
