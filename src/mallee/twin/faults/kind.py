"""What a kind of fault is: a name, the targets and parameters it takes, how it starts and ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from mallee.core.arrays import IntArray
from mallee.site.model import SiteModel
from mallee.twin.comms import CommsHealth
from mallee.twin.faults.overrides import Overrides
from mallee.twin.faults.write_path import WritePath
from mallee.twin.part import Part
from mallee.twin.parts.battery.batteries import Batteries
from mallee.twin.parts.charging.stations import Stations
from mallee.twin.parts.compute import Compute
from mallee.twin.parts.cooling import Cooling
from mallee.twin.parts.generation.gensets import Gensets
from mallee.twin.parts.grid.feeds import Feeds
from mallee.twin.parts.power.branches import Branches
from mallee.twin.parts.solar import Solar
from mallee.twin.sensors import Sensors

TargetKind = str
"""A kind of device, or one of ``grid`` (a utility feed), ``plant``, ``pod``, ``rack``, ``job``,
``breaker``, ``transformer``, ``switch_over`` (a branch with two sources), ``tie``, ``point``."""


class Parts(Protocol):
    """The parts of a twin that faults reach; `SiteTwin` has them all."""

    site: SiteModel
    sensors: Sensors
    comms: CommsHealth
    write_path: WritePath

    def part_of(self, kind: str) -> Part: ...

    @property
    def compute(self) -> Compute: ...

    @property
    def cooling(self) -> Cooling: ...

    @property
    def batteries(self) -> Batteries: ...

    @property
    def chargers(self) -> Stations: ...

    @property
    def branches(self) -> Branches: ...

    @property
    def feeds(self) -> Feeds: ...

    @property
    def gensets(self) -> Gensets: ...

    @property
    def solar(self) -> Solar: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that a fault hits.

    Attributes:
        index: its number among its kind: rack, branch, pod, job, or position among all devices
            of its kind; 0 for the grid and the plant.
        device: device number, -1 where it is no device.
        rows: its points.
    """

    name: str
    kind: TargetKind
    index: int = 0
    device: int = -1
    rows: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number that a fault takes, with unit last in its name.

    Attributes:
        default: used where the plan gives none.
        low, high: what is accepted; the swarm draws within them.
    """

    name: str
    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One fault at one target, resolved.

    Attributes:
        asked: the target as the plan names it, perhaps a pattern.
        overrides: originals of the parameters that faults of this plan have changed.
    """

    asked: str
    target: Target
    values: Mapping[str, float]
    start_ms: int
    until_ms: int
    overrides: Overrides


Action = Callable[[Parts, Occurrence], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """A kind of fault.

    Attributes:
        text: one sentence for people.
        start: makes it so; for a state that can end it may be called again.
        end: makes it whole again; None for what happens at an instant.
        ahead: started at the beginning of the run with its own times, because it has to be exact
            to an electrical step.
        family: the file in `families` that it stands in; the registry says it.
    """

    name: str
    targets: tuple[TargetKind, ...]
    text: str
    start: Action
    end: Action | None = None
    parameters: tuple[Parameter, ...] = ()
    ahead: bool = False
    family: str = ""
