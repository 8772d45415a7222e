"""Islands in a real tree, and faults of every kind on sites that have the gear for them."""

from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.twin.faults import FaultPlan
from mallee.twin.parts.battery.layout import GRID_FORMING
from mallee.twin.site_twin import SiteTwin


def test_a_forming_battery_carries_the_microgrid_until_its_genset_takes_over(root: Path) -> None:
    """No gap for the pods on the way; the null case, a battery that follows, leaves them dark."""
    site = load_site(root / "examples/sites/microgrid.toml")
    twin, follower = SiteTwin(site), SiteTwin(site)
    twin.batteries.state["mode"] = GRID_FORMING
    twin.batteries.state["heartbeat_ms"] = 1 << 50
    least_w = np.inf
    for one in (twin, follower):
        one.grid.add_outage(2_000, 40_000)
    for _ in range(80):
        twin.advance(100)
        least_w = min(least_w, twin.truth.pods_w)
    assert abs(twin.truth.grid_w) < 1e-3
    assert twin.truth.battery_charge_w == pytest.approx(-twin.truth.pods_w, rel=0.2)
    assert least_w > 50e3
    twin.advance(17_000)
    assert twin.truth.gensets_w > 100e3
    follower.advance(8_000)
    assert follower.truth.pods_w == 0.0


@pytest.mark.parametrize("name", ["microgrid", "ups-hall"])
def test_swarms_of_all_faults_break_no_balance(root: Path, name: str) -> None:
    site = load_site(root / f"examples/sites/{name}.toml")
    twin = SiteTwin(site, 1, FaultPlan.swarm(site, 5, 20.0, 90.0))
    twin.advance(20_000)
    assert np.isfinite(twin.truth.grid_w)
