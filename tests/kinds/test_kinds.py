"""The table of kinds: every row is complete, says one thing, and is what models are judged by."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.catalogue import load_models
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.kinds import KINDS, DeviceKind, PointKind
from mallee.kinds.branches import BRANCHES
from mallee.site.file import PodFields, SiteFields, SiteFile

MODELS = list(load_models().values())
IN_LINE = {"ups", "pdu", "transfer_switch"}


def model_of(kind: str) -> DeviceModel:
    return next(model for model in MODELS if model.kind == kind)


def test_kinds_are_numbered_in_order_and_named_once() -> None:
    assert [kind.name for kind in KINDS.values()] == list(KINDS)
    orders = [kind.order for kind in KINDS.values()]
    assert orders == sorted(orders)
    assert len(set(orders)) == len(orders)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_row_is_complete(kind: DeviceKind) -> None:
    assert kind.stands
    assert kind.table or kind.rack_table or kind.role == "in_line"
    assert bool(kind.rack_table) == bool(kind.letter) == ("rack" in kind.stands)
    assert kind.points
    names = [row.name for row in kind.points]
    assert len(set(names)) == len(names)
    if kind.power:
        assert kind.point(kind.power) is not None
    if kind.drawing is None:
        assert kind.stands == ("rack",)
    for row in kind.points:
        if row.write is not None:
            assert len(row.write) == 2
        assert row.lease_s >= 0.0
        assert "*" not in row.name or not row.needed


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_general_pattern_does_not_hide_a_special_one(kind: DeviceKind) -> None:
    """The first row that fits counts, so a plain name must not stand below a pattern for it."""
    for row in kind.points:
        if "*" not in row.name:
            assert kind.point(row.name) is row


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_kind_has_a_model(kind: DeviceKind) -> None:
    assert any(model.kind == kind.name for model in MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model)
def test_shipped_models_have_what_their_kind_needs(model: DeviceModel) -> None:
    kind = KINDS[model.kind]
    assert kind.missing_points(model) == []
    assert kind.missing_parameters(model) == []
    assert kind.unknown_points(model) == []
    least_w, most_w = kind.range_w(model)
    assert 0.0 <= least_w <= most_w <= model.power_max_w
    for point in model.point:
        if point.access == "readwrite":
            row = kind.point(point.name)
            assert row is not None


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model)
def test_write_ranges_are_ranges(model: DeviceModel) -> None:
    kind = KINDS[model.kind]
    for point in model.point:
        bounds = kind.write_range(model, point.name)
        if bounds is not None:
            assert bounds[0] < bounds[1]
    assert kind.write_range(model, "no_such_point_at_all_frac") is None or kind.name == "x"


def test_roles_say_who_consumes() -> None:
    consuming = {name for name, kind in KINDS.items() if kind.consumes}
    assert consuming == {
        "battery",
        "charger",
        "node",
        "switch",
        "cdu",
        "chiller",
        "dry_cooler",
        "air_handler",
        "pump",
    }
    for name, kind in KINDS.items():
        low, high = kind.range_w(model_of(name))
        assert (high > 0.0) == kind.consumes
        assert kind.is_fixed == (kind.role == "load" and low == high)


def test_two_sources_are_for_loads_and_for_what_transfers() -> None:
    single = {name for name, kind in KINDS.items() if not kind.takes_two_feeds}
    assert single == {"battery", "meter", "genset", "solar", "pdu", "power_shelf"}
    assert KINDS["ups"].protects
    assert [name for name, kind in KINDS.items() if kind.synchronous] == ["genset"]


def test_bounds_take_parameters_and_their_negative() -> None:
    battery = model_of("battery")
    assert KINDS["battery"].write_range(battery, "charge_set_w") == (-1.93e6, 1.93e6)
    charger = model_of("charger")
    assert KINDS["charger"].write_range(charger, "limit_w") == (0.0, charger.power_max_w)
    assert KINDS["node"].write_range(model_of("node"), "power_w") is None


def test_least_is_a_parameter_a_default_or_the_maximum() -> None:
    node = model_of("node")
    kind = KINDS["node"]
    assert kind.range_w(node)[0] == node.parameter("cap_min_w")
    bare = msgspec.structs.replace(node, limits={}, physics={})
    assert kind.range_w(bare) == (node.power_max_w, node.power_max_w)
    assert replace(kind, least_w=7.0).range_w(bare) == (7.0, node.power_max_w)


def test_what_a_model_lacks_or_has_beyond_is_named() -> None:
    node = model_of("node")
    more = PointSpec(name="filter_pa", protocol="redfish", at="x#/y")
    changed = msgspec.structs.replace(node, point=[*node.point, more])
    assert KINDS["node"].unknown_points(changed) == ["filter_pa"]
    without = msgspec.structs.replace(node, point=[p for p in node.point if p.name != "power_w"])
    assert KINDS["node"].missing_points(without) == ["power_w"]
    poor = {name: value for name, value in node.physics.items() if name != "gpu_max_w"}
    assert KINDS["node"].missing_parameters(msgspec.structs.replace(node, physics=poor)) == [
        "gpu_max_w"
    ]


@given(st.text("abcdefgh_0123456789", min_size=1, max_size=12), st.sampled_from(sorted(KINDS)))
def test_any_name_falls_under_one_row_or_none(name: str, kind: str) -> None:
    row = KINDS[kind].point(name)
    if row is not None:
        assert row in KINDS[kind].points
        first = next(r for r in KINDS[kind].points if r == row)
        assert first is row


def test_tables_of_the_site_file_are_those_of_the_kinds() -> None:
    site = {name for name in SiteFile.__struct_fields__ if name not in SiteFields.__struct_fields__}
    assert site == {kind.table for kind in KINDS.values() if "site" in kind.stands and kind.table}
    assert "rack" in PodFields.__struct_fields__


def test_branches_are_drawn_in_one_order() -> None:
    orders = [drawing.order for drawing in BRANCHES.values()]
    assert orders == sorted(orders)
    assert all(drawing.label and drawing.symbol for drawing in BRANCHES.values())
    assert set(BRANCHES) & set(KINDS) == {"transfer_switch"}
    assert {name for name, kind in KINDS.items() if kind.role == "in_line"} == IN_LINE


def test_a_point_row_has_sound_defaults() -> None:
    row = PointKind(name="x_w")
    assert not row.needed
    assert row.write is None
    assert row.lease_s == 0.0
    assert row.shown is None
