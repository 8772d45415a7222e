"""SunSpec types and model definitions, against pysunspec2 where it has an opinion."""

import math

import pytest
import sunspec2.mb as golden
import sunspec2.mdef
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue.sunspec import (
    NUMBERS,
    decode_number,
    decode_string,
    encode_number,
    encode_string,
    load_sunspec,
    missing_bytes,
)

GOLDEN_KINDS = sorted(set(NUMBERS) & set(golden.point_type_info) - {"count", "pad", "raw16"})


@pytest.mark.parametrize("kind", GOLDEN_KINDS)
def test_not_implemented_looks_as_pysunspec2_has_it(kind: str) -> None:
    if kind not in golden.unimpl_value:
        pytest.skip(f"pysunspec2 has no such value for {kind}")
    data = golden.create_unimpl_value(kind)
    assert missing_bytes(kind, NUMBERS[kind].registers) == data
    assert math.isnan(decode_number(kind, data, 0))


@pytest.mark.parametrize("kind", GOLDEN_KINDS)
@settings(deadline=None)
@given(st.data())
def test_integers_as_pysunspec2_packs_them(kind: str, data: st.DataObject) -> None:
    number = NUMBERS[kind]
    if kind.startswith("float"):
        return
    value = data.draw(st.integers(int(number.low), int(number.high)))
    value = max(min(value, 2**53), -(2**53))
    packed = golden.point_type_info[kind].to_data(value)
    assert encode_number(kind, value) == packed
    if packed != number.missing:
        assert decode_number(kind, packed, 0) == value


@settings(deadline=None)
@given(st.integers(-32767, 32767), st.integers(-10, 10))
def test_a_scaled_value_survives(raw: int, exponent: int) -> None:
    data = raw.to_bytes(2, "big", signed=True)
    value = decode_number("int16", data, exponent)
    assert value == pytest.approx(raw * 10.0**exponent, rel=1e-15)
    assert encode_number("int16", value, exponent) == data


def test_scale_factors_divide_exactly() -> None:
    assert decode_number("uint16", (5995).to_bytes(2, "big"), -2) == 59.95


def test_an_accumulator_at_zero_is_fresh_where_it_is_mandatory_and_absent_elsewhere() -> None:
    assert math.isnan(decode_number("acc32", bytes(4), 0))
    assert decode_number("acc32", bytes(4), 0, mandatory=True) == 0.0


def test_without_its_scale_factor_a_value_is_unknown() -> None:
    assert math.isnan(decode_number("int16", b"\0\1", None))
    assert math.isnan(decode_number("int16", b"\0\1", 11))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (327_680, "outside -327670..327670"),
        (-327_700, "outside -327670..327670"),
        (math.nan, "nan is outside"),
        (math.inf, "inf is outside"),
    ],
)
def test_what_a_point_cannot_carry(value: float, message: str) -> None:
    with pytest.raises(OverflowError, match=message):
        encode_number("int16", value, 1)


def test_text() -> None:
    assert encode_string("aGröße", 3) == b"aGr\xc3\xb6\0"
    assert decode_string(b"Gr\xc3\xb6\xff\0x") == "Grö\ufffd"


@pytest.mark.parametrize("number", [1, 203, 701, 702, 704, 713, 715, 802])
def test_places_agree_with_pysunspec2(number: int) -> None:
    ours = load_sunspec(number)
    assert ours is not None
    theirs = sunspec2.mdef.from_json_file(f"{sunspec2.__path__[0]}/models/json/model_{number}.json")
    offset = 0
    for point in theirs["group"]["points"]:
        assert ours.points[point["name"]].offset == offset
        offset += int(point["size"])
    assert ours.points["L"].fixed in {None, ours.registers - 2}


def test_the_vendor_block_is_a_valid_model_and_carries_ten_gigawatts() -> None:
    block = load_sunspec(64901)
    assert block is not None
    assert block.points["L"].fixed == block.registers - 2
    kind = block.points["ImpMax"].kind
    assert decode_number(kind, encode_number(kind, -10e9, 1), 1) == -10e9
    assert {point.scale_factor for point in block.points.values()} <= {0, *block.points}


def test_a_model_that_nobody_defined() -> None:
    assert load_sunspec(65000) is None
