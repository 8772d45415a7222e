"""Compiled kernels and the same source as plain Python give the same bits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import hashlib, sys
from pathlib import Path
import numpy as np
from mallee.catalogue.read import load_site
from mallee.twin.parts.cooling import Cooling
from mallee.twin.sensors import Sensors

site = load_site(Path(sys.argv[1]))
cooling, sensors = Cooling(site, 30.0), Sensors(site, 1, ("meter",))
true, reported = np.full(site.point_count, 500.0), np.full(site.point_count, np.nan)
digest = hashlib.sha256()
for second in range(16):
    if second == 5:
        cooling.faults.pump_ok[0, 0] = False
        cooling.faults.rack_leak_kgps[0] = 0.1
        cooling.faults.facility_flow_frac = 0.3
    share = 0.5 + 0.5 * np.sin(second / 3)
    design = cooling.design
    cooling.advance(1.0, design.rack_liquid_max_w * share, design.rack_air_max_w * share)
    cooling.show(true)
    sensors.update(1000 * second, true, reported)
    digest.update(true.tobytes() + reported.tobytes() + cooling.supply_degc.tobytes())
    digest.update(np.float64(cooling.plant_power_w).tobytes())
print(digest.hexdigest())
"""


def digest(site: Path, disable_jit: str) -> str:
    settings = os.environ | {"NUMBA_DISABLE_JIT": disable_jit}
    command = [sys.executable, "-W", "error", "-c", RUN, str(site)]
    return subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_reference_and_compiled_agree_bit_by_bit(root: Path) -> None:
    site = root / "examples/sites/charging-site.toml"
    assert digest(site, "0") == digest(site, "1")
