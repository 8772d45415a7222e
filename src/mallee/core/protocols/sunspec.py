"""SunSpec over Modbus TCP. The MODBUS organisation registered port 502 (IANA: mbap)."""

from typing import Final

import msgspec

from mallee.core.protocol import Part, ProtocolFacts

UNIT_ID: Final = r"[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]"


class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a device model says of its SunSpec side.

    Attributes:
        models: numbers of the SunSpec models that it serves, in the order of its chain.
        unit_id: Modbus unit id where the device's address gives none.
    """

    models: list[int] = []
    unit_id: int = 1


def _unit_of(options: Options, _name: str) -> str:
    return str(options.unit_id)


FACTS: Final = ProtocolFacts(
    direction="polled",
    transport="tcp",
    port=502,
    part=Part(
        words="a Modbus unit id 0..255",
        pattern=UNIT_ID,
        default=_unit_of,
    ),
    line="modbus",
    options=Options,
)
