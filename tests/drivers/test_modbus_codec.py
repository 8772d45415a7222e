"""Modbus TCP frames, frozen. The bytes are the protocol's: do not change them, change the code.

The PDUs are the examples of MODBUS Application Protocol V1.1b3, sections 6.3, 6.6, 6.12 and 7.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.core.errors import DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.drivers.modbus.codec import (
    Header,
    ReadDenied,
    decode_answer,
    decode_header,
    encode_read,
    encode_write,
)

READ = bytes.fromhex("1501 0000 0006 01 03 006b 0003")
WRITE_ONE = bytes.fromhex("1502 0000 0006 ff 06 0001 0003")
WRITE_MANY = bytes.fromhex("1503 0000 000b 01 10 0001 0002 04 000a 0102")


def test_requests() -> None:
    assert encode_read(0x1501, 1, 0x6B, 3) == READ
    assert encode_write(0x1502, 255, 1, b"\0\3") == WRITE_ONE
    assert encode_write(0x1503, 1, 1, b"\0\x0a\1\2") == WRITE_MANY


def test_header() -> None:
    assert decode_header(bytes.fromhex("1501 0000 0009 01")) == Header(0x1501, 1, 8)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("1501 0001 0009 01", "protocol 1, must be 0"),
        ("1501 0000 0002 01", "length 2, must be 3..254"),
        ("1501 0000 00ff 01", "length 255, must be 3..254"),
    ],
)
def test_a_header_that_is_not_modbus(header: str, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        decode_header(bytes.fromhex(header))


def test_answers() -> None:
    assert decode_answer(READ, bytes.fromhex("03 06 022b 0000 0064")).hex() == "022b00000064"
    assert decode_answer(WRITE_ONE, bytes.fromhex("06 0001 0003")) == b""
    assert decode_answer(WRITE_MANY, bytes.fromhex("10 0001 0002")) == b""


@pytest.mark.parametrize(
    ("request_frame", "code", "kind"),
    [
        (READ, 1, Refused),
        (READ, 2, ReadDenied),
        (READ, 6, Unreachable),
        (WRITE_MANY, 1, Refused),
        (WRITE_MANY, 2, Rejected),
        (WRITE_MANY, 3, Rejected),
        (WRITE_MANY, 11, Unreachable),
        (WRITE_ONE, 0x77, Rejected),
    ],
)
def test_exceptions(request_frame: bytes, code: int, kind: type[DeviceError]) -> None:
    pdu = bytes([request_frame[7] | 0x80, code])
    with pytest.raises(kind, match=f"exception {code}"):
        decode_answer(request_frame, pdu)


@pytest.mark.parametrize(
    ("request_frame", "pdu"),
    [
        (READ, "04 06 022b 0000 0064"),
        (READ, "03 04 022b 0000"),
        (READ, "03 06 022b 0000"),
        (WRITE_MANY, "10 0002 0002"),
        (WRITE_ONE, "06 0001 0004"),
    ],
)
def test_answers_to_something_else(request_frame: bytes, pdu: str) -> None:
    with pytest.raises(Malformed):
        decode_answer(request_frame, bytes.fromhex(pdu))


@settings(deadline=None)
@given(st.binary(min_size=2, max_size=253))
def test_whatever_comes_is_an_answer_or_a_device_error(pdu: bytes) -> None:
    for frame in (READ, WRITE_ONE, WRITE_MANY):
        try:
            answer = decode_answer(frame, pdu)
        except DeviceError:
            continue
        assert len(answer) in {0, 6}
