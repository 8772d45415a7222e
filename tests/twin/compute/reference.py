"""Runs a varied small case and prints a digest; run compiled and with NUMBA_DISABLE_JIT=1."""

import hashlib
import sys
from pathlib import Path

import msgspec
import numpy as np

from mallee.catalogue import load_models, load_site_file
from mallee.site.build import build_site
from mallee.site.simulated import Job, Load, Smoothing, Twin
from mallee.twin.parts.compute import Compute


def main(root: Path) -> None:
    """Two racks: a smoothed gang under caps beside inference and a constant load."""
    jobs = [
        Job(name="gang", on=["pod1/r1"], load=Load(iteration_s=0.7, checkpoint_iterations=3)),
        Job(name="serve", on=["pod1/r2/n0{1..4}"], load=Load(kind="inference", level=0.5)),
        Job(name="hpl", on=["pod1/r2/n05"], load=Load(kind="hpl", iteration_s=0.5)),
    ]
    file = load_site_file(root / "examples/sites/charging-site.toml")
    twin = Twin(
        load=Load(kind="constant", level=0.6),
        jobs=jobs,
        smoothing=Smoothing(hysteresis_s=0.3, target_window=3.0),
        shelf_storage_j=65.0,
    )
    site = build_site(msgspec.structs.replace(file, twin=twin), load_models())
    compute = Compute(site, seed=11)
    supply, flow = np.array([30.0, 60.0]), np.array([1.0, 0.3])
    digest = hashlib.sha256()
    for block in range(25):
        if block == 6:
            compute.write_caps(np.arange(9), np.full(9, 3500.0))
        voltage = np.array([0.0, 1.0]) if block in (20, 21) else 1.0
        input_w = compute.advance(
            compute.time_ms, 5, supply_degc=supply, flow_frac=flow, voltage_pu=voltage
        )
        digest.update(input_w.tobytes())
    values = np.full(site.point_count, np.nan)
    compute.show(values)
    digest.update(values.tobytes())
    for _, array in sorted(compute.save().items()):
        digest.update(np.ascontiguousarray(array).tobytes())
    print(digest.hexdigest())  # noqa: T201 - the caller compares it


if __name__ == "__main__":
    main(Path(sys.argv[1]))
