"""What a meter shows, worked out by hand from loads, cables and windings of the demo site.

Quick also without a compiler, as `bench/mutants.py` runs it.
"""

import math

import numpy as np
import pytest

from mallee.site.model import SiteModel
from mallee.site.switchgear import Transformer
from mallee.twin.clock import Clock
from mallee.twin.parts.power.branches import Branches
from mallee.twin.parts.power.tree import book, choose_sources, sum_up
from mallee.twin.parts.power.ups import UPS, UPS_STATE
from mallee.twin.site_twin import SiteTwin
from tests.twin.given import given_twin

NONE, NONE_STATE = np.zeros(0, UPS), np.zeros(0, UPS_STATE)


@pytest.fixture
def tree(demo_site: SiteModel) -> Branches:
    """The demo's power tree with voltage at its feed and nothing on it."""
    branches = Branches(demo_site, Clock())
    see(branches)
    return branches


def see(tree: Branches, volts_pu: float = 1.0) -> None:
    """One look down the tree."""
    volts, hz = np.array([volts_pu]), np.array([60.0])
    choose_sources(tree.units, tree.state, NONE_STATE, volts, hz, 0)


def load(tree: Branches, site: SiteModel, **by_branch: float) -> dict[str, float]:
    """Hang loads on branches; returns what flows into each."""
    tree.state["own_w"] = 0.0
    for name, power_w in by_branch.items():
        tree.state["own_w"][site.branch_index(name.replace("_", "-"))] = power_w
    sum_up(tree.units, tree.state, NONE, NONE_STATE)
    return {branch.name: float(tree.state["flow_w"][n]) for n, branch in enumerate(site.branches)}


def test_cables_lose_half_a_per_cent_at_rating_by_the_square(
    tree: Branches, demo_site: SiteModel
) -> None:
    """400 A at 480 V; nothing else is lost in a breaker."""
    rating_w = 400 * 480 * math.sqrt(3.0)
    for part in (0.0, 0.5, 1.0, -1.0):
        flows = load(tree, demo_site, q_pod=part * rating_w)
        lost_w = 0.005 * rating_w * part**2
        assert flows["q-pod"] == pytest.approx(part * rating_w + lost_w)


def test_windings_lose_at_rest_and_by_the_square(tree: Branches, demo_site: SiteModel) -> None:
    """What reaches the grid: loads, two cables, and the transformer at the sum of them."""
    entry = demo_site.branches[demo_site.branch_index("tx1")].entry
    assert isinstance(entry, Transformer)
    flows = load(tree, demo_site, q_pod=200e3, q_ev1=100e3)
    through_w = flows["q-pod"] + flows["q-ev1"]
    used = through_w / 750e3
    lost_w = 750e3 * (entry.no_load_loss_frac + entry.load_loss_frac * used**2)
    assert flows["tx1"] == pytest.approx(through_w + lost_w)
    assert flows["grid"] == flows["tx1"]
    assert load(tree, demo_site)["grid"] == pytest.approx(750e3 * entry.no_load_loss_frac)


def test_what_a_branch_gives_back_flows_up(tree: Branches, demo_site: SiteModel) -> None:
    flows = load(tree, demo_site, q_battery=-300e3, q_pod=200e3)
    assert flows["q-battery"] > -300e3, "the cable keeps its part"
    assert flows["grid"] < -95e3
    book(tree.units, tree.state, NONE, NONE_STATE, 36.0, 0)
    feed = tree.state[demo_site.branch_index("grid")]
    assert feed["export_wh"] == pytest.approx(-flows["grid"] * 0.01)
    assert feed["import_wh"] == 0.0


def test_voltage_falls_by_the_winding_s_impedance(tree: Branches, demo_site: SiteModel) -> None:
    """``R P + X Q`` in per unit, with 0.15 of reactive power; two looks, the flow of the first."""
    tx = demo_site.branch_index("tx1")
    flows = load(tree, demo_site, q_pod=300e3)
    see(tree)
    unit = tree.units[tx]
    drop_pu = (unit["resistance_frac"] + 0.15 * unit["reactance_frac"]) * flows["tx1"] / 750e3
    assert 0.002 < drop_pu < 0.02
    assert tree.state["voltage_pu"][tx] == pytest.approx(1.0 - drop_pu)
    see(tree, volts_pu=0.05)
    assert tree.state["alive"][tx] == 0, "below a tenth nothing is supplied"


@pytest.fixture(scope="module")
def at_work(demo_site: SiteModel) -> SiteTwin:
    """Racks of 200 kW and a battery that is told to charge with 80 kW, for half a second."""
    twin = given_twin(demo_site, np.full(10, 200e3))
    group = next(demo_site.groups_of("battery"))
    for point, value in (("heartbeat_count", 1.0), ("mode", 1.0), ("charge_set_w", 80e3)):
        twin.write(group.row(0, point), value, 10.0)
    twin.advance(500)
    return twin


def test_a_meter_agrees_with_itself_and_with_the_branches(
    at_work: SiteTwin, demo_site: SiteModel
) -> None:
    """P12: loads are inductive, 0.15 of their power; what they take from the grid is positive."""

    def reads(point: str) -> float:
        row = demo_site.find_point(f"meter/{point}")
        assert row is not None
        return float(at_work.true_points[row])

    feed = at_work.branches.state[0]
    loads_w = float(feed["racks_w"] + feed["loads_w"] + feed["chargers_w"])
    battery = at_work.batteries.state[0]
    assert reads("import_w") == pytest.approx(feed["flow_w"])
    assert loads_w > 200e3
    assert battery["reactive_var"] == 0.0
    assert reads("reactive_var") == pytest.approx(0.15 * loads_w)
    assert reads("apparent_va") == pytest.approx(math.hypot(reads("import_w"), 0.15 * loads_w))
    amps = reads("apparent_va") / (math.sqrt(3.0) * reads("voltage_v"))
    assert reads("current_a") == pytest.approx(amps)
    assert reads("frequency_hz") == 60.0


def test_the_site_s_sums_close(at_work: SiteTwin) -> None:
    """Import is loads, battery, its auxiliaries and losses; the load is it without the battery."""
    feed, site = at_work.branches.state[0], at_work.truth
    parts_w = feed["racks_w"] + feed["loads_w"] + feed["chargers_w"] + feed["battery_w"]
    losses_w = float(at_work.branches.state["loss_w"].sum())
    losses_w += float(at_work.batteries.state["auxiliary_w"][0])
    assert feed["flow_w"] == pytest.approx(float(parts_w) + losses_w)
    assert feed["losses_w"] == pytest.approx(losses_w)
    assert site.battery_charge_w == pytest.approx(80e3, rel=1e-3)
    assert site.block_load_w[-1] == pytest.approx(site.block_grid_w[-1] - site.battery_charge_w)
