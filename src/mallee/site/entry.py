"""What every table of the site file is made of: bounded values, names, devices."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=100_000)]
NotNegativeInt = Annotated[int, Meta(ge=0)]
NAME_PATTERN = r"^[a-zA-Z0-9_{][a-zA-Z0-9._{}-]*$"
Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Priority = Annotated[int, Meta(ge=-100, le=100)]
CLOCK_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"
ClockTime = Annotated[str, Meta(pattern=CLOCK_PATTERN)]
DATE_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
CalendarDate = Annotated[str, Meta(pattern=DATE_PATTERN)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
FedBy = str | list[str]
Address = str | dict[str, str]


class Entry(
    msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True
):
    """Base of every table in the file: a key that is not listed is an error."""


class Device(Entry, frozen=True, kw_only=True):
    """One device, or several alike by a range in the name.

    Attributes:
        model: a catalogue model.
        fed_by: the branch above it; two branches mean it can transfer to the second.
        measures: of a meter: the branch whose flow it reads; a feed names its own meter.
        serves: of a plant device: the pods whose heat it rejects; all where empty.
        priority: who is served first when power is short; higher first.
        tenant: whose it is.
        address: ``host:port``, or one per protocol (``{ redfish = "...", dcgm = "..." }``).
            A simulated site needs none.
        credentials: the name of a login in the secrets file; never the login itself.
        tls_ca: PEM file of the authority that signed the device's certificate, where it is not one
            that the system trusts.
    """

    name: Name
    model: str
    fed_by: FedBy = ""
    measures: str = ""
    serves: list[str] = []
    priority: Priority = 0
    tenant: str = ""
    address: Address = ""
    credentials: str = ""
    tls_ca: str = ""
