"""Places of plain Modbus maps: what stands at one, and how it becomes a number and back.

Drivers and emulators both work from a model's places; they share this and nothing of the wire.
"""

import math
import re
import struct
from dataclasses import dataclass
from typing import Final, Literal

Table = Literal["coil", "discrete", "holding", "input"]
TABLES: Final[tuple[Table, ...]] = ("coil", "discrete", "holding", "input")
_CODES: Final = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
_BIT: Final = re.compile(r"bit(\d|1[0-5])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One value of a map.

    Attributes:
        kind: one of the types, ``bit`` for one bit of a register, empty for a coil or an input bit.
        bit: which bit, counted from the lowest.
        low_first: the low word stands first.
        none: raw value that means "no value"; None where there is none.
    """

    table: Table
    address: int
    kind: str = ""
    bit: int = 0
    low_first: bool = False
    none: int | None = None

    @property
    def is_bits(self) -> bool:
        """Whether it stands in a table of bits."""
        return self.table in ("coil", "discrete")

    @property
    def count(self) -> int:
        """How many registers it takes, or bits."""
        return 1 if self.kind in ("", "bit") else struct.calcsize(_CODES[self.kind]) // 2

    def decode(self, data: bytes) -> float:
        """The number in its registers' bytes; NaN for "no value" and what is no finite number."""
        if self.kind == "bit":
            return float(int.from_bytes(data, "big") >> self.bit & 1)
        data = self._ordered(data)
        if self.none is not None and int.from_bytes(data, "big") == self.none:
            return math.nan
        value = float(struct.unpack(_CODES[self.kind], data)[0])
        return value if math.isfinite(value) else math.nan

    def encode(self, value: float) -> bytes:
        """The registers' bytes of a number, rounded where the type has whole numbers only.

        Raises:
            OverflowError: the type cannot carry it, or it would mean "no value".
        """
        code = _CODES[self.kind]
        number = value if code[1] in "fd" else round(value)
        try:
            data = struct.pack(code, number)
        except struct.error as error:
            raise OverflowError(f"{self.kind} cannot carry {value:g}: {error}") from None
        if self.none is not None and int.from_bytes(data, "big") == self.none:
            raise OverflowError(f'{value:g} means "no value" here')
        return self._ordered(data)

    def _ordered(self, data: bytes) -> bytes:
        if not self.low_first:
            return data
        words = [data[at : at + 2] for at in range(0, len(data), 2)]
        return b"".join(reversed(words))


def parse_place(at: str) -> Place:
    """A place as a device model writes it; see `mallee.core.protocols.modbus`.

    Raises:
        ValueError: it is none; the message says what is wrong with it.
    """
    table, *rest = at.split(":")
    if table not in TABLES or not rest:
        raise ValueError(f"{at!r} does not begin with one of {', '.join(TABLES)} and an address")
    try:
        address = int(rest[0], 0)
    except ValueError:
        raise ValueError(f"{rest[0]!r} is no address") from None
    bits = table in ("coil", "discrete")
    kind, options = ("", rest[1:]) if bits or len(rest) < 2 else (rest[1], rest[2:])
    found = _BIT.fullmatch(kind)
    if not bits and kind not in _CODES and not found:
        raise ValueError(f"{kind!r} is no type; there are {', '.join(_CODES)} and bit0..bit15")
    none, low_first = None, False
    for option in options:
        if option == "low-first" and not bits:
            low_first = True
        elif option.startswith("none=") and not bits and not found:
            none = int(option.removeprefix("none="), 0)
        else:
            raise ValueError(f"{option!r} is no option here; there are low-first and none=NUMBER")
    place = Place(
        table=table,
        address=address,
        kind="bit" if found else kind,
        bit=int(found[1]) if found else 0,
        low_first=low_first,
        none=none,
    )
    if not 0 <= address <= 0x10000 - place.count:
        raise ValueError(f"address {address} is outside 0..{0x10000 - place.count}")
    return place
