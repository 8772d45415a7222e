"""What every part of the twin can be asked, so that the twin goes over them instead of naming them.

A part is the physics of some kinds of device: it is built from the site, hangs its loads on the
power tree, takes what is written to its devices, moves on, and shows its points. A folder or a
file in `parts/` with a `PART` is found by itself.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from mallee.core.arrays import BoolArray, FloatArray, IntArray
from mallee.core.errors import Rejected
from mallee.site.model import DeviceGroup, SiteModel
from mallee.site.simulated import Twin
from mallee.twin.clock import Clock
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.local_time import LocalTime
from mallee.twin.weather import Weather

Saved = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a part is built from.

    Attributes:
        settings: the site's `[twin]`.
        local, weather: local time, air and sun of the run.
        mode: `rack` keeps one mean state a rack instead of one an accelerator.
    """

    site: SiteModel
    settings: Twin
    seed: int
    clock: Clock
    local: LocalTime
    weather: Weather
    mode: Literal["gpu", "rack"] = "gpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Things of a part that draw (or, negative, give) the same power over a whole block.

    Attributes:
        branch, standby: where each hangs, and its second feed or -1.  # (things,)
        curve: the ride-through curve that guards them.
        power_w: what each asks for; the part writes it at the ends of blocks.  # (things,)
        powered: whether each has supply; the twin writes it.  # (things,)
        is_source: it gives into the tree: it needs a living branch, and is counted as generation.
    """

    branch: IntArray
    standby: IntArray
    curve: str
    power_w: FloatArray
    powered: BoolArray
    is_source: bool = False


class Part:
    """The physics of some kinds of device; each part overrides what it has.

    Attributes:
        kinds: names of the kinds of device whose points it shows and whose writes it takes.
        is_fast: it shows its points at the end of every block instead of every second.
    """

    kinds: tuple[str, ...] = ()
    is_fast: bool = False

    def loads(self) -> tuple[Load, ...]:
        """What it hangs on the power tree."""
        return ()

    def attach(self, plant: ElectricalArrays) -> None:
        """Take the arrays of the whole electrical site, once they are put together."""

    def write(
        self, kind: str, number: int, point: str, value: float, lease_s: float, time_ms: int
    ) -> None:
        """A set point reaches a device.

        Args:
            number: position of the device among all of its kind.

        Raises:
            Rejected: the device declines.
        """
        del value, lease_s, time_ms
        raise Rejected(f"{kind} {number + 1}: {point} cannot be written")

    def forget(self, kind: str, number: int) -> None:
        """The controller of a device loses its set points and goes on as it starts.

        Args:
            number: position of the device among all of its kind.
        """

    def tick(self, time_ms: int) -> None:
        """The end of a block, before the power tree tells who has voltage."""

    def step_second(self, time_ms: int, dt_s: float, ambient_degc: float) -> None:
        """The end of a thermal step of `dt_s`."""

    def step_slow(self, time_ms: int, dt_s: float) -> None:
        """The end of a minute."""

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """Names of the points of a group that it shows."""
        del group
        return ()

    def show(self, true_points: FloatArray) -> None:
        """Write the true value of its points at their rows.  # (points,)"""

    def arrays(self) -> Saved:
        """Every array that changes, by name; live, not copies."""
        return {}

    def save(self) -> Saved:
        """A copy of everything that changes."""
        return {name: array.copy() for name, array in self.arrays().items()}

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Back to what `save` gave."""
        for name, array in self.arrays().items():
            array[...] = saved[name]

    def terms_wh(self) -> dict[str, float]:
        """Where energy that came through the meters since the start went, or came from (< 0)."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartKind:
    """A part that the twin builds.

    Attributes:
        order: parts are built, stepped and saved in this order.
        name: its folder or file in `parts`; the registry says it.
    """

    order: int
    build: Callable[[Build], Part]
    name: str = ""
