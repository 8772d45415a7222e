"""Who a device says it is, and whether that is who it should be."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a device says of itself; a field is empty where its protocol or the device is silent."""

    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""

    def __str__(self) -> str:
        """Maker and model, and what else is known."""
        text = " ".join(part for part in (self.manufacturer, self.model) if part) or "unnamed"
        text += f", firmware {self.firmware}" if self.firmware else ""
        return text + (f", serial {self.serial}" if self.serial else "")


def spoken(wanted: Mapping[str, str], protocol: str, field: str, otherwise: str) -> str:
    """What an emulated device says of itself, so that it is taken for the one described."""
    return wanted.get(f"{protocol}_{field}", otherwise).replace("*", "")


FIELDS = tuple(field.name for field in fields(Identity))


def mismatch(wanted: Mapping[str, str], protocol: str, found: Identity) -> str:
    """Why a device is not the one that a catalogue model describes; empty where it may be.

    What the device does not say is not held against it.

    Args:
        wanted: `[identity]` of the model: by ``<protocol>_<field>``, such as ``redfish_model``, a
            pattern as of file names, in which case does not count.
        found: what the device said over `protocol`.
    """
    for field in FIELDS:
        pattern = wanted.get(f"{protocol}_{field}", "")
        said = " ".join(str(getattr(found, field)).split())
        if pattern and said and not fnmatchcase(said.casefold(), pattern.casefold()):
            return f"its {field} is {said!r}, not {pattern!r}"
    return ""
