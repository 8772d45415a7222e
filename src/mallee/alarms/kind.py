"""What an alarm is: a row that says when it comes, how much it matters, and what a person does.

After ISA-18.2: an alarm needs a response, so a row without one is none. What only informs stays an
event. Priorities are 1 (now), 2 (within minutes), 3 (this shift); EEMUA 191 asks for about 5, 15
and 80 per cent of them.
"""

from dataclasses import dataclass
from typing import Literal

from mallee.kinds import DeviceKind

Limit = float | str
"""A number; a parameter of the device's model; or ``site.NAME`` of the site's control settings."""

About = Literal["site", "devices", "branches", "loops"]

Reach = Literal["", "device", "rack", "pod", "power", "cooling"]
"""What an alarm explains while it stands: its own device, everything in its rack or pod, all that
its branch alone feeds, or every rack that its coolant loop cools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPoint:
    """A reading beyond a limit. What was not read well is no value: it neither raises nor clears.

    Attributes:
        device: kind of device.
        point: name, or a pattern of several, of which the worst counts.
        above, below: one of the two limits.
        margin: added to the limit.
        deadband: how far the reading must come back before the condition is over.
    """

    device: DeviceKind
    point: str
    above: Limit | None = None
    below: Limit | None = None
    margin: float = 0.0
    deadband: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A device, or part of it, that is not read well: the comms alarm of its kind.

    Attributes:
        device: kind of device, or several that are alike in this.
        point: the one that matters; empty for all of the device's points.
        protocol: only the points that it carries, of devices that speak another one, too.
    """

    device: DeviceKind | tuple[DeviceKind, ...]
    point: str = ""
    protocol: str = ""

    @property
    def devices(self) -> tuple[DeviceKind, ...]:
        """The kinds of device."""
        return self.device if isinstance(self.device, tuple) else (self.device,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dark:
    """All devices of a kind in a rack or pod gone at once: that has gone, not each of them.

    A device has gone if none of its points is read well, or if it says that it draws no more than
    its management controller does.

    Attributes:
        below_w: what a device draws that is off and still answers.
    """

    device: DeviceKind
    of: Literal["rack", "pod"]
    below_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of a kind, until the kind that ends it is told of the same source.

    One that nothing ends is over at once: it stands until a person has seen it.

    Attributes:
        also: kinds that say the same of the same source for another reason.
    """

    event: str
    about: About = "site"
    also: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """Every kind that raises it."""
        return self.event, *self.also


Condition = AtPoint | Unreadable | Dark | Told


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmKind:
    """One kind of alarm.

    Attributes:
        name: stable name.
        priority: 1, 2 or 3.
        condition: when it comes and goes.
        consequence: what happens if nobody responds.
        response: what to do.
        respond_within_s: time there is for it.
        on_delay_s, off_delay_s: how long the condition must hold, or be over, before it counts.
        latched: stays until a person resets it, however the condition goes on.
        reach: what it explains while it stands.
        caused_by: kinds that explain this one, where their reach covers its source.
    """

    name: str
    priority: int
    condition: Condition
    consequence: str
    response: str
    respond_within_s: float
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    latched: bool = False
    reach: Reach = ""
    caused_by: tuple[str, ...] = ()
