"""What every part of the twin keeps to: points by name, unknown ones kept, state saved whole."""

from itertools import permutations
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mallee.catalogue import load_models, load_site_file
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.kinds.cdu import CDU
from mallee.site.build import build_site
from mallee.site.model import SiteModel
from mallee.twin.parts.registry import PARTS
from mallee.twin.site_twin import SiteTwin


def variants() -> dict[str, DeviceModel]:
    """Three CDUs: one as sold, one with a point more, one without pump speeds."""
    known = load_models()["cdu-1300kw"]
    more = PointSpec(name="filter_pa", protocol="redfish", at="ThermalEquipment#/Filter")
    fewer = [point for point in known.point if not point.name.startswith("pump")]
    replace = msgspec.structs.replace
    return {
        "cdu-1300kw": known,
        "cdu-more": replace(known, model="cdu-more", point=[more, *known.point]),
        "cdu-fewer": replace(known, model="cdu-fewer", point=fewer),
    }


def site_with(root: Path, order: tuple[str, ...]) -> SiteModel:
    """The demo site with three CDUs of these models, the racks on the first."""
    file = load_site_file(root / "examples/sites/charging-site.toml")
    pod = file.pod[0]
    cdus = [
        msgspec.structs.replace(pod.devices(CDU)[0], name=f"cdu{n + 1}", model=model)
        for n, model in enumerate(order)
    ]
    pods = [msgspec.structs.replace(pod, cdu=cdus)]
    return build_site(msgspec.structs.replace(file, pod=pods), {**load_models(), **variants()})


@pytest.mark.parametrize("order", list(permutations(("cdu-1300kw", "cdu-more", "cdu-fewer"))))
def test_points_are_matched_by_name_in_any_order_of_models(
    root: Path, order: tuple[str, ...]
) -> None:
    site = site_with(root, order)
    twin = SiteTwin(site)
    twin.advance(2_000)
    for name, model in variants().items():
        (group,) = (group for group in site.groups if group.model.model == name)
        for point in model.point:
            value = twin.true_points[group.row(0, point.name)]
            assert np.isnan(value) == (point.name == "filter_pa"), (name, point.name)
    (note,) = (note for note in twin.notes if "cdu-more" in note)
    assert "filter_pa" in note
    assert not any(name in note for note in twin.notes for name in ("cdu-1300kw", "cdu-fewer"))


def test_every_part_has_its_own_name_and_place() -> None:
    names = [kind.name for kind in PARTS]
    assert sorted(set(names)) == sorted(names)
    assert {"battery", "charging", "compute", "cooling", "grid", "power"} <= set(names)


def test_every_part_is_saved_whole(demo_site: SiteModel) -> None:
    """What a part changes in a run comes back: two twins that meet in one state stay together."""
    twin, other = SiteTwin(demo_site), SiteTwin(demo_site)
    twin.advance(3_000)
    other.advance(400)
    for name, part in twin.parts.items():
        other.parts[name].restore(part.save())
        again = other.parts[name].save()
        for key, array in part.save().items():
            assert np.array_equal(array, again[key], equal_nan=array.dtype.kind == "f"), key
