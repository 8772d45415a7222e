"""Plain Modbus: register maps as makers print them, over TCP or RTU frames in a TCP connection.

A point's `at` is ``table:address:type``, the address counted from 0 as it goes over the wire, with
options behind it:

    holding:40:float32           input:0x34:int32:low-first        holding:7:uint16:none=0x8000
    holding:9:bit3               coil:3                            discrete:0

Types are int16, uint16, int32, uint32, int64, uint64, float32, float64 and bit0..bit15 of a
register. ``low-first`` puts the low word first; ``none=`` is what the device writes for "no value".
"""

from typing import Annotated, Final, Literal

import msgspec

from mallee.core.protocol import Part, ProtocolFacts
from mallee.core.protocols.sunspec import UNIT_ID


class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a device model says of its Modbus side.

    Attributes:
        unit_id: Modbus unit id where the device's address gives none.
        framing: `rtu` is what serial servers pass on: unit, PDU and checksum, nothing around.
        longest: most registers that the device gives in one read.
        gap_max: registers between two points that are read along rather than left out.
    """

    unit_id: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    framing: Literal["tcp", "rtu"] = "tcp"
    longest: Annotated[int, msgspec.Meta(ge=1, le=125)] = 125
    gap_max: Annotated[int, msgspec.Meta(ge=0, le=124)] = 16


def _unit_of(options: Options, _name: str) -> str:
    return str(options.unit_id)


FACTS: Final = ProtocolFacts(
    direction="polled",
    transport="tcp",
    port=502,
    part=Part(words="a Modbus unit id 0..255", pattern=UNIT_ID, default=_unit_of),
    line="modbus",
    options=Options,
)
