"""A site whose racks draw exactly what a test gives them; everything else is the real twin."""

import csv
import gzip
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel
from mallee.twin.clock import STEP_MS
from mallee.twin.part import Part
from mallee.twin.parts.compute.work import NO_WORK
from mallee.twin.site_twin import SiteTwin


class GivenLoad(Part):
    """Stands where the compute side stands: rack power from an array, repeated at its end."""

    def __init__(self, site: SiteModel, total_w: FloatArray) -> None:
        racks = len(site.racks.names)
        self.total_w, self._share = total_w, np.full(racks, 1.0 / racks)
        self.it_w: FloatArray = np.zeros(racks)
        self.heat_liquid_w: FloatArray = np.zeros(racks)
        self.heat_air_w: FloatArray = np.zeros(racks)
        self.throughput, self.work = 1.0, NO_WORK
        self.caps: dict[int, float] = {}
        self.voltage_pu: FloatArray = np.ones(racks)
        self.stored_j = np.zeros(racks)
        self.shelves = SimpleNamespace(
            input_j=np.zeros(racks), output_j=np.zeros(racks), loss_j=np.zeros(racks)
        )

    def advance(
        self,
        start_ms: int,
        steps: int,
        *,
        supply_degc: FloatArray,
        flow_frac: FloatArray,
        voltage_pu: FloatArray,
    ) -> FloatArray:
        del supply_degc, flow_frac
        self.voltage_pu = voltage_pu.copy()
        first = start_ms // STEP_MS
        at = np.minimum(np.arange(first, first + steps), len(self.total_w) - 1)
        power: FloatArray = self.total_w[at][:, None] * self._share
        self.it_w = power[-1]
        self.shelves.input_j += power.sum(axis=0) * STEP_MS / 1000.0
        self.shelves.output_j[:] = self.shelves.input_j
        self.heat_liquid_w, self.heat_air_w = 0.85 * power.mean(0), 0.15 * power.mean(0)
        return power

    def write_cap(self, node: int, cap_w: float) -> None:
        self.caps[node] = cap_w

    def save(self) -> dict[str, NDArray[Any]]:
        return {"it_w": self.it_w.copy(), "input_j": self.shelves.input_j.copy()}

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self.it_w = saved["it_w"].copy()
        self.shelves.input_j[:] = self.shelves.output_j[:] = saved["input_j"]


def changed(site: SiteModel, **tables: Any) -> SiteModel:
    """The same site with other entries in its file, such as ``twin={"soc_start": 0.1}``."""
    file: SiteFile = site.file
    for name, keys in tables.items():
        entry = msgspec.structs.replace(getattr(file, name), **keys)
        file = msgspec.structs.replace(file, **{name: entry})
    return replace(site, file=file)


def given_twin(site: SiteModel, total_w: FloatArray, seed: int = 1, **twin: Any) -> SiteTwin:
    """A twin without cars whose racks together draw `total_w`, one value a step of 20 ms."""
    twin.setdefault("ev_sessions_per_day", 0.0)
    built = SiteTwin(changed(site, twin=twin), seed=seed)
    built.parts["compute"] = GivenLoad(built.site, np.asarray(total_w, np.float64))
    built._settle(built.site.file.twin)  # type: ignore[arg-type]
    return built


def training_trace_w(shared: Path, name: str, peak_w: float) -> FloatArray:
    """A measured training run, held between its samples and scaled to a peak, every 20 ms."""
    path = shared / "data/power" / f"h100x8_train_{name}_10hz.csv.gz"
    with gzip.open(path, "rt", newline="") as file:
        rows = [(float(row["t_s"]), float(row["total_w"])) for row in csv.DictReader(file)]
    time_s, power_w = np.array(rows).T
    at_s = np.arange(0.0, time_s[-1], STEP_MS / 1000.0)
    held = power_w[np.searchsorted(time_s, at_s + 1e-9, "right") - 1]
    return np.asarray(held * peak_w / power_w.max())


def run(twin: SiteTwin, seconds: float, block_ms: int = 100) -> dict[str, FloatArray]:
    """Advance and collect: meter and load every 20 ms, state of charge every call."""
    grid, load, soc = [], [], []
    for _ in range(round(seconds * 1000 / block_ms)):
        twin.advance(block_ms)
        grid.append(twin.truth.block_grid_w.copy())
        load.append(twin.truth.block_load_w.copy())
        soc.append(twin.truth.soc)
    return {"grid_w": np.concatenate(grid), "load_w": np.concatenate(load), "soc": np.array(soc)}


def second_means_w(power_w: FloatArray) -> FloatArray:
    """Means of whole seconds of a 20 ms record."""
    per_second = 1000 // STEP_MS
    whole = len(power_w) // per_second * per_second
    return np.asarray(power_w[:whole].reshape(-1, per_second).mean(axis=1))


def ramp_excess_w(second_w: FloatArray, ramp_w_per_s: float, lags: int = 60) -> float:
    """Largest amount by which any change over 1..`lags` seconds exceeds the ramp."""
    worst = -np.inf
    for lag in range(1, min(lags, len(second_w) - 1) + 1):
        change = np.abs(second_w[lag:] - second_w[:-lag]).max()
        worst = max(worst, float(change) - ramp_w_per_s * lag)
    return worst
