"""What things draw and give off: nothing appears, nothing is lost, nothing is counted twice."""

from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.core.arrays import NO_INDEX
from mallee.kinds import KINDS
from mallee.kinds.plant import PLANT_KINDS
from mallee.site.loads import (
    PLANT_MAX_FRAC,
    assumed_plant_w,
    can_be_held,
    device_range,
    members_of_racks,
    plant_shares,
    rack_heat,
    rack_range,
    rack_shelves,
    serves_air,
    shelf_losses,
)
from mallee.site.model import SiteModel
from tests.site.sites import HALL, WET, built, changed

EXAMPLES = sorted((Path(__file__).parents[2] / "examples/sites").glob("*.toml"))


@pytest.fixture(params=[path.stem for path in EXAMPLES if path.stem != "cortex-67k"])
def example(request: pytest.FixtureRequest) -> SiteModel:
    (path,) = (path for path in EXAMPLES if path.stem == request.param)
    return load_site(path)


def test_a_rack_draws_what_its_devices_draw(example: SiteModel) -> None:
    found = rack_range(example)
    least_w = most_w = 0.0
    for group in example.groups:
        inside = int((group.rack != NO_INDEX).sum())
        least, most = device_range(group.model)
        assert members_of_racks(group, len(example.racks.names)).sum() == inside
        least_w, most_w = least_w + inside * least, most_w + inside * most
    assert found.least_w.sum() == pytest.approx(least_w)
    assert found.most_w.sum() == pytest.approx(most_w)
    assert (found.least_w <= found.most_w).all()


def test_all_power_of_a_rack_leaves_it_as_heat(example: SiteModel) -> None:
    liquid, air = rack_heat(example)
    total = rack_range(example)
    losses = shelf_losses(example, total.most_w, rack_shelves(example))
    assert liquid.most_w + air.most_w == pytest.approx(total.most_w + losses)
    assert liquid.least_w + air.least_w == pytest.approx(total.least_w)
    dry = example.racks.loop == NO_INDEX
    assert (liquid.most_w[dry] == 0.0).all(), "without a loop all heat goes to the room"
    for column in (liquid.least_w, liquid.most_w, air.least_w, air.most_w):
        assert (column >= -1e-6).all()


def test_what_can_be_held_is_what_has_a_lowest_power(example: SiteModel) -> None:
    for group in example.groups:
        least, most = device_range(group.model)
        assert 0.0 <= least <= most
        assert can_be_held(group.model) == (least < most)
        assert not (KINDS[group.kind].is_fixed and can_be_held(group.model))


def test_plant_is_asked_for_at_most_what_it_can(example: SiteModel) -> None:
    shares = plant_shares(example)
    plant = {g.first_device for g in example.groups if g.kind in PLANT_KINDS}
    assert shares.keys() <= plant
    assert all(0.0 <= share <= 1.0 for share in shares.values())


def test_plant_is_assumed_only_where_none_is_named(example: SiteModel) -> None:
    assumed = assumed_plant_w(example)
    everywhere = any(g.kind in PLANT_KINDS and not g.serves for g in example.groups)
    assert (assumed >= 0.0).all()
    assert (assumed.sum() == 0.0) == (everywhere or not len(example.racks.names))
    assert assumed.sum() <= max(PLANT_MAX_FRAC.values()) * rack_range(example).most_w.sum() + 1e-6


def test_twice_the_spare_plant_is_asked_for_half() -> None:
    """Units that stand by draw nothing: what all could draw together is never asked for."""
    few = built(changed(HALL, ('name = "ah{1..4}"', 'name = "ah{1..40}"')))
    more = built(changed(HALL, ('name = "ah{1..4}"', 'name = "ah{1..80}"')))

    def handlers(site: SiteModel) -> float:
        (group,) = site.groups_of("air_handler")
        return plant_shares(site)[group.first_device]

    assert handlers(few) == pytest.approx(2.0 * handlers(more))
    assert handlers(few) < 1.0


def test_shelves_lose_by_their_load(demo_site: SiteModel) -> None:
    rating_w = rack_shelves(demo_site)
    assert (rating_w > 0.0).all()
    losses = [shelf_losses(demo_site, share * rating_w, rating_w) for share in (0.0, 0.5, 1.0)]
    assert (losses[0] <= losses[1]).all() and (losses[1] < losses[2]).all()
    assert (losses[2] < 0.1 * rating_w).all()
    none = np.zeros_like(rating_w)
    assert (shelf_losses(demo_site, rating_w, none) == 0.0).all(), "no shelves, no losses"


def test_cold_water_serves_rooms_and_warm_water_trims() -> None:
    site = built(WET)
    chillers = [group.model for group in built(HALL).groups_of("chiller")]
    assert all(serves_air(model) for model in chillers)
    others = [g.model for g in site.groups if g.kind not in PLANT_KINDS]
    assert not any(serves_air(model) for model in others)
