"""The whole twin: points, determinism, saving, balance, and what it says when physics breaks."""

import hashlib

import numpy as np
import pytest

from mallee.core.errors import Rejected
from mallee.site.model import SiteModel
from mallee.twin.balance import PhysicsError
from mallee.twin.kernel import kernel
from mallee.twin.site_twin import SiteTwin
from tests.twin.given import given_twin

NOT_ALWAYS_THERE = ("_soc",)


def digest(twin: SiteTwin) -> str:
    saved = twin.save()
    content = hashlib.sha256()
    for name in sorted(saved):
        content.update(name.encode() + np.ascontiguousarray(saved[name]).tobytes())
    return content.hexdigest()


def test_every_point_of_the_catalogue_is_reported(demo_site: SiteModel) -> None:
    twin = SiteTwin(demo_site)
    twin.advance(3_000)
    silent = [
        demo_site.point_path(int(row))
        for row in np.flatnonzero(np.isnan(twin.reported))
        if not demo_site.point_path(int(row)).endswith(NOT_ALWAYS_THERE)  # a evse without a car
    ]
    assert silent == []


def test_starts_in_steady_state(demo_site: SiteModel) -> None:
    twin = SiteTwin(demo_site)
    twin.advance(100)
    first_w = twin.truth.grid_w
    twin.advance(20_000)
    assert twin.truth.grid_w == pytest.approx(first_w, rel=0.15)


def test_equal_seeds_give_equal_bytes_and_others_do_not(demo_site: SiteModel) -> None:
    one, same, other = (SiteTwin(demo_site, seed=seed) for seed in (1, 1, 2))
    for twin in (one, same, other):
        twin.advance(5_000)
    assert digest(one) == digest(same)
    assert digest(one) != digest(other)


def test_how_time_is_cut_does_not_matter(demo_site: SiteModel) -> None:
    whole, cut = SiteTwin(demo_site), SiteTwin(demo_site)
    whole.advance(6_000)
    for piece_ms in (100, 900, 200, 1_800, 20, 80, 1_900, 1_000):
        cut.advance(piece_ms)
    assert digest(whole) == digest(cut)


def test_save_and_restore_continue_the_same_run(demo_site: SiteModel) -> None:
    twin = SiteTwin(demo_site)
    twin.advance(2_300)
    saved = twin.save()
    twin.advance(4_000)
    expected = digest(twin)
    again = SiteTwin(demo_site)
    again.advance(700)
    again.restore(saved)
    assert again.time_ms == 2_300
    again.advance(4_000)
    assert digest(again) == expected


def test_writes_reach_every_kind_of_device(demo_site: SiteModel) -> None:
    twin = SiteTwin(demo_site)
    for kind, point, value in (
        ("node", "cap_w", 4_000.0),
        ("battery", "filter_time_s", 10.0),
        ("charger", "limit_w", 50e3),
        ("cdu", "supply_set_degc", 35.0),
    ):
        row = int(demo_site.rows(kind, point)[0])
        twin.write(row, value, 30.0)
        twin.advance(2_000)
        assert twin.true_points[row] == pytest.approx(value)


def test_what_cannot_be_written_says_so(demo_site: SiteModel) -> None:
    twin = SiteTwin(demo_site)
    with pytest.raises(Rejected, match="meter/import_w cannot be written"):
        twin.write(int(demo_site.rows("meter", "import_w")[0]), 1.0, 1.0)
    with pytest.raises(Rejected):
        twin.write(int(demo_site.rows("node", "cap_w")[0]), 1.0, 1.0)


def test_caps_lower_the_load(demo_site: SiteModel) -> None:
    twin, capped = SiteTwin(demo_site), SiteTwin(demo_site)
    for row in demo_site.rows("node", "cap_w"):
        capped.write(int(row), 3_000.0, 0.0)
    twin.advance(20_000)
    capped.advance(20_000)
    assert capped.truth.throughput < 1.0
    assert capped.plant.site[0]["racks_wh"] < 0.9 * twin.plant.site[0]["racks_wh"]


def test_time_must_be_whole_steps(demo_site: SiteModel) -> None:
    with pytest.raises(ValueError, match="whole steps"):
        SiteTwin(demo_site).advance(30)


def test_a_leak_of_energy_stops_the_run(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3))
    twin.advance(1_000)
    twin.batteries.state["stored_wh"] += 50.0
    with pytest.raises(PhysicsError, match="site: energy does not close"):
        twin.advance(1_000)


def test_not_a_number_stops_the_run_and_is_named(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3))
    twin.batteries.state["soc"] = np.nan
    with pytest.raises(PhysicsError, match="battery"):
        twin.advance(1_000)


def test_kernels_are_plain_functions_for_readers() -> None:
    @kernel
    def double(value: float) -> float:
        return 2.0 * value

    assert double(2.0) == 4.0
