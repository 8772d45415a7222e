"""The figures of a run, by stable names. One source for command line, report and campaign."""

import math

import numpy as np

from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds.battery import BATTERY
from mallee.simulation.contracts import feed_records
from mallee.simulation.run import Simulation
from mallee.site.compliance import ramp_tolerance_w
from mallee.twin.parts.compute.work import CAUSES

Figures = dict[str, float | int | str]


def figures_of(run: Simulation) -> Figures:
    """All figures; what a site cannot have (a charge without a battery) is NaN.

    Powers are 1 s means at the meter unless the name says 20ms; energies are what truly flowed.
    """
    return {
        "duration_s": run.series["grid_w"].size,
        **_contract(run),
        **_battery(run),
        **_work(run),
        **_energies(run),
        "gpu_max_degc": _top(run, "gpu_max_degc"),
        "events": len(run.events),
        "realtime_ratio": run.series["grid_w"].size / run.wall_s,
        "output_sha256": run.sha256,
    }


def _contract(run: Simulation) -> Figures:
    """What the meters saw, and how often a feed's contract was broken, in seconds."""
    grid_w, fast_w = run.series["grid_w"], run.grid_20ms_w
    kept = [record.compliance for record in feed_records(run)]
    over_limit = np.any([one.over_import | one.over_export for one in kept], axis=0)
    return {
        "grid_max_w": float(grid_w.max()),
        "grid_min_w": float(grid_w.min()),
        "grid_max_20ms_w": float(fast_w.max()),
        "grid_min_20ms_w": float(fast_w.min()),
        "change_1s_max_w": max(one.change_1s_max_w for one in kept),
        "change_60s_max_w": max(one.change_60s_max_w for one in kept),
        "limit_violations": int(over_limit.sum()),
        "ramp_violations": int(np.any([one.over_ramp for one in kept], axis=0).sum()),
        "ramp_violations_strict": int(np.any([one.over_ramp_strict for one in kept], axis=0).sum()),
        "ramp_tolerance_w": ramp_tolerance_w(run.site.grid),
        "ramp_excess_max_w": max(float(one.ramp_excess_w.max()) for one in kept),
    }


def _battery(run: Simulation) -> Figures:
    soc, power_w = run.series["soc"], run.series["battery_charge_w"]
    control = run.site.file.control
    capacity_wh = sum(
        group.count * group.model.parameter("energy_wh") for group in run.site.groups_of(BATTERY)
    )
    if capacity_wh <= 0.0:
        names = ("soc_min", "soc_max", "soc_end", "soc_outside_s")
        none = dict.fromkeys(names, math.nan)
        return {"battery_energy_used_wh": 0.0, "battery_power_max_w": 0.0, **none}
    outside = (soc < control.soc_min) | (soc > control.soc_max)
    return {
        "battery_energy_used_wh": float(np.ptp(soc)) * capacity_wh,
        "battery_power_max_w": float(np.abs(power_w).max()),
        "battery_charged_wh": float(power_w.clip(min=0.0).sum()) / SECONDS_PER_HOUR,
        "battery_discharged_wh": float((-power_w).clip(min=0.0).sum()) / SECONDS_PER_HOUR,
        "soc_min": float(soc.min()),
        "soc_max": float(soc.max()),
        "soc_end": float(soc[-1]),
        "soc_outside_s": int(outside.sum()),
    }


def _work(run: Simulation) -> Figures:
    """Share of the offered work that was lost, in all and by cause."""
    work = run.record.work
    offered_s = max(work.done_s + sum(work.lost_s), 1e-9)
    shares = {cause: s / offered_s for cause, s in zip(CAUSES, work.lost_s, strict=True)}
    return {
        "throughput_lost": work.lost_frac,
        **{f"throughput_lost_{cause}": share for cause, share in shares.items()},
        "racks_dark": len(run.record.dark_racks),
    }


def _energies(run: Simulation) -> Figures:
    """Energies in Wh; PUE is what the pods took, cooling included, over what their IT took."""
    wh = {name: float(run.series[name].sum()) / SECONDS_PER_HOUR for name in _ENERGY_COLUMNS}
    grid_w = run.series["grid_w"]
    it_wh = wh["it_w"]
    return {
        "import_wh": float(grid_w.clip(min=0.0).sum()) / SECONDS_PER_HOUR,
        "export_wh": float((-grid_w).clip(min=0.0).sum()) / SECONDS_PER_HOUR,
        "pods_wh": wh["pods_w"],
        "it_wh": it_wh,
        "chargers_wh": wh["chargers_w"],
        "losses_wh": wh["losses_w"],
        "pue": wh["pods_w"] / it_wh if it_wh > 0.0 else math.nan,
    }


_ENERGY_COLUMNS = ("pods_w", "it_w", "chargers_w", "losses_w")


def _top(run: Simulation, column: str) -> float:
    values = run.series[column]
    return float(np.nanmax(values)) if np.isfinite(values).any() else math.nan
