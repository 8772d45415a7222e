"""Second feeds and supplies without interruption inside a whole site."""

import tomllib
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mallee.catalogue import load_models, load_site
from mallee.core.device_model import DeviceModel
from mallee.site.build import build_site
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel
from mallee.twin.parts.grid.grid import GridEvent
from mallee.twin.parts.power import ups
from tests.twin.given import given_twin, run

TWO_FEEDS = """
name = "two-feeds"
[grid]
contracted_w = 800e3
import_max_w = 800e3
ramp_up_max_w_per_s = 1e6
ramp_down_max_w_per_s = 1e6
meter = { name = "meter", model = "grid-meter-sunspec" }
[[transformer]]
name = "tx{1..2}"
rating_va = 750e3
[[breaker]]
name = "qa"
fed_by = "tx1"
rating_a = 800
[[breaker]]
name = "qb"
fed_by = "tx2"
rating_a = 800
[[breaker]]
name = "qc"
fed_by = "tx1"
rating_a = 100
trip = "thermal-magnetic"
[[pod]]
name = "pod"
cdu = [{ name = "cdu", model = "cdu-1300kw", fed_by = "qc" }]
[[pod.rack]]
name = "r{1..2}"
fed_by = ["qa", "qb"]
cdu = "cdu"
nodes = { model = "nvidia-gb200-nvl72-compute-tray", count = 18 }
[twin]
"""


@pytest.fixture(scope="module")
def two_feeds(tmp_path_factory: pytest.TempPathFactory) -> SiteModel:
    path: Path = tmp_path_factory.mktemp("feeds") / "two-feeds.toml"
    path.write_text(TWO_FEEDS)
    return load_site(path)


def test_racks_go_over_to_their_second_feed_without_a_gap(two_feeds: SiteModel) -> None:
    twin = given_twin(two_feeds, np.full(10, 200e3))
    first, second = two_feeds.branch_index("qa"), two_feeds.branch_index("qb")
    run(twin, 1)
    assert twin.truth.branch_w[first] > 200e3
    assert twin.truth.branch_w[second] == 0.0
    twin.branches.trip(first, twin.time_ms)
    record = run(twin, 2)
    assert twin.truth.branch_w[first] == 0.0
    assert twin.truth.branch_w[second] > 200e3
    assert record["load_w"].min() > 200e3
    twin.branches.reset(first)
    run(twin, 1)
    assert twin.truth.branch_w[first] > 200e3


def test_a_cdu_without_voltage_stops_its_pumps_and_starts_again(two_feeds: SiteModel) -> None:
    twin = given_twin(two_feeds, np.full(10, 200e3))
    breaker = two_feeds.branch_index("qc")
    run(twin, 2)
    twin.branches.trip(breaker, twin.time_ms)
    run(twin, 5)
    assert not twin.cooling.faults.powered.any()
    twin.branches.reset(breaker)
    run(twin, 40)
    assert twin.cooling.faults.powered.all()


def with_ups(root: Path) -> SiteModel:
    """The demo site with a UPS of 500 kW in line behind the pod's breaker."""
    base = load_models()["grid-meter-sunspec"]
    model: DeviceModel = msgspec.structs.replace(
        base, model="ups-500kw", kind="ups", power_max_w=500e3, point=[]
    )
    text = (root / "examples/sites/charging-site.toml").read_text(encoding="utf-8")
    pod = text[text.index("[[pod]]") :]
    text = text.replace(pod, pod.replace('fed_by = "q-pod"', 'fed_by = "ups1"'))
    text += '[[ups]]\nname = "ups1"\nmodel = "ups-500kw"\nfed_by = "q-pod"\n'
    file = msgspec.convert(tomllib.loads(text), SiteFile)
    return build_site(file, {**load_models(), "ups-500kw": model})


def test_a_ups_hides_an_outage_from_the_racks(root: Path) -> None:
    twin = given_twin(with_ups(root), np.full(10, 200e3))
    run(twin, 1)
    through_w = twin.truth.branch_w[twin.site.branch_index("q-pod")]
    assert 1.02 < through_w / twin.truth.pods_w < 1.06  # double conversion
    twin.grid.add_outage(2_000, 12_000)
    run(twin, 8)
    assert twin.truth.pods_w > 200e3
    assert twin.truth.grid_w == 0.0
    assert twin.branches.ups_state[0]["does"] == ups.ON_BATTERY
    run(twin, 30)
    assert twin.branches.ups_state[0]["does"] == ups.NORMAL
    assert twin.truth.grid_w > 200e3


def test_three_sags_lock_the_ups_and_the_site_drops_from_the_grid(root: Path) -> None:
    twin = given_twin(with_ups(root), np.full(10, 200e3))
    for start_ms in (2_000, 15_000, 30_000):
        twin.grid.add(GridEvent(start_ms=start_ms, end_ms=start_ms + 100, voltage_pu=0.6))
    run(twin, 50)
    assert twin.branches.ups_state[0]["locked"] == 1
    assert twin.truth.branch_w[twin.site.branch_index("q-pod")] < 10e3
    twin.branches.reset_ups(0)
    run(twin, 30)
    assert twin.truth.branch_w[twin.site.branch_index("q-pod")] > 200e3
