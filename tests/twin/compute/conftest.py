"""Small sites and an easy way to run their racks."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mallee.catalogue import load_models, load_site_file
from mallee.core.arrays import FloatArray
from mallee.site.build import build_site
from mallee.site.model import SiteModel
from mallee.site.simulated import Job, Load, Smoothing, Twin
from mallee.twin.parts.compute import Compute

EXAMPLE = Path(__file__).parents[3] / "examples/sites/charging-site.toml"
MakeSite = Callable[..., SiteModel]
Run = Callable[..., FloatArray]


@pytest.fixture(scope="session")
def make_site() -> MakeSite:
    """The two-rack example with another load."""
    file = load_site_file(EXAMPLE)

    def make(
        load: Load,
        jobs: list[Job] | None = None,
        smoothing: Smoothing | None = None,
        shelf_storage_j: float = 0.0,
    ) -> SiteModel:
        twin = Twin(
            load=load, jobs=jobs or [], smoothing=smoothing, shelf_storage_j=shelf_storage_j
        )
        return build_site(msgspec.structs.replace(file, twin=twin), load_models())

    return make


@pytest.fixture(scope="session")
def run() -> Run:
    """Advance racks and return the DC power of each in every sub-step.  # (steps, racks)"""

    def advance(
        compute: Compute, duration_s: float, block: int = 5, supply_degc: float = 30.0
    ) -> FloatArray:
        racks = compute.layout.racks
        supply, flow = np.full(racks, supply_degc), np.ones(racks)
        parts = []
        for _ in range(round(duration_s * 1000 / compute.dt_ms / block)):
            compute.advance(compute.time_ms, block, supply_degc=supply, flow_frac=flow)
            parts.append(compute.block_it_w.copy())
        return np.concatenate(parts)

    return advance
