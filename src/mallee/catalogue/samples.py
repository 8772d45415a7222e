"""Samples: what devices say on the wire, and what that means, one JSON file a device model.

A sample is *recorded* from a device, *documented* by its maker or a standard, or *assumed* in the
shape that its protocol's schema gives it. Replayed over a socket it proves that the model finds its
points there; `mallee record` writes the same form.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

from mallee.core.errors import ConfigError

SAMPLES_FOLDER = Path(__file__).parent / "samples"


class Sample(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One device at one moment.

    Attributes:
        model: the device model that it is a sample of; empty where none is known.
        source: where it comes from, for people.
        mark: how far to trust that a device of the model says just this.
        content: by protocol, what the device says, in the protocol's own form. Redfish: resources
            by path below the service root. SNMP: values by object identifier. DCGM: the page.
            Modbus: by table and first address, register words; SunSpec: words by first address.
            OCPP: the messages of the station, action and payload each.
        readings: by point, the value that these make; null where they make none.
    """

    model: str = ""
    source: str
    mark: Literal["recorded", "documented", "assumed"]
    content: dict[str, Any]
    readings: dict[str, float | None] = {}


def load_sample(path: Path) -> Sample:
    """A sample from its file.

    Raises:
        ConfigError: it cannot be read, or is no sample.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Sample)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "`mallee record` writes samples"
        raise ConfigError(str(path), f"is no sample: {error}", hint) from None


def sample_of(model: str) -> Sample | None:
    """The sample that comes with a shipped model; None where there is none."""
    path = SAMPLES_FOLDER / f"{model}.json"
    return load_sample(path) if path.exists() else None
