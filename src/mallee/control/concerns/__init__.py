"""The concerns of control, in the order in which they narrow and speak.

A concern is a row: it narrows the bounds of loads, each with a reason, and says in a sentence what
it does while it binds. What comes later sees what came before; nothing can widen.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mallee.control.bounds import Bounds
from mallee.control.concerns import capacity, handover, heat, modes, ramp, release, requests
from mallee.control.scene import Scene
from mallee.control.why import Why

Narrow = Callable[[Scene, Bounds], Bounds]
Explain = Callable[[Scene, Bounds], Why | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One row.

    Attributes:
        name: as reasons say it.
        what: one sentence for people.
        narrow: the bounds with this concern's narrowings.
        explain: what it does now, None while it does not bind; left out where what causes it
            speaks for it.
    """

    name: str
    what: str
    narrow: Narrow
    explain: Explain | None = None


CONCERNS: tuple[Concern, ...] = (
    Concern(
        name=heat.NAME,
        what="A loop that loses its flow and dies near their throttle point take power off nodes.",
        narrow=heat.narrow,
        explain=heat.explain,
    ),
    Concern(
        name=requests.NAME,
        what="People, schedulers and the grid may ask for less; each request has a lease.",
        narrow=requests.narrow,
        explain=requests.explain,
    ),
    Concern(
        name=modes.NAME,
        what="Hold raises nothing, safe stop lowers all, maintenance leaves a place alone.",
        narrow=modes.narrow,
        explain=modes.explain,
    ),
    Concern(
        name=ramp.NAME,
        what="Cars take no more than the contract's ramp and what the batteries cover of it.",
        narrow=ramp.narrow,
        explain=ramp.explain,
    ),
    Concern(
        name=capacity.NAME,
        what="No feed, transformer or breaker carries more than it may, plant and losses included.",
        narrow=capacity.narrow,
        explain=capacity.explain,
    ),
    Concern(
        name=release.NAME,
        what="Caps are lowered at once and given back slowly.",
        narrow=release.narrow,
        explain=release.explain,
    ),
    Concern(
        name=handover.NAME,
        what="What one load gives up goes to another only once it is seen to be given up.",
        narrow=handover.narrow,
    ),
)
"""In order."""


def narrow_all(scene: Scene, bounds: Bounds) -> Bounds:
    """The bounds that all concerns leave."""
    for concern in CONCERNS:
        bounds = concern.narrow(scene, bounds)
    return bounds


def explain_all(scene: Scene, bounds: Bounds) -> Why | None:
    """What the first concern that binds has to say."""
    for concern in CONCERNS:
        said = None if concern.explain is None else concern.explain(scene, bounds)
        if said is not None:
            return said
    return None
