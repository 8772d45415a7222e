"""Places of SNMP points: what an agent says, and what its numbers mean."""

import math

import pytest

from mallee.core.oids import (
    Objects,
    Place,
    int_or_zero,
    maker_of,
    number_of,
    parse_oid,
    parse_place,
    text_of,
)

AT, DIGITS, PREFIX, STATE = "1.3.6.1.4.1.318.1.0", "1.3.1", "1.3.2", "1.3.3"


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (7, 7.0),
        (-2.5, -2.5),
        (b"23.5", 23.5),
        (" +1e3 ", 1000.0),
        (b".5\0", 0.5),
        (None, math.nan),
        (True, math.nan),
        ("", math.nan),
        ("12 V", math.nan),
        ("nan", math.nan),
        ("1e999", math.nan),
        (math.inf, math.nan),
        (b"\xff\xfe", math.nan),
    ],
)
def test_a_value_is_a_number_or_none(raw: int | float | str | bytes | None, number: float) -> None:
    assert number_of(raw) == pytest.approx(number, nan_ok=True)


def test_codes_and_texts() -> None:
    assert [int_or_zero(raw) for raw in (3, "4", 4.5, None, b"x")] == [3, 4, 0, 0, 0]
    assert text_of(None) == ""
    assert text_of(b"Rack PDU\0") == "Rack PDU"
    assert text_of("two\r\nlines\t here") == "two lines here"
    assert text_of(12) == "12"


def test_a_number_by_its_decimal_digits_and_prefix() -> None:
    """235 with one digit in kilo: 23.5 kW are 23,500 W."""
    place = Place(oid=AT, digits=DIGITS, si=PREFIX)
    said: Objects = {AT: 235, DIGITS: 1, PREFIX: 10}
    assert place.value(said, ()) == pytest.approx(23_500.0)
    assert place.value({**said, PREFIX: 9}, ()) == pytest.approx(23.5)
    assert place.value({**said, PREFIX: 8}, ()) == pytest.approx(0.0235)
    assert place.oids == (AT, DIGITS, PREFIX)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {AT: 235, PREFIX: 9},
        {AT: 235, DIGITS: 1},
        {AT: 235, DIGITS: -1, PREFIX: 9},
        {AT: 235, DIGITS: 19, PREFIX: 9},
        {AT: 235, DIGITS: 1, PREFIX: 0},
        {AT: 235, DIGITS: 1, PREFIX: 18},
    ],
)
def test_a_number_of_unknown_size_is_none(said: Objects) -> None:
    assert math.isnan(Place(oid=AT, digits=DIGITS, si=PREFIX).value(said, ()))


def test_blanks_of_the_device_and_of_the_place() -> None:
    place = Place(oid=AT, none=(-1,))
    assert math.isnan(place.value({AT: -1}, ()))
    assert math.isnan(place.value({AT: 65535}, (65535,)))
    assert place.value({AT: 65535}, ()) == 65535.0


def test_a_number_means_something_only_while_its_sensor_is_well() -> None:
    place = Place(oid=AT, ok=(STATE, 1))
    assert place.value({AT: 20, STATE: 1}, ()) == 20.0
    assert math.isnan(place.value({AT: 20, STATE: 2}, ()))
    assert math.isnan(place.value({AT: 20}, ()))
    assert place.oids == (AT, STATE)


def test_a_state_is_one_where_it_is_the_one_that_is_meant() -> None:
    place = Place(oid=AT, equals=3)
    assert [place.value({AT: raw}, ()) for raw in (3, 2)] == [1.0, 0.0]
    assert math.isnan(place.value({}, ()))


def test_places_as_models_write_them() -> None:
    place = parse_place(f".1.3.unit.7:none=-1:none=0xFF:digits={DIGITS}:ok={STATE}/2:is=3", "4")
    assert place == Place(oid="1.3.4.7", none=(-1, 255), digits=DIGITS, ok=(STATE, 2), equals=3)
    assert parse_place("1.3.unit.7").oid == "1.3.1.7"
    assert parse_place(f"1.3:si={PREFIX}").si == PREFIX


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("", "is no object identifier"),
        ("1", "is no object identifier"),
        ("3.1.2", "is no object identifier"),
        ("1.3.x", "is no object identifier"),
        ("1.3:scale=2", "is no option here"),
        ("1.3:digits", "is no option here"),
        ("1.3:is=1:is=2", "is no option here"),
        ("1.3:none=x", "'x' is no whole number"),
        ("1.3:ok=1.4", "names no value"),
        ("1.3:ok=1.4/y", "'y' is no whole number"),
        ("1.3:digits=a.b", "is no object identifier"),
    ],
)
def test_what_is_no_place_says_why(at: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_place(at)


def test_identifiers_and_makers() -> None:
    assert parse_oid(".1.3.6") == "1.3.6"
    assert parse_oid("1.3.unit") == "1.3.unit"
    assert maker_of("1.3.6.1.4.1.318.1.3.4") == "APC"
    assert maker_of(".1.3.6.1.4.1.318") == "APC"
    assert maker_of("1.3.6.1.4.1.3180.1") == "enterprise 3180"
    assert maker_of("1.3.6.1.2.1") == ""
