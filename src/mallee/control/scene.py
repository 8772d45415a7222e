"""What every concern looks at: one decision's worth of readings, memory and capacities."""

from collections.abc import Sequence
from dataclasses import dataclass

from mallee.control.limits import Limits
from mallee.control.state import ControlState
from mallee.control.view import LoadsView, View
from mallee.core.arrays import BoolArray, FloatArray
from mallee.core.request import Request
from mallee.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What one metered branch is to stay under.

    Attributes:
        power_w: including the margin.
        shown_w: the number that people know: the contract, or what was asked for.
        name: what people call the limit: ``import limit``, ``demand window evening``.
        request: who asked for it; None for contract and plan.
    """

    power_w: float
    shown_w: float
    name: str
    request: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything a concern may know.

    Attributes:
        snapshot: all readings, for what the views leave out.
        state: memory, already brought up to date with this look.
        flow_w: each metered branch, mean of the last second; what stands in for a meter that is
            not trusted is in it, too.  # (metered,)
        load_w: what the site takes without its batteries, mean of the last second.
        other_w: what flows beside steerable loads, by branch.  # (branches,)
        support_w: what each battery has proved or is believed to give.  # (batteries,)
        aims: what each metered branch is to stay under.
        capacity_w: what the steerable loads below each branch may draw together.  # (branches,)
        requests: in force now.
        pinned: loads under maintenance: they are left alone and count with all that they may
            draw.  # (loads,)
        set_point_batteries: those whose own mode rests because somebody asks for it.
        period_s: time to the next decision.
    """

    limits: Limits
    snapshot: Snapshot
    view: View
    loads: LoadsView
    state: ControlState
    flow_w: FloatArray
    load_w: float
    other_w: FloatArray
    support_w: Sequence[float]
    aims: tuple[Aim, ...]
    capacity_w: FloatArray
    requests: tuple[Request, ...]
    pinned: BoolArray
    set_point_batteries: frozenset[str]
    time_s: float
    period_s: float

    @property
    def import_w(self) -> float:
        """Import of all feeds over the last second."""
        return float(self.flow_w[: self.limits.feeds].sum())

    @property
    def import_aim_w(self) -> float:
        """What all feeds together are to stay under."""
        return sum(aim.power_w for aim in self.aims[: self.limits.feeds])

    @property
    def covered(self) -> bool:
        """Whether batteries in sight take swings at the meter on their own, and deliver."""
        return any(
            battery.seen
            and battery.limits.smooths
            and battery.limits.name not in self.set_point_batteries
            and battery.discharge_max_w > 0.0
            and trust.failures == 0
            for battery, trust in zip(self.view.batteries, self.state.trusts, strict=True)
        )
