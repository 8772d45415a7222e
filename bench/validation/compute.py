"""Racks: throughput under caps, spectra, storage, smoothing, demand response: V3 to V6, V16."""

import csv
import tempfile
from collections import defaultdict
from pathlib import Path

import msgspec
import numpy as np

from mallee.catalogue import load_models, load_site, load_site_file
from mallee.core.arrays import FloatArray
from mallee.site.build import build_site
from mallee.site.model import SiteModel
from mallee.site.simulated import Load, Smoothing, Twin
from mallee.twin.parts.compute import Compute
from mallee.twin.parts.compute.throughput import TABLES, pchip
from mallee.twin.parts.compute.workload.fit import compare, fit_training
from mallee.twin.parts.compute.workload.trace_file import read_trace
from validation.case import CALIBRATION, VALIDATION, Curve, Picture, Result
from validation.electrical import DEMO

STEP_S = 0.02
EMERALD = "arXiv 2507.00909, data of emerald-ai-demo-may-2025"
CLASSES = {"ft": "fine-tune", "infer": "inference", "pt": "pre-train"}


def site_of(load: Load, smoothing: Smoothing | None = None, storage_j: float = 0.0) -> SiteModel:
    """The demo's two racks with another load."""
    twin = Twin(load=load, smoothing=smoothing, shelf_storage_j=storage_j)
    return build_site(msgspec.structs.replace(load_site_file(DEMO), twin=twin), load_models())


def run(compute: Compute, seconds: float, block: int = 5, flow: float = 1.0) -> FloatArray:
    """AC power of all racks together in every sub-step."""
    racks = compute.layout.racks
    parts = []
    for _ in range(round(seconds * 1000 / compute.dt_ms / block)):
        power_w = compute.advance(
            compute.time_ms,
            block,
            supply_degc=np.full(racks, 30.0),
            flow_frac=np.full(racks, flow),
        )
        parts.append(power_w.sum(axis=1))
    return np.concatenate(parts)


def caps(result: Result, shared: Path | None) -> None:
    """V3: throughput under caps against the published sweep."""
    if shared is None:
        result.skipped.append("V3 throughput under caps: no shared data")
        return
    errors: dict[str, list[float]] = defaultdict(list)
    seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with (shared / "data/dr/emerald_dvfs_sweep_a100_256gpu.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            kind = CLASSES[row["Workload"].split("_")[0]]
            cap_frac, published = (
                float(row["GPU power cap"]) / 400.0,
                float(row["normalized throughput"]),
            )
            table = np.array(TABLES[kind]).T
            model = float(pchip(table[0], table[1], np.array([cap_frac]))[0])
            errors[kind].append(abs(model - published))
            seen[kind].append((cap_frac, published))
    curves = []
    for kind, found in errors.items():
        mean = float(np.mean(found))
        result.within(
            "V3", f"mean error of throughput, {kind}", mean, -np.inf, 0.04, "", EMERALD, CALIBRATION
        )
        table = np.array(TABLES[kind]).T
        fine = np.linspace(0.25, 1.0, 100, dtype=np.float64)
        curves.append(Curve(name=kind, x=fine, y=pchip(table[0], table[1], fine)))
    for points in seen.values():
        x, y = np.array(points).T
        curves.append(Curve(name="", x=x, y=y, has_marks=True))
    zeus = np.array(TABLES["training"]).T
    at_half = float(pchip(zeus[0], zeus[1], np.array([0.5]))[0])
    result.within(
        "V3", "training at half power (power bound)", at_half, 0.59, 0.74, "",
        "Zeus traces, V100, A40, RTX 6000", CALIBRATION,
    )  # fmt: skip
    result.pictures.append(
        Picture(
            name="v3-throughput",
            title="Throughput under a power cap",
            x_label="cap over nameplate; marks are the published sweep",
            y_label="relative throughput",
            curves=tuple(curves),
        )
    )


def spectrum(result: Result) -> None:
    """V4: where a synchronous job swings."""
    power_w = run(Compute(site_of(Load(checkpoint_iterations=0))), 260.0, block=50)[500:]
    swing_w = power_w - power_w.mean()
    energy = np.abs(np.fft.rfft(swing_w * np.hanning(len(swing_w)))) ** 2
    frequency_hz = np.asarray(np.fft.rfftfreq(len(swing_w), STEP_S), np.float64)
    band = (frequency_hz >= 0.2) & (frequency_hz <= 3.0)
    share = float(energy[band].sum() / energy[1:].sum())
    what = "swing energy of a synchronous job in 0.2..3 Hz"
    result.within("V4", what, 100 * share, 80.0, np.inf, "%", "arXiv 2508.14318", VALIDATION)
    inside = (frequency_hz > 0.05) & (frequency_hz < 10.0)
    result.pictures.append(
        Picture(
            name="v4-spectrum",
            title="Spectrum of a synchronous job",
            x_label="Hz",
            y_label="energy, relative",
            curves=(
                Curve(
                    name="two racks",
                    x=frequency_hz[inside],
                    y=np.maximum(energy[inside] / energy[1:].max(), 1e-7),
                ),
            ),
            has_log_x=True,
            has_log_y=True,
        )
    )


def storage(result: Result) -> None:
    """V5: 65 J for each accelerator in the shelves."""
    source = "own integration of the published 65 J class; NVIDIA blog on GB300"
    for iteration_s, low, high in ((0.5, 0.0, 0.15), (2.0, 0.65, 1.0)):
        load = Load(
            iteration_s=iteration_s, iteration_jitter_frac=0.0, compute_frac=0.8,
            compute_level=0.95, comm_level=0.372, bubbles=0, checkpoint_iterations=0,
            start_ramp_s=0.0, noise_frac=0.0,
        )  # fmt: skip
        plain, even = Compute(site_of(load)), Compute(site_of(load, storage_j=65.0))
        left = run(even, 60.0)[2_000:].std() / run(plain, 60.0)[2_000:].std()
        what = f"swing left by 65 J a GPU, {iteration_s:g} s iterations"
        result.within("V5", what, float(left), low, high, "", source)


def smoothing(result: Result) -> None:
    """V6: floor, ramps and hysteresis of the accelerators' smoothing."""
    burst = Load(
        iteration_s=3.0, iteration_jitter_frac=0.0, compute_frac=0.5, compute_level=1.0,
        comm_level=0.0, bubbles=0, checkpoint_iterations=0, start_ramp_s=0.0, noise_frac=0.0,
    )  # fmt: skip
    rule = Smoothing(floor_frac=0.5, ramp_up_w_per_s=2e3, ramp_down_w_per_s=1e3, hysteresis_s=2.0)
    compute, power = Compute(site_of(burst, smoothing=rule)), []
    for _ in range(450):
        run(compute, STEP_S, block=1)
        power.append(float(compute.slots.power_w[0, 0]))
    power_w = np.array(power)
    slope = np.diff(power_w) / STEP_S
    nvml = "NVML documentation, power smoothing"
    result.near("V6", "steepest rise of a GPU", slope.max(), 2_000.0, 1.0, "W/s", nvml)
    result.near("V6", "steepest fall of a GPU", -slope.min(), 1_000.0, 1.0, "W/s", nvml)
    result.near("V6", "floor of 50 % of 1,200 W", power_w[150:].min(), 600.0, 1.0, "W", nvml)
    result.pictures.append(
        Picture(
            name="v6-smoothing",
            title="One accelerator with power smoothing",
            x_label="seconds",
            y_label="W",
            curves=(
                Curve(
                    name="power",
                    x=np.asarray(STEP_S * np.arange(len(power_w)), np.float64),
                    y=power_w,
                ),
            ),
        )
    )


def traces(result: Result, shared: Path | None) -> None:
    """Measured runs replayed, and the generator fitted to them."""
    if shared is None:
        result.skipped.append("measured traces: no shared data")
        return
    for name in ("ckpt100", "ckpt500", "ckpt1000"):
        path = shared / f"data/power/h100x8_train_{name}_10hz.csv.gz"
        trace = read_trace(path)
        compute = Compute(site_of(Load(kind="trace", trace=str(path), scale_to_w=264e3)))
        it_w = []
        for _ in range(600):
            run(compute, 1.0, block=50)
            it_w.append(compute.block_it_w.sum(axis=1))
        time_s = STEP_S * (np.arange(600 * 50) + 0.5)
        wanted_w = np.interp(time_s, trace.time_s, trace.total_w) * 264e3 / trace.total_w.max()
        error = float(np.concatenate(it_w).sum() / wanted_w.sum() - 1.0)
        source = "training_profile, 8 x H100"
        result.near("traces", f"{name}: energy of the replay", 100 * error, 0.0, 2.0, "%", source)
        quality = compare(trace, fit_training(trace), 1)
        apart = 100 * (quality.share_fitted - quality.share)
        what = f"{name}: share of 0.1..5 Hz, fitted generator"
        result.near("traces", what, apart, 0.0, 10.0, "points", source, CALIBRATION)


def demand_response(result: Result, shared: Path | None) -> None:
    """V16: 256 accelerators asked for less power for hours, with quality of service.

    32 nodes run the published mix; their caps follow the published power minute by minute, no
    faster down than it did. Compared are the shape that results and the work that is left.
    """
    if shared is None:
        result.skipped.append("V16 demand response: no shared data")
        return
    with (shared / "data/dr/emerald_srp_total_power_1min.csv").open(newline="") as file:
        total_w = np.array([float(row["total_w"]) for row in csv.DictReader(file)])
    with (shared / "data/dr/emerald_srp_job_performance.csv").open(newline="") as file:
        performance = np.array([float(row["Performance"]) for row in csv.DictReader(file)])
    published = total_w / np.median(total_w[:30])
    usual = np.array([np.median(published[max(0, k - 7) : k + 8]) for k in range(len(published))])
    event = np.flatnonzero(usual < 0.8)
    first, last = int(event[0]), int(event[-1])
    asked = float(np.median(published[first:last]))
    result.within("V16", "published event: power left", asked, 0.6, 0.75, "", EMERALD, CALIBRATION)
    hours = (last - first) / 60.0
    result.within("V16", "published event: length", hours, 3.0, 4.0, "h", EMERALD, CALIBRATION)
    wanted = np.ones(len(published))
    wanted[first - 7 :] = np.maximum(asked, 1.0 - 0.31 / 15.0 * np.arange(len(wanted) - first + 7))
    wanted[last + 1 :] = float(np.median(published[-60:]))
    power, work = follow(wanted)
    apart = float(np.sqrt(((power - usual) ** 2).mean()))
    result.within("V16", "shape over 400 min, rms difference", apart, -np.inf, 0.05, "", EMERALD)
    left = float(work[first + 15 : last].mean())
    mean = float(performance.mean())
    result.near("V16", "mean work left in the event", left, mean, 0.05, "", EMERALD, VALIDATION)
    time_h = np.asarray(np.arange(len(published)) / 60.0, np.float64)
    result.pictures.append(
        Picture(
            name="v16-demand-response",
            title="256 accelerators give up power for three hours",
            x_label="hours",
            y_label="power over baseline",
            curves=(
                Curve(name="published", x=time_h, y=published),
                Curve(name="twin", x=time_h, y=power),
                Curve(name="twin: work", x=time_h, y=work),
            ),
        )
    )


MIX = """
name = "dr"
[grid]
contracted_w = 1e6
import_max_w = 1e6
ramp_up_max_w_per_s = 1e6
ramp_down_max_w_per_s = 1e6
meter = { name = "meter", model = "grid-meter-sunspec" }
[[transformer]]
name = "tx"
rating_va = 1e6
[[pod]]
name = "pod"
[[pod.rack]]
name = "r{1..8}"
fed_by = "tx"
nodes = { model = "nvidia-hgx-h100-node", count = 4 }
[twin]
load = { kind = "constant", level = 0.9, throughput_class = "inference" }
[[twin.jobs]]
name = "tune"
on = ["pod/r{1..2}"]
load = { kind = "constant", level = 0.9, throughput_class = "fine-tune" }
[[twin.jobs]]
name = "train"
on = ["pod/r{3..4}"]
load = { kind = "constant", level = 0.9, throughput_class = "pre-train" }
"""


def follow(wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Power and work, both over baseline, of 256 accelerators whose caps follow a wish.

    Args:
        wanted: power over baseline, minute by minute.  # (minutes,)
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dr.toml"
        path.write_text(MIX)
        compute = Compute(load_site(path), dt_ms=1_000)
    nodes = np.arange(32)
    gpus = compute.layout.gpu_slots
    columns = np.arange(compute.slots.power_w.shape[1])[None, :] < gpus[:, None]

    def gpu_power_w() -> float:
        return float(compute.slots.power_w[columns].sum(dtype=np.float64))

    run(compute, 120.0, block=60)
    before_w, cap_w = gpu_power_w(), 10_200.0
    power, work = np.empty(len(wanted)), np.empty(len(wanted))
    for minute, goal in enumerate(wanted):
        miss_w = goal * before_w - gpu_power_w()
        cap_w = float(np.clip(cap_w + 0.8 * miss_w / len(nodes), 6_200.0, 10_200.0))
        compute.write_caps(nodes, np.full(len(nodes), cap_w))
        run(compute, 60.0, block=60)
        power[minute], work[minute] = gpu_power_w() / before_w, compute.throughput
    return power, work
