"""What people and programs can do to a site: one row an action, and nothing else to edit.

From a row come its address in the API, its place in OpenAPI, its command, its form on the page, who
may do it, its preview and its record in the audit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from mallee.actions.forms import (
    AtPlace,
    BatteryMode,
    BatteryPower,
    Everywhere,
    Form,
    ImportLimit,
    Note,
    PlaceLimit,
    Supply,
)
from mallee.core.request import SITE, Ask

Role = Literal["viewer", "operator", "engineer", "admin"]
ROLES: Final[tuple[Role, ...]] = ("viewer", "operator", "engineer", "admin")
"""From least to most; each may do what those before it may."""


class Asked(NamedTuple):
    """What an action asks of control; a `core.request.Request` without who, why and when."""

    ask: Ask
    subject: str
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One row.

    Attributes:
        name: as the command and the address say it.
        what: one sentence for people.
        form: what it needs to know.
        role: who may do it, and everybody above.
        asks: what it asks of control; None for what is only written down.
    """

    name: str
    what: str
    form: type[Form]
    role: Role
    asks: Callable[[Any], Asked | None]


def _to(point: str, value: float, form: AtPlace) -> Asked:
    return Asked("bound", f"{form.where}/{point}", low=value, high=value)


ACTIONS: Final[dict[str, Action]] = {
    row.name: row
    for row in (
        Action(
            name="import-limit",
            what="Import no more than this from the grid, or through a metered branch.",
            form=ImportLimit,
            role="operator",
            asks=lambda form: Asked("bound", form.where, high=form.limit_w),
        ),
        Action(
            name="cap",
            what="Hold all nodes and chargers of a place to a power together.",
            form=PlaceLimit,
            role="operator",
            asks=lambda form: Asked("sum", form.where, high=form.limit_w),
        ),
        Action(
            name="pause",
            what="Bring the loads of a place to their lowest, within the contract's ramp.",
            form=AtPlace,
            role="operator",
            asks=lambda form: Asked("safe-stop", form.where),
        ),
        Action(
            name="charger-limit",
            what="Hold each charger of a place to a power.",
            form=PlaceLimit,
            role="operator",
            asks=lambda form: Asked("bound", f"{form.where}/limit_w", high=form.limit_w),
        ),
        Action(
            name="charger-stop",
            what="Let the chargers of a place give nothing.",
            form=AtPlace,
            role="operator",
            asks=lambda form: Asked("bound", f"{form.where}/limit_w", high=0.0),
        ),
        Action(
            name="battery-power",
            what="Charge or discharge a battery, inside its window and the import limit.",
            form=BatteryPower,
            role="operator",
            asks=lambda form: _to("charge_set_w", form.charge_w, form),
        ),
        Action(
            name="battery-mode",
            what="Let a battery keep the meter by itself, or follow the power that control gives.",
            form=BatteryMode,
            role="engineer",
            asks=lambda form: _to("mode", 2.0 if form.mode == "own" else 1.0, form),
        ),
        Action(
            name="cooling-supply",
            what="Set the supply temperature of a CDU; what it was comes back afterwards.",
            form=Supply,
            role="engineer",
            asks=lambda form: _to("supply_set_degc", form.supply_degc, form),
        ),
        Action(
            name="solar-limit",
            what="Curtail solar generation.",
            form=PlaceLimit,
            role="operator",
            asks=lambda form: Asked("bound", f"{form.where}/output_max_w", high=form.limit_w),
        ),
        Action(
            name="genset-start",
            what="Run a genset; it stops when the time is over.",
            form=AtPlace,
            role="engineer",
            asks=lambda form: _to("start_count", 1.0, form),
        ),
        Action(
            name="out-of-service",
            what="Write nothing to a device, rack or pod and count on nothing there: maintenance.",
            form=AtPlace,
            role="operator",
            asks=lambda form: Asked("maintenance", form.where),
        ),
        Action(
            name="hold",
            what="Raise nothing and follow no plan; limits still lower what they must.",
            form=Everywhere,
            role="operator",
            asks=lambda form: Asked("hold", form.where),
        ),
        Action(
            name="safe-stop",
            what="Bring the whole site to its lowest, within the contract's ramp.",
            form=Everywhere,
            role="operator",
            asks=lambda form: Asked("safe-stop", form.where),
        ),
        Action(
            name="island",
            what="Draw nothing from the grid: batteries carry the site. Opens no breaker.",
            form=Everywhere,
            role="engineer",
            asks=lambda _: Asked("island", SITE),
        ),
        Action(
            name="note",
            what="Write something down in the audit.",
            form=Note,
            role="operator",
            asks=lambda _: None,
        ),
    )
}
"""By name."""


def place_of(form: Form) -> str:
    """What a form is about, as scopes of roles say it."""
    return str(getattr(form, "where", SITE))
