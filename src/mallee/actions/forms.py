"""What each action needs to know: one struct an action, checked where it comes in.

API, command line, page and OpenAPI are made from these fields; their `description` is what people
read. Powers are W, a `for` is a length of time such as ``30m``.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mallee.core.request import GRID, SITE

Reason = Annotated[str, Meta(min_length=3, max_length=300, description="why, for the audit")]
Length = Annotated[
    str,
    Meta(pattern=r"^(\d+(\.\d+)?[smhdw])+$", max_length=20, description="how long, such as 30m"),
]
Place = Annotated[
    str,
    Meta(
        pattern=r"^(\*|(tenant:)?[A-Za-z0-9_-][A-Za-z0-9_./*?-]*)$",
        max_length=200,
        description="a pod, rack or device such as pod1/r1, tenant:NAME, or * for the site",
    ),
]
PowerW = Annotated[float, Meta(ge=0.0, le=1e12, description="a power in W")]


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every action needs."""

    reason: Reason


class Leased(Form, frozen=True, kw_only=True):
    """What ends by itself."""

    for_: Length = msgspec.field(default="1h", name="for")


class AtPlace(Leased, frozen=True, kw_only=True):
    """What is about one place."""

    where: Place


class Everywhere(Leased, frozen=True, kw_only=True):
    """What is about a place, or about the site where none is named."""

    where: Place = SITE


class ImportLimit(Leased, frozen=True, kw_only=True):
    """The most that may be imported, or flow in a metered branch."""

    limit_w: PowerW
    where: Annotated[Place, Meta(description="grid, or a branch with a meter")] = GRID


class PlaceLimit(AtPlace, frozen=True, kw_only=True):
    """The most that the loads of a place may draw together."""

    limit_w: PowerW


class BatteryPower(AtPlace, frozen=True, kw_only=True):
    """The power of one battery."""

    charge_w: Annotated[float, Meta(ge=-1e12, le=1e12, description="W; negative discharges")]


class BatteryMode(AtPlace, frozen=True, kw_only=True):
    """Who steers one battery."""

    mode: Annotated[
        Literal["own", "set-point"],
        Meta(description="own: its mode at the meter; set-point: the power that control gives"),
    ]


class Supply(AtPlace, frozen=True, kw_only=True):
    """The coolant's supply temperature of a CDU."""

    supply_degc: Annotated[float, Meta(ge=-50.0, le=100.0, description="degC")]


class Note(Form, frozen=True, kw_only=True):
    """Something worth writing down."""

    where: Place = SITE
