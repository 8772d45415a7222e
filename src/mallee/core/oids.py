"""Places of SNMP points: an object, and what else must be known before its number means something.

Drivers and emulators both work from a model's places; they share this and nothing of the wire.
"""

import math
import re
from dataclasses import dataclass
from typing import Final

_OID: Final = re.compile(r"[0-2](\.\d+)+")
_TEXT_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
UNIT: Final = "unit"
"""Stands in an object identifier for the number of the unit in its chain."""

_SI: Final = {code: 10.0 ** (3 * (code - 9)) for code in range(1, 18)}
"""`EntitySensorDataScale` (RFC 3433): yocto is 1, units are 9, yotta is 17."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One value of an agent.

    Attributes:
        oid: the object's identifier, without a leading dot.
        none: raw values that mean "no value", besides those of the protocol's options.
        digits: object that says how many decimal digits the number has; empty where none does.
        si: object that says the number's SI prefix by `EntitySensorDataScale`.
        ok: object and the value that it must have for the number to mean anything.
        equals: the point is 1 where the number is this one, else 0.
    """

    oid: str
    none: tuple[int, ...] = ()
    digits: str = ""
    si: str = ""
    ok: tuple[str, int] | None = None
    equals: int | None = None

    @property
    def oids(self) -> tuple[str, ...]:
        """Everything that has to be asked for."""
        needed = (self.oid, self.digits, self.si, self.ok[0] if self.ok else "")
        return tuple(oid for oid in needed if oid)

    def value(self, objects: "Objects", none: tuple[int, ...]) -> float:
        """The number here; NaN where the agent gives none, or says that it means nothing.

        Args:
            objects: what the agent said, by object identifier.
            none: raw values that mean "no value" everywhere in this device.
        """
        raw = number_of(objects.get(self.oid))
        if math.isnan(raw) or raw in none or raw in self.none:
            return math.nan
        if self.ok is not None and number_of(objects.get(self.ok[0])) != self.ok[1]:
            return math.nan
        if self.equals is not None:
            return float(raw == self.equals)
        return raw * self.factor(objects)

    def factor(self, objects: "Objects") -> float:
        """What the raw number is multiplied by; NaN where the agent does not say it."""
        factor = 1.0
        if self.digits:
            digits = number_of(objects.get(self.digits))
            factor = 10.0**-digits if 0 <= digits <= 18 else math.nan
        if self.si:
            factor *= _SI.get(int_or_zero(objects.get(self.si)), math.nan)
        return factor


Value = int | float | str | bytes | None
Objects = dict[str, Value]
"""What an agent said, by object identifier."""


def number_of(raw: Value) -> float:
    """A value as a number; NaN for what is none. Agents give decimals as text, too."""
    if isinstance(raw, bool) or raw is None:
        return math.nan
    if isinstance(raw, int | float):
        return float(raw) if math.isfinite(raw) else math.nan
    text = raw.decode("ascii", "replace") if isinstance(raw, bytes) else raw
    found = _TEXT_NUMBER.fullmatch(text.strip().rstrip("\0"))
    number = float(found[0]) if found else math.nan
    return number if math.isfinite(number) else math.nan


def int_or_zero(raw: Value) -> int:
    """A code of an enumeration; 0, which none has, for what is no number."""
    number = number_of(raw)
    return int(number) if math.isfinite(number) and number == int(number) else 0


def text_of(raw: Value) -> str:
    """A value as one line of text; empty for none. Some agents send a closing zero byte."""
    if raw is None:
        return ""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def parse_oid(text: str) -> str:
    """An object identifier without its leading dot; `unit` may stand for one number.

    Raises:
        ValueError: it is none.
    """
    oid = text.removeprefix(".")
    if not _OID.fullmatch(".".join("1" if one == UNIT else one for one in oid.split("."))):
        raise ValueError(f"{text!r} is no object identifier such as 1.3.6.1.2.1.33.1.2.4.0")
    return oid


def parse_place(at: str, unit: str = "1") -> Place:
    """A place as a device model writes it; see `core.protocols.snmp`.

    Args:
        unit: the number of the unit in its chain.

    Raises:
        ValueError: it is none; the message says what is wrong with it.
    """
    first, *options = at.split(":")
    found: dict[str, str] = {}
    none = []
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or name not in ("none", "digits", "si", "ok", "is") or name in found:
            hint = "there are none=, digits=, si=, ok= and is="
            raise ValueError(f"{option!r} is no option here; {hint}")
        if name == "none":
            none.append(_whole(text))
        else:
            found[name] = text
    ok_oid, slash, ok_value = found.get("ok", "").partition("/")
    if "ok" in found and not slash:
        raise ValueError(f"'ok={ok_oid}' names no value: write ok=OID/VALUE")
    return Place(
        oid=_at(first, unit),
        none=tuple(none),
        digits=_at(found["digits"], unit) if "digits" in found else "",
        si=_at(found["si"], unit) if "si" in found else "",
        ok=(_at(ok_oid, unit), _whole(ok_value)) if slash else None,
        equals=_whole(found["is"]) if "is" in found else None,
    )


def _at(text: str, unit: str) -> str:
    return ".".join(unit if one == UNIT else one for one in parse_oid(text).split("."))


def _whole(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


MAKERS: Final = {
    9: "Cisco",
    232: "HPE",
    318: "APC",
    476: "Vertiv",
    534: "Eaton",
    674: "Dell",
    1718: "Server Technology",
    8072: "net-snmp",
    10876: "Supermicro",
    13742: "Raritan",
    21239: "Geist",
    30065: "Arista",
    33049: "NVIDIA Mellanox",
}
"""Names by private enterprise number, as IANA lists them; the short form of each."""


def maker_of(sys_object_id: str) -> str:
    """Whose `sysObjectID` it is; empty for what is no private enterprise."""
    found = re.match(r"\.?1\.3\.6\.1\.4\.1\.(\d+)(\.|$)", sys_object_id)
    if found is None:
        return ""
    return MAKERS.get(int(found[1]), f"enterprise {found[1]}")
