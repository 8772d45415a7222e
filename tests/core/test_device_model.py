"""Device models: points expand, values convert there and back, what is missing is named."""

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mallee.core.device_model import (
    ControllerLoss,
    DeviceModel,
    Parameter,
    PointSpec,
    Protocol,
    expand_points,
)
from mallee.core.errors import ConfigError

FINITE = st.floats(-1e6, 1e6)


def model_of(points: list[PointSpec], **changes: Any) -> DeviceModel:
    fields: dict[str, Any] = {
        "model": "test-meter",
        "kind": "meter",
        "vendor": "nobody",
        "product": "nothing",
        "power_max_w": 10.0,
        "protocol": {"sunspec": Protocol(port=502)},
        "point": points,
        "on_controller_loss": ControllerLoss(behaviour="hold"),
    }
    return DeviceModel(**{**fields, **changes})


@given(
    scale=st.floats(1e-3, 1e3),
    offset=st.floats(-1e3, 1e3),
    places=st.integers(1, 12),
    value=FINITE,
)
def test_what_is_written_to_all_places_reads_back(
    scale: float, offset: float, places: int, value: float
) -> None:
    """A write is divided equally, readings are added: the two are inverse."""
    point = PointSpec(
        name="cap_w",
        protocol="redfish",
        at=[f"Processors/{number}#/Limit" for number in range(places)],
        scale=scale,
        offset=offset,
    )
    held = point.to_device(value)
    assert point.to_point(held * places) == pytest.approx(value, rel=1e-9, abs=1e-6)
    assert len(point.places) == places


@given(FINITE)
def test_a_point_as_it_comes_changes_nothing(value: float) -> None:
    point = PointSpec(name="power_w", protocol="sunspec", at="701.W")
    assert point.to_point(value) == point.to_device(value) == value
    assert point.places == ("701.W",)


@given(st.integers(0, 90), st.integers(2, 20))
def test_a_range_of_points_becomes_one_each_with_its_own_place(first: int, count: int) -> None:
    last = first + count - 1
    ranged = PointSpec(
        name=f"gpu{{{first}..{last}}}_power_w",
        protocol="dcgm",
        at="DCGM_FI_DEV_POWER_USAGE/{i}",
        read_back="gpu{i}_power_w",
        access="readwrite",
    )
    points = expand_points([ranged])
    assert [point.name for point in points] == [f"gpu{n}_power_w" for n in range(first, last + 1)]
    for number, point in enumerate(points, first):
        assert point.at == f"DCGM_FI_DEV_POWER_USAGE/{number}"
        assert point.read_back == point.name
        assert (point.protocol, point.access) == (ranged.protocol, ranged.access)


@given(st.integers(2, 16), st.integers(1, 4))
def test_a_range_of_places_belongs_to_one_point(count: int, points: int) -> None:
    spec = PointSpec(
        name=f"slot{{1..{points}}}_w" if points > 1 else "slot1_w",
        protocol="redfish",
        at=[f"Tray_{{i}}/GPU_{{1..{count}}}#/Power", "Host#/Power"],
    )
    for number, point in enumerate(expand_points([spec]), 1):
        expected = [f"Tray_{number}/GPU_{gpu}#/Power" for gpu in range(1, count + 1)]
        if points > 1:
            assert list(point.places) == [*expected, "Host#/Power"]
        assert len(point.places) == count + 1


def test_expanding_twice_changes_nothing_more() -> None:
    once = expand_points(
        [
            PointSpec(name="gpu{0..3}_w", protocol="dcgm", at="POWER/{i}"),
            PointSpec(name="total_w", protocol="dcgm", at="TOTAL"),
            PointSpec(name="rating_w", constant=5.0),
        ]
    )
    assert expand_points(once) == once
    assert len(once) == 6


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8))
def test_the_index_finds_every_point_in_its_place(names: list[str]) -> None:
    model = model_of([PointSpec(name=name, constant=1.0) for name in names])
    assert list(model.index) == names
    assert [model.point[place].name for place in model.index.values()] == names


def test_parameters_come_from_physics_before_limits_or_are_named_as_missing() -> None:
    model = model_of(
        [],
        physics={"energy_wh": Parameter(4e6, "stated", "data sheet")},
        limits={
            "energy_wh": Parameter(1.0, "assumed", "nowhere"),
            "charge_max_w": Parameter(0.0, "stated", "data sheet"),
        },
    )
    assert model.parameter("energy_wh") == 4e6
    assert model.parameter("charge_max_w") == 0.0, "0 is a value"
    assert model.parameter_or("charge_max_w", 5.0) == 0.0
    assert model.parameter_or("soc_min", 0.1) == 0.1
    with pytest.raises(ConfigError, match="test-meter: gives no parameter 'soc_min'") as caught:
        model.parameter("soc_min")
    assert "meter" in caught.value.hint


@given(st.sampled_from(["points", "pont", "vendr", "power_max"]))
def test_unknown_keys_are_no_model(key: str) -> None:
    known = msgspec.to_builtins(model_of([]))
    assert msgspec.convert(known, DeviceModel).model == "test-meter"
    assume(key not in known)
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert({**known, key: 1}, DeviceModel)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"power_max_w": "much"}, "power_max_w"),
        ({"on_controller_loss": {"behaviour": "panic"}}, "behaviour"),
        ({"physics": {"x": {"value": 1.0, "mark": "guessed", "source": ""}}}, "mark"),
        ({"protocol": {"sunspec": {"port": "many"}}}, "port"),
        ({"point": [{"name": "a", "access": "write"}]}, "access"),
    ],
)
def test_wrong_values_are_found_where_they_stand(change: dict[str, Any], message: str) -> None:
    known = msgspec.to_builtins(model_of([]))
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({**known, **change}, DeviceModel)
