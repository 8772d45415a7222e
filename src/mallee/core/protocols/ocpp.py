"""OCPP-J: charging stations dial in to us by WebSocket. Source: OCPP 2.0.1 part 4.

The identity is the last part of the address that the station dials, 48 characters at most (part 4,
section 3.1.1).
"""

from typing import Final, Literal

import msgspec

from mallee.core.protocol import Part, ProtocolFacts


class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a device model says of its OCPP side.

    Attributes:
        version: of the protocol.
        evses: how many EVSEs the station has, numbered from 1.
    """

    version: Literal["1.6", "2.0.1"] = "2.0.1"
    evses: int = 1


def _identity_of(_options: Options, name: str) -> str:
    return name.replace("/", ".")


FACTS: Final = ProtocolFacts(
    direction="dials in",
    transport="tcp",
    port=9000,
    login="optional",
    part=Part(
        words="a charging station's identity, 48 characters at most",
        pattern=r"[A-Za-z0-9*_=:+|@.%-]{1,48}",
        default=_identity_of,
    ),
    options=Options,
)
