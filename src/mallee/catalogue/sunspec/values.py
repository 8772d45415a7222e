"""SunSpec point types: registers to numbers and back, and what "not implemented" looks like.

Registers are 16 bit, big-endian, the high word first. Source: SunSpec Device Information Model
Specification, point types.
"""

import math
import struct
from dataclasses import dataclass
from typing import Final

EXPONENT_MAX: Final = 10
"""Scale factors run from -10 to 10."""


@dataclass(frozen=True, slots=True)
class NumberType:
    """One numeric type.

    Attributes:
        codec: its bytes.
        low, high: the range that carries a value.
        missing: the bytes that mean "not implemented"; None where every value is one.
    """

    codec: struct.Struct
    low: float
    high: float
    missing: bytes | None

    @property
    def registers(self) -> int:
        """How many registers it takes."""
        return self.codec.size // 2


def _signed(letter: str, bits: int) -> NumberType:
    codec = struct.Struct(f">{letter}")
    top = 2 ** (bits - 1) - 1
    return NumberType(codec, -top, top, codec.pack(-top - 1))


def _unsigned(letter: str, bits: int) -> NumberType:
    codec = struct.Struct(f">{letter}")
    return NumberType(codec, 0, 2**bits - 2, b"\xff" * (bits // 8))


def _accumulator(letter: str, bits: int) -> NumberType:
    """Counts up and rolls over; 0 means "not accumulated", which only an optional point may say."""
    return NumberType(struct.Struct(f">{letter}"), 0, 2**bits - 1, b"\0" * (bits // 8))


def _float(letter: str, high: float, missing: str) -> NumberType:
    return NumberType(struct.Struct(f">{letter}"), -high, high, bytes.fromhex(missing))


NUMBERS: Final[dict[str, NumberType]] = {
    "int16": _signed("h", 16),
    "int32": _signed("i", 32),
    "int64": _signed("q", 64),
    "sunssf": NumberType(struct.Struct(">h"), -EXPONENT_MAX, EXPONENT_MAX, b"\x80\x00"),
    "uint16": _unsigned("H", 16),
    "uint32": _unsigned("I", 32),
    "uint64": _unsigned("Q", 64),
    "count": _unsigned("H", 16),
    "enum16": _unsigned("H", 16),
    "enum32": _unsigned("I", 32),
    "bitfield16": _unsigned("H", 16),
    "bitfield32": _unsigned("I", 32),
    "bitfield64": _unsigned("Q", 64),
    "raw16": NumberType(struct.Struct(">H"), 0, 2**16 - 1, None),
    "pad": NumberType(struct.Struct(">H"), 0, 2**16 - 1, None),
    "acc16": _accumulator("H", 16),
    "acc32": _accumulator("I", 32),
    "acc64": _accumulator("Q", 64),
    "float32": _float("f", 3.4028234663852886e38, "7fc00000"),
    "float64": _float("d", 1.7976931348623157e308, "7ff8000000000000"),
}


def decode_number(
    kind: str, data: bytes, exponent: int | None, *, mandatory: bool = False
) -> float:
    """A number from its registers.

    Args:
        kind: type name such as ``int16``.
        data: exactly its bytes.
        exponent: the scale factor, 0 for a point without one; None where the device does not
            implement the one that the point needs.
        mandatory: an accumulator at 0 is then a fresh one, not an absent one.

    Returns:
        The value in the point's unit, or NaN where it is not implemented.
    """
    number = NUMBERS[kind]
    if data == number.missing and not (mandatory and kind.startswith("acc")):
        return math.nan
    if exponent is None or abs(exponent) > EXPONENT_MAX:
        return math.nan
    raw = float(number.codec.unpack(data)[0])
    # Dividing by a power of ten is exact where multiplying by its inverse is not: 5995 / 100.
    return raw * 10.0**exponent if exponent >= 0 else raw / 10.0**-exponent


def encode_number(kind: str, value: float, exponent: int = 0) -> bytes:
    """The registers of a number, rounded to the resolution of its scale factor.

    Raises:
        OverflowError: NaN, or outside what the type can carry at this scale factor.
    """
    number = NUMBERS[kind]
    scaled = value / 10.0**exponent if exponent >= 0 else value * 10.0**-exponent
    if not number.low - 0.5 < scaled < number.high + 0.5:  # also false for NaN
        low, high = number.low * 10.0**exponent, number.high * 10.0**exponent
        raise OverflowError(f"{value:g} is outside {low:g}..{high:g}")
    if kind.startswith("float"):
        return number.codec.pack(scaled)
    return number.codec.pack(min(max(round(scaled), int(number.low)), int(number.high)))


def missing_bytes(kind: str, registers: int) -> bytes:
    """What "not implemented" looks like in a point of this type and size."""
    number = NUMBERS.get(kind)
    missing = number.missing if number is not None else None
    return missing if missing is not None else bytes(2 * registers)


def decode_string(data: bytes) -> str:
    """Text from its registers, without the padding; bytes that are no UTF-8 become U+FFFD."""
    return data.split(b"\0", 1)[0].decode("utf-8", "replace").strip()


def encode_string(text: str, registers: int) -> bytes:
    """The registers of a text, cut to fit (never inside a character) and padded with zeros."""
    cut = text.encode("utf-8")[: 2 * registers].decode("utf-8", "ignore").encode("utf-8")
    return cut.ljust(2 * registers, b"\0")
