"""DNP3 (IEEE 1815) over TCP: outstations that are polled. IANA registered port 20000 (dnp).

A point's `at` is ``TABLE:index``: AI and BI are inputs, AO and BO what can be set, CT counters. An
output whose reading stands at an input of its own, as in DNP3 profiles of power stations, says
both: ``AO:120/AI:182`` is set at AO120 and read at AI182. Without the second part an output is
read at its own status (groups 10 and 40).
"""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from mallee.core.protocol import Part, ProtocolFacts

Table = Literal["AI", "BI", "AO", "BO", "CT"]
_PLACE: Final = re.compile(r"(AI|BI|AO|BO|CT):(\d{1,5})(?:/(AI|BI):(\d{1,5}))?")
INDEX_MAX: Final = 65_535
LINK_MAX: Final = 65_519
"""Link addresses above are reserved (IEEE 1815-2012, 9.2.4.1.3)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One point of an outstation."""

    table: Table
    index: int

    def __str__(self) -> str:
        """As a device model writes it."""
        return f"{self.table}:{self.index}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point is read, and where it is set; None where it cannot be."""

    read: Slot
    set: Slot | None


def parse_place(at: str) -> Place:
    """A point's place.

    Raises:
        ValueError: it is none; the message says what is wrong with it.
    """
    found = _PLACE.fullmatch(at)
    if found is None:
        raise ValueError(f"{at!r} is no DNP3 point")
    table, index, other, mirror = found.groups()
    own = _slot(table, index)
    output = own if own.table in ("AO", "BO") else None
    if other is None:
        return Place(read=own, set=output)
    if output is None or other[0] != table[0]:
        raise ValueError(f"{at!r}: {own} is not read back at {other}:{mirror}")
    return Place(read=_slot(other, mirror), set=output)


def _slot(table: str, index: str) -> Slot:
    if int(index) > INDEX_MAX:
        raise ValueError(f"{table}:{index}: an index is at most {INDEX_MAX}")
    return Slot(msgspec.convert(table, Table), int(index))


class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a device model says of its DNP3 side.

    Attributes:
        outstation: link address of the device where its own address in the site file gives none.
        master: link address that we speak from; many outstations listen to one master only.
        reversion: by output, the output that holds how many seconds it stands without being
            written again: ``{ "AO:146" = "AO:145" }``, with its read-back as in a point's `at`.
    """

    outstation: Annotated[int, msgspec.Meta(ge=0, le=LINK_MAX)] = 1
    master: Annotated[int, msgspec.Meta(ge=0, le=LINK_MAX)] = 100
    reversion: dict[str, str] = {}


def _outstation_of(options: Options, _name: str) -> str:
    return str(options.outstation)


FACTS: Final = ProtocolFacts(
    direction="polled",
    transport="tcp",
    port=20000,
    part=Part(words="a DNP3 link address 0..65519", pattern=r"\d{1,5}", default=_outstation_of),
    options=Options,
)
