"""A demo-like site whose readings a test sets by hand: what `cycle` sees, without any twin."""

from pathlib import Path

import msgspec
import numpy as np

from mallee.catalogue import load_site
from mallee.control import ControlState, cycle, initial_state, limits_of
from mallee.core.arrays import BoolArray
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.plan import Plan
from mallee.core.request import Request
from mallee.core.snapshot import Quality, Snapshot
from mallee.site.model import SiteModel

EXAMPLE = Path(__file__).parents[2] / "examples/sites/charging-site.toml"


class SiteView:
    """The charging site with all devices answering: half-full battery, idle chargers."""

    def __init__(self, site: SiteModel | None = None) -> None:
        self.site = site or load_site(EXAMPLE)
        self.limits = limits_of(self.site)
        count = self.site.point_count
        self.values = np.zeros(count)
        self.ages_s = np.zeros(count)
        self.quality = np.zeros(count, np.uint8)
        loads = self.limits.budget.loads
        self.values[loads.limit_rows] = loads.most_w
        for battery in self.limits.batteries:
            self.values[battery.rows["soc"]] = 0.6
            self.values[battery.rows["charge_available_w"]] = battery.charge_max_w
            self.values[battery.rows["discharge_available_w"]] = battery.discharge_max_w
        for loop in self.limits.heat.loops:
            self.values[loop.flow_rows] = 5.0
        self.set(import_w=300e3)

    @property
    def nodes(self) -> BoolArray:
        """Which loads are nodes.  # (loads,)"""
        return ~self.limits.budget.loads.is_charger

    def set(
        self, *, import_w: float, charge_w: float = 0.0, chargers_w: tuple[float, ...] = (0.0, 0.0)
    ) -> None:
        """Meter, battery and chargers; the nodes draw what is left, so that readings agree."""
        pods_w = max(0.0, import_w - charge_w - sum(chargers_w))
        loads = self.limits.budget.loads
        self.values[loads.power_rows[self.nodes]] = pods_w / loads.factor[self.nodes].sum()
        self.values[loads.power_rows[~self.nodes]] = chargers_w
        self.values[loads.occupied_rows[~self.nodes]] = np.array(chargers_w) > 0.0
        self.values[self.limits.meter_row] = import_w
        for battery in self.limits.batteries[:1]:
            self.values[battery.rows["charge_w"]] = charge_w

    def lose(self, path: str) -> None:
        """A point goes stale and keeps its last value."""
        row = self.site.find_point(path)
        assert row is not None
        self.quality[row] = Quality.STALE
        self.ages_s[row] = 10.0

    def find(self) -> None:
        """Everything is read again."""
        self.ages_s[:], self.quality[:] = 0.0, 0

    def battery(self, point: str, value: float) -> None:
        """Set a reading of the battery."""
        self.values[self.limits.batteries[0].rows[point]] = value

    def obey(self, commands: list[Command]) -> None:
        """The devices report what they were told."""
        for command in commands:
            self.values[command.rows] = command.values

    def snapshot(self, time_s: float) -> Snapshot:
        """What control sees at a time."""
        return Snapshot(
            time_s=time_s,
            values=self.values.copy(),
            times_s=time_s - self.ages_s,
            quality=self.quality.copy(),
            progress=np.zeros(self.values.size, np.uint8),
        )


class Story:
    """Control on a site that is set by hand, cycle by cycle.

    Attributes:
        asked: last value written to each point, by path.
        told: kinds of events, in order.
    """

    def __init__(self, view: SiteView | None = None) -> None:
        self.view = view or SiteView()
        self.state: ControlState = initial_state()
        self.time_s = 0.0
        self.asked: dict[str, float] = {}
        self.commands: list[Command] = []
        self.events: list[Event] = []
        self.plans: tuple[Plan, ...] = ()
        self.requests: tuple[Request, ...] = ()
        self.obeys = True

    @property
    def told(self) -> list[str]:
        return [event.kind for event in self.events]

    def run(self, seconds: float) -> "Story":
        """Let time pass; devices obey at once unless told otherwise."""
        for _ in range(max(1, round(seconds * 10))):
            snapshot = self.view.snapshot(self.time_s)
            self.state, commands, events = cycle(
                self.state, snapshot, self.plans, self.requests, self.view.limits, self.time_s
            )
            msgspec.msgpack.encode(self.state)  # it is kept for the controller that comes after
            self.commands += commands
            self.events += events
            for command in commands:
                for row, value in zip(command.rows.tolist(), command.values.tolist(), strict=True):
                    self.asked[self.view.site.point_path(row)] = value
            if self.obeys:
                self.view.obey(commands)
            self.time_s += 0.1
        return self

    def mode(self) -> str:
        """Mode of control now."""
        return self.state.mode

    def caps_w(self) -> float:
        """What the nodes may draw by the caps that they report, at their branches."""
        loads, nodes = self.view.limits.budget.loads, self.view.nodes
        return float(self.view.values[loads.limit_rows[nodes]] @ loads.factor[nodes])

    def chargers_w(self) -> float:
        """Sum of the limits that chargers report."""
        loads, nodes = self.view.limits.budget.loads, self.view.nodes
        return float(self.view.values[loads.limit_rows[~nodes]].sum())
