"""Kinds asked: ranges, write ranges and points, for any nameplate and any name."""

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.catalogue import load_models
from mallee.core.device_model import ControllerLoss, DeviceModel, Parameter, PointSpec
from mallee.core.errors import ConfigError
from mallee.core.units import UNITS
from mallee.kinds import KINDS, DeviceKind, PointKind
from tests.suffixes import unit_of

ROWS = [(kind, row) for kind in KINDS.values() for row in kind.points]
MODELS = list(load_models().values())
ROW_NAMES = [f"{kind.name}-{row.name}" for kind, row in ROWS]
PLAIN = re.compile(r"^[a-z][a-z0-9_]*$")
WITHOUT_UNIT = {"soc", "soh", "mode", "*"}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model)


def model_of(kind: DeviceKind, most_w: float, **parameters: float) -> DeviceModel:
    """A model with a nameplate and a few parameters."""
    return DeviceModel(
        model="test",
        kind=kind.name,
        vendor="nobody",
        product="nothing",
        power_max_w=most_w,
        protocol={},
        point=[],
        physics={name: Parameter(value, "stated", "test") for name, value in parameters.items()},
        on_controller_loss=ControllerLoss(behaviour="hold"),
    )


@each_kind
def test_its_power_and_least_fit_its_role(kind: DeviceKind) -> None:
    if kind.power:
        assert kind.point(kind.power) is not None
        assert unit_of(kind.power) == "w"
    if kind.role in ("load", "storage", "source"):
        assert kind.power, "what it draws or gives must be seen"
    if kind.least or kind.least_w is not None:
        assert kind.consumes, "only what consumes can be held down"
        assert kind.least, "what holds without the parameter needs the parameter's name"
    assert not (kind.consumes and kind.is_fixed and kind.least)


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=ROW_NAMES)
def test_a_point_row_is_a_name_with_a_unit_and_sound_numbers(row: PointKind) -> None:
    plain = row.name.replace("*", "x").strip("_")
    assert row.name in WITHOUT_UNIT or unit_of(f"x_{plain}") in UNITS or plain.endswith("soc")
    assert 0.0 < row.tolerance_frac <= 0.1
    assert row.lease_s >= 0.0
    if row.lease_s:
        assert row.write is not None, "only what is written has a lease"
    if row.write is not None:
        assert "*" not in row.name, "a settable point is one, not a family"
        low, high = row.write
        if not isinstance(low, str) and not isinstance(high, str):
            assert low < high
    if row.sensor is not None:
        for name in ("window_s", "refresh_s", "latency_s", "gain_frac", "noise_frac", "quantum"):
            number = getattr(row.sensor, name)
            assert number is None or number >= 0.0


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=ROW_NAMES)
def test_no_row_hides_behind_one_before_it(kind: DeviceKind, row: PointKind) -> None:
    """The first pattern that fits counts, so a row whose own name falls under another is dead."""
    example = row.name.replace("*", "some9")
    assert kind.point(example) is row


# What the rows answer

POWERS = st.floats(0.0, 1e7)


@given(st.sampled_from(list(KINDS.values())), POWERS, POWERS)
def test_the_range_of_a_device_lies_between_nothing_and_its_nameplate(
    kind: DeviceKind, most_w: float, least_w: float
) -> None:
    least_w = min(least_w, most_w)
    parameters: dict[str, Any] = {kind.least: least_w} if kind.least else {}
    low, high = kind.range_w(model_of(kind, most_w, **parameters))
    assert 0.0 <= low <= high <= most_w
    if not kind.consumes:
        assert (low, high) == (0.0, 0.0), "it hands on, gives or measures"
    elif kind.least:
        assert (low, high) == (least_w, most_w)
    else:
        assert low == high == most_w, "what control cannot reduce counts in full"


@given(st.sampled_from(list(KINDS.values())), POWERS)
def test_without_its_parameter_a_device_counts_as_its_kind_says(
    kind: DeviceKind, most_w: float
) -> None:
    low, high = kind.range_w(model_of(kind, most_w))
    if kind.consumes and kind.least:
        assert low == (most_w if kind.least_w is None else kind.least_w)
        assert high == most_w


@given(st.from_regex(r"[a-z]{1,6}[0-9]{0,2}(_[a-z]{1,6}){0,3}", fullmatch=True))
def test_any_point_falls_under_the_first_row_that_fits_or_none(name: str) -> None:
    for kind in KINDS.values():
        fitting = [row for row in kind.points if fnmatchcase(name, row.name)]
        assert kind.point(name) is (fitting[0] if fitting else None)


@given(
    low=st.floats(-1e6, 0.0), high=st.floats(1.0, 1e6), most_w=st.floats(1.0, 1e6),
    point=st.sampled_from(["set_w", "ratio_w", "reading_w", "nothing_w"]),
)  # fmt: skip
def test_write_ranges_are_numbers_parameters_or_the_nameplate(
    low: float, high: float, most_w: float, point: str
) -> None:
    kind = DeviceKind(
        name="toy",
        stands=("site",),
        order=999,
        role="load",
        points=(
            PointKind(name="set_w", write=("-reach_w", "power_max_w")),
            PointKind(name="ratio_w", write=(low, "reach_w")),
            PointKind(name="reading_w"),
        ),
    )
    model = model_of(kind, most_w, reach_w=high)
    expected = {"set_w": (-high, most_w), "ratio_w": (low, high)}
    assert kind.write_range(model, point) == expected.get(point)
    if point in expected:
        with pytest.raises(ConfigError, match="gives no parameter 'reach_w'"):
            kind.write_range(model_of(kind, most_w), point)


# The catalogue and its kinds


@each_model
def test_a_model_has_what_its_kind_needs(model: DeviceModel) -> None:
    kind = KINDS[model.kind]
    for row in kind.points:
        if row.needed:
            assert row.name in model.index, f"the twin and control cannot do without {row.name}"
    low, high = kind.range_w(model)
    assert 0.0 <= low <= high


@each_model
def test_what_a_model_lets_be_written_its_kind_bounds(model: DeviceModel) -> None:
    kind = KINDS[model.kind]
    for point in model.point:
        row = kind.point(point.name)
        if point.access != "readwrite" or row is None or row.write is None:
            continue
        low, high = kind.write_range(model, point.name) or (0.0, -1.0)
        assert low < high, f"{point.name} can be set to nothing"


@each_model
def test_every_bounded_point_that_a_model_has_can_be_written(model: DeviceModel) -> None:
    """A settable row that a model only reads would be silently out of control's reach."""
    kind = KINDS[model.kind]
    bounded = {row.name for row in kind.points if row.write is not None}
    readable: list[PointSpec] = [
        point for point in model.point if point.name in bounded and point.access == "read"
    ]
    assert readable == []
