"""Places of plain Modbus maps: words, order, bits, "no value", and what is refused."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.registers import Place, parse_place

WHOLE = {
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**53), 2**53),
    "uint64": (0, 2**53),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("low_first", [False, True])
def test_whole_numbers_come_back_to_their_ends(kind: str, low_first: bool) -> None:
    place = Place(table="holding", address=0, kind=kind, low_first=low_first)
    for value in (*WHOLE[kind], 0, 1, 259):
        data = place.encode(float(value))
        assert len(data) == 2 * place.count
        assert place.decode(data) == float(value)
    if kind not in ("int64", "uint64"):
        for value in (WHOLE[kind][0] - 1, WHOLE[kind][1] + 1):
            with pytest.raises(OverflowError, match=f"{kind} cannot carry"):
                place.encode(float(value))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_come_back(value: float) -> None:
    for kind in ("float32", "float64"):
        place = Place(table="input", address=0, kind=kind)
        assert place.decode(place.encode(value)) == value


def test_words_by_hand() -> None:
    """0x00012345 and its words the other way round; bytes within a word never turn."""
    high = Place(table="holding", address=0, kind="uint32")
    low = Place(table="holding", address=0, kind="uint32", low_first=True)
    assert high.encode(0x12345).hex() == "00012345"
    assert low.encode(0x12345).hex() == "23450001"
    assert low.decode(bytes.fromhex("23450001")) == float(0x12345)
    assert high.encode(2.6).hex() == "00000003", "rounded, not cut"


def test_no_value_is_no_number() -> None:
    place = Place(table="holding", address=0, kind="int16", none=0x8000)
    assert math.isnan(place.decode(b"\x80\x00"))
    assert place.decode(b"\x80\x01") == -32767.0
    with pytest.raises(OverflowError, match="no value"):
        place.encode(-32768.0)
    floats = Place(table="holding", address=0, kind="float32")
    assert math.isnan(floats.decode(struct.pack(">f", math.inf)))
    assert math.isnan(floats.decode(struct.pack(">f", math.nan)))


def test_bits_count_from_the_lowest() -> None:
    data = bytes.fromhex("8005")
    read = [
        Place(table="holding", address=0, kind="bit", bit=bit).decode(data) for bit in range(16)
    ]
    assert read == [1, 0, 1, *[0] * 12, 1]
    assert Place(table="coil", address=0).is_bits
    assert not Place(table="input", address=0, kind="int16").is_bits


def test_places_as_models_write_them() -> None:
    assert parse_place("holding:0x10:uint32:low-first:none=0xFFFFFFFF") == Place(
        table="holding", address=16, kind="uint32", low_first=True, none=0xFFFFFFFF
    )
    assert parse_place("coil:7") == Place(table="coil", address=7)
    assert parse_place("input:3:bit12") == Place(table="input", address=3, kind="bit", bit=12)
    assert parse_place("holding:65535:int16").address == 65535


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("holding", "does not begin with one of coil"),
        ("register:1:int16", "does not begin with one of coil"),
        ("holding:x:int16", "'x' is no address"),
        ("holding:1:int8", "'int8' is no type"),
        ("holding:1:bit16", "'bit16' is no type"),
        ("holding:1", "'' is no type"),
        ("holding:1:int16:big", "'big' is no option"),
        ("coil:1:low-first", "is no option"),
        ("holding:1:bit3:none=1", "is no option"),
        ("holding:65535:int32", "outside 0..65534"),
        ("holding:-1:int16", "outside 0..65535"),
    ],
)
def test_what_is_no_place_says_why(at: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_place(at)
