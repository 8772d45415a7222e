"""What a kind of device is: a row of facts that the rest of the code looks up.

Nothing else compares names of kinds. Whoever wants to know whether a device consumes, what it may
draw, which of its points may be written and how it is drawn asks its row here.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from mallee.core.device_model import DeviceModel, Sensor

Stands = Literal["site", "pod", "rack"]

Role = Literal["measures", "load", "source", "storage", "in_line", "passes"]
"""What a device is to the power tree.

`measures` carries nothing itself, `load` consumes, `source` gives, `storage` does both, `in_line`
is itself a branch that carries what hangs below it (UPS, PDU, transfer switch), `passes` hands on
what others draw and is counted with them (the power shelf of a rack).
"""

How = Literal["sum", "mean", "max", "min"]
"""How readings of several devices become one number."""

Bound = float | str
"""A number, or the name of a parameter of the model; a leading minus negates it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointKind:
    """A quantity that devices of a kind have, by a pattern of its name; the first that fits counts.

    Attributes:
        name: such as ``power_w``, or ``gpu*_power_w`` for one an accelerator.
        needed: the twin (and so control on it) cannot do without it.
        write: lowest and highest value that may be written; None for what is only read.
        lease_s: how long a written value holds in the device without being renewed; 0 where it
            stands until it is written again, so that the value alone must be safe.
        plausible: lowest and highest reading that can be true; None leaves it to the unit.
        tolerance_frac: how far a reading may lie from what was written and still prove it.
        sensor: how a simulated device's reading differs from the truth.
        shown: how the reading is joined where several devices share a box of the diagram; None for
            what the diagram leaves out.
        total: what its sum over the site is called in a summary; empty for what has none.
    """

    name: str
    needed: bool = False
    write: tuple[Bound, Bound] | None = None
    lease_s: float = 0.0
    plausible: tuple[float, float] | None = None
    tolerance_frac: float = 0.01
    sensor: Sensor | None = None
    shown: How | None = None
    total: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How a device appears on the one-line diagram.

    Attributes:
        symbol: what the page paints in its box; one that it does not know becomes a plain box.
        order: from left to right among what hangs on one branch.
        label: what people call one of them.
    """

    symbol: str
    order: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKind:
    """One kind of device.

    Attributes:
        name: as catalogue models say it.
        stands: where it may stand.
        order: devices are numbered kind by kind in this order.
        table: its key at the site and in a pod: ``[[battery]]``, ``cdu = [...]``.
        rack_table: its key in a rack: ``nodes = {...}``.
        letter: what members of a rack are called by, ``n1``, ``sw1``; empty outside racks.
        role: what it is to the power tree.
        least: parameter that says what control can hold it down to; empty where control cannot
            reduce it at all.
        least_w: what holds where the model does not give that parameter; None for its maximum.
        power: point that says what it draws; empty where none does.
        points: what it can be asked and told.
        parameters: physics and limits that the twin cannot do without.
        two_feeds: whether it may name two branches in `fed_by`: it has two cords, or an input each
            for rectifier and bypass. A branch or battery that took two would join them.
        protects: carries its load through an outage and has no thermal reserve: more load than its
            rating is an error, not only a loss.
        synchronous: a machine that must not meet another source without synchronising gear.
        drawing: how it is drawn; None for what only its rack shows.
    """

    name: str
    stands: tuple[Stands, ...]
    order: int
    role: Role
    table: str = ""
    rack_table: str = ""
    letter: str = ""
    least: str = ""
    least_w: float | None = None
    power: str = ""
    points: tuple[PointKind, ...] = ()
    parameters: tuple[str, ...] = ()
    two_feeds: bool | None = None
    protects: bool = False
    synchronous: bool = False
    drawing: Drawing | None = None

    @property
    def consumes(self) -> bool:
        """Whether what it draws is counted where it hangs."""
        return self.role in ("load", "storage")

    @property
    def is_fixed(self) -> bool:
        """Whether it is a load that control cannot reduce."""
        return self.role == "load" and not self.least

    @property
    def takes_two_feeds(self) -> bool:
        """Whether it may name two branches; loads have two cords where the row says nothing."""
        return self.role == "load" if self.two_feeds is None else self.two_feeds

    @property
    def is_settable(self) -> bool:
        """Whether any of its points may be written."""
        return any(row.write is not None for row in self.points)

    def missing_points(self, model: DeviceModel) -> list[str]:
        """Points that control and twin cannot do without and that a model lacks."""
        return [row.name for row in self.points if row.needed and row.name not in model.index]

    def unknown_points(self, model: DeviceModel) -> list[str]:
        """Points of a model that the kind does not know: read, kept and shown all the same."""
        return [name for name in model.index if self.point(name) is None]

    def missing_parameters(self, model: DeviceModel) -> list[str]:
        """Parameters that the twin cannot do without and that a model does not give."""
        given = model.physics.keys() | model.limits.keys()
        return [name for name in self.parameters if name not in given]

    def range_w(self, model: DeviceModel) -> tuple[float, float]:
        """Least that control can hold one device to, and the most it may draw, in W.

        What only measures, gives, or hands on the power of others draws nothing of its own here.
        """
        if not self.consumes:
            return 0.0, 0.0
        most_w = model.power_max_w
        if not self.least:
            return most_w, most_w
        otherwise_w = most_w if self.least_w is None else self.least_w
        return model.parameter_or(self.least, otherwise_w), most_w

    def point(self, name: str) -> PointKind | None:
        """The row that a point falls under; None for a point that the kind does not know."""
        return next((row for row in self.points if fnmatchcase(name, row.name)), None)

    def write_range(self, model: DeviceModel, name: str) -> tuple[float, float] | None:
        """Lowest and highest value that may be written to a point; None where none may be."""
        row = self.point(name)
        if row is None or row.write is None:
            return None
        low, high = (_value(model, bound) for bound in row.write)
        return low, high


def _value(model: DeviceModel, bound: Bound) -> float:
    if not isinstance(bound, str):
        return bound
    sign, name = (-1.0, bound[1:]) if bound.startswith("-") else (1.0, bound)
    return sign * (model.power_max_w if name == "power_max_w" else model.parameter(name))
