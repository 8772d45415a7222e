"""The whole twin compiled and as plain Python: the same bits in every array."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import hashlib, sys
from pathlib import Path
import numpy as np
from mallee.catalogue import load_site
from mallee.twin import electrical
from mallee.twin.parts.battery.layout import GRID_FORMING
from mallee.twin.site_twin import SiteTwin
twin = SiteTwin(load_site(Path(sys.argv[1])))
twin.grid.add_sag("deep", 700)
twin.grid.add_outage(1_400, 1_600)
twin.batteries.state["mode"] = GRID_FORMING
twin.advance(2_000)
saved, content = twin.save(), hashlib.sha256()
for name in sorted(saved):
    content.update(name.encode() + np.ascontiguousarray(saved[name]).tobytes())
print(content.hexdigest(), type(electrical.step_site).__name__)
"""


def outcome(root: Path, **environment: str) -> list[str]:
    """Digest of a short run with a sag and an island, and what the kernels are."""
    site = root / "examples/sites/charging-site.toml"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(site)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
def test_compiled_and_reference_runs_of_the_whole_site_agree(root: Path) -> None:
    compiled, plain = outcome(root), outcome(root, NUMBA_DISABLE_JIT="1")
    assert plain[1] == "function"
    assert compiled[1] != "function"
    assert compiled[0] == plain[0]
