"""SNMP v2c and v3 over UDP (RFC 3416, RFC 3414); port 161 (IANA: snmp).

A point's `at` is an object identifier in numbers, with options behind it:

    1.3.6.1.4.1.318.1.1.26.4.3.1.5.unit                 `unit` is the number of a unit in its chain
    1.3.6.1.2.1.33.1.2.7.0:none=0                       "no value" besides the protocol's own `none`
    1.3.6.1.4.1.13742.6.5.2.3.1.4.1.1.5:digits=OID      OID says how many decimal digits
    1.3.6.1.2.1.99.1.1.1.4.7:si=OID:ok=OID/1            SI prefix, and a state it must be in
    1.3.6.1.2.1.33.1.4.1.0:is=5                         1 where it is 5, else 0

A login makes it version 3, with its password for authentication and encryption. Without one it is
version 2c with the community `public`; another community is the login ``community:SECRET``.
"""

from typing import Annotated, Final, Literal

import msgspec

from mallee.core.protocol import Part, ProtocolFacts

COMMUNITY_USER: Final = "community"
"""The user name of a login whose password is a community of version 2c."""


class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a device model says of its SNMP side.

    Attributes:
        none: raw values that mean "no value" at every place; makers write -1 for what a device
            does not measure.
        longest: most objects in one request.
        first_unit: what the maker calls the first or only unit of a chain.
        hash: of version 3's authentication.
        cipher: of version 3's encryption; none where it is not encrypted.
        product, firmware, serial: objects that say who it is; without them `sysDescr` does.
    """

    none: tuple[int, ...] = (-1,)
    longest: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    first_unit: Annotated[int, msgspec.Meta(ge=0, le=99)] = 1
    hash: Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] = "sha1"
    cipher: Literal["none", "des", "aes128", "aes192", "aes256"] = "aes128"
    product: str = ""
    firmware: str = ""
    serial: str = ""


def _first_unit(options: Options, _name: str) -> str:
    return str(options.first_unit)


FACTS: Final = ProtocolFacts(
    direction="polled",
    transport="udp",
    port=161,
    login="optional",
    part=Part(words="a unit in its chain, 0..99", pattern=r"\d|[1-9]\d", default=_first_unit),
    options=Options,
)
