"""What is checked of every world, on what truly happened at 20 ms, not on what sensors said.

Each check is a row: a name, what may not happen, and a function that returns by how much it
happened (0 for not at all). `tests/simulation/test_campaign.py` holds a world that breaks each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from mallee.control import ControlState
from mallee.core.arrays import BoolArray, FloatArray
from mallee.core.command import HEARTBEAT, Command
from mallee.core.snapshot import Snapshot
from mallee.simulation.campaign.world import World, battery_frac
from mallee.simulation.contracts import feed_records
from mallee.simulation.figures import Figures
from mallee.simulation.oracle import forced_loss
from mallee.simulation.run import Simulation
from mallee.twin.faults import KINDS as FAULTS
from mallee.twin.site_twin import SiteTwin

OVER_MAX_S: Final = 5.0
"""Longest that a limit may stand broken: the time in which loads obey."""
HOT_SPOT_MAX_DEGC: Final = 140.0
"""Winding hot spot above which a transformer is in danger in emergency loading (IEC 60076-7)."""
DIE_MAX_DEGC: Final = 96.0
"""Above this accelerators shut themselves down."""
SOC_SLACK: Final = 0.01
CALM_S: Final = 45.0
"""Faults over for this long: everything must be well again."""
LOST_SLACK: Final = 0.01
"""A point of work lost beyond what physics forces."""
CHATTER_MAX_PER_MIN: Final = 1.0
TRUTH_S: Final = 5
"""An event may be this far in time from what it speaks of."""
POWER_SENSOR: Final = "sensor-"


@dataclass
class Observed:
    """What is only seen while a world runs.

    Attributes:
        hot_spot_degc: hottest winding so far.
        writes: changes of a set point, by point row.
        turns: changes against the direction of the one before, by point row.
        mode: what control was in at the end.
    """

    hot_spot_degc: float = 0.0
    writes: dict[int, int] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)
    mode: str = ""
    _values: dict[int, float] = field(default_factory=dict)
    _rose: dict[int, bool] = field(default_factory=dict)

    def watch(
        self, twin: SiteTwin, snapshot: Snapshot, state: ControlState, commands: list[Command]
    ) -> None:
        """A `Watcher` of the run."""
        del snapshot
        hot = twin.truth.hot_spot_degc
        if hot.size:
            self.hot_spot_degc = max(self.hot_spot_degc, float(hot.max()))
        self.mode = state.mode
        for command in commands:
            if command.reason == HEARTBEAT:
                continue
            if command.rows.size > 64:  # one cap for all nodes is one decision
                pairs = [(int(command.rows[0]), float(command.values[0]))]
            else:
                pairs = list(zip(command.rows.tolist(), command.values.tolist(), strict=True))
            for row, value in pairs:
                before = self._values.get(row)
                if before is not None and abs(value - before) > 0.01 * max(abs(before), 1.0):
                    self.writes[row] = self.writes.get(row, 0) + 1
                    rises = value > before
                    self.turns[row] = self.turns.get(row, 0) + (self._rose.get(row) is not rises)
                    self._rose[row] = rises
                self._values[row] = value


class Seen(NamedTuple):
    """A finished world."""

    world: World
    run: Simulation
    figures: Figures
    observed: Observed


class Check(NamedTuple):
    """One thing that may not happen.

    Attributes:
        measure: how much of it happened; above 0 is a failure.
    """

    name: str
    text: str
    measure: Callable[[Seen], float]


def longest_s(broken: BoolArray) -> float:
    """Length of the longest stretch of true, in samples."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], broken.astype(np.int8), [0]])))
    return float((edges[1::2] - edges[::2]).max(initial=0))


def _over_import(seen: Seen) -> float:
    longest = max(longest_s(one.compliance.over_import) for one in feed_records(seen.run))
    return longest if longest > OVER_MAX_S else 0.0


def _over_export(seen: Seen) -> float:
    longest = max(
        longest_s(-one.import_w > one.export_max_w + 1e-3 * one.feed.contracted_w)
        for one in feed_records(seen.run)
    )
    return longest if longest > OVER_MAX_S else 0.0


def _over_ramp(seen: Seen) -> float:
    """Only where nothing is broken and the battery is as quick as its maker says."""
    world = seen.world
    if world.is_broken or world.battery != "whole" or world.battery_delay_s > 0.05:
        return 0.0
    return float(sum(one.compliance.over_ramp.sum() for one in feed_records(seen.run)))


def _trips(seen: Seen) -> float:
    if any(fault.kind == "breaker-weak" for fault in seen.world.faults):
        return 0.0
    return float(sum(event.kind == "breaker-trip" for event in seen.run.events))


def _hot_spot(seen: Seen) -> float:
    if any(fault.kind == "transformer-fans" for fault in seen.world.faults):
        return 0.0
    return max(0.0, seen.observed.hot_spot_degc - HOT_SPOT_MAX_DEGC)


def _soc(seen: Seen) -> float:
    soc, control = seen.run.series["soc"], seen.run.site.file.control
    if not np.isfinite(soc).any():
        return 0.0
    low, high = control.soc_min - SOC_SLACK, control.soc_max + SOC_SLACK
    return float(((soc < low) | (soc > high)).sum())


def _die(seen: Seen) -> float:
    if any(_is_cooling(fault.kind) for fault in seen.world.faults):
        return 0.0
    hottest = float(seen.figures["gpu_max_degc"])
    return max(0.0, hottest - DIE_MAX_DEGC) if np.isfinite(hottest) else 0.0


def _clipped(seen: Seen) -> float:
    """Commands that the guard had to clip: concerns must ask for what is possible."""
    return float(sum(event.kind == "command-clipped" for event in seen.run.events))


def _not_recovered(seen: Seen) -> float:
    """Seconds of the end in which a site without a fault any more is not well."""
    run, world = seen.run, seen.world
    ends = [f.at_s if f.until_s is None else f.until_s for f in world.faults]
    if any(f.until_s is None for f in world.faults) and _lasting(world):
        return 0.0
    calm_s = run.series["grid_w"].size - max(ends, default=0.0)
    if calm_s < CALM_S:
        return 0.0
    last = run.series["grid_w"][-10:]
    over = float((last > run.site.grid.import_max_w).sum())
    return over + (10.0 if seen.world.control == "auto" and seen.observed.mode == "safe" else 0.0)


def _work(seen: Seen) -> float:
    """Where a battery evens out what a job swings; without one each second's peak must fit, of
    which an energy balance knows nothing."""
    if battery_frac(seen.world) == 0.0 or not np.isfinite(seen.run.series["soc"]).any():
        return 0.0
    lost = float(seen.figures["throughput_lost_caps"])
    beyond = lost - forced_loss(seen.run, battery_frac(seen.world)) - LOST_SLACK
    return max(0.0, beyond)


def _chatter(seen: Seen) -> float:
    """Changes back and forth a minute of the busiest set point, where nothing is broken.

    A limit that follows cars up the ramp changes often and does not chatter.
    """
    if seen.world.is_broken:
        return 0.0
    minutes = seen.run.series["grid_w"].size / 60.0
    busiest = max(seen.observed.turns.values(), default=0) / minutes
    return busiest if busiest > CHATTER_MAX_PER_MIN else 0.0


def untrue_events(seen: Seen) -> float:
    """Events that claim what was not so, near the time they were told."""
    run, world = seen.run, seen.world
    if any(fault.kind.startswith(POWER_SENSOR) for fault in world.faults):
        return 0.0
    grid_w, cap = run.series["grid_w"], run.series["cap_frac"]
    limit_w = run.site.grid.import_max_w
    wrong = 0
    for event in run.events:
        near = _near(event.time_s, grid_w)
        if event.kind == "import-over-limit":
            wrong += bool((grid_w[near] <= 0.99 * limit_w).all())
        elif event.kind == "nodes-capped" and np.isfinite(cap).any():
            wrong += bool((cap[near] >= 0.999).all())
    return float(wrong)


def _near(time_s: float, column: FloatArray) -> slice:
    at = int(time_s)
    return slice(max(0, at - TRUTH_S), min(column.size, at + TRUTH_S + 1))


def _is_cooling(kind: str) -> bool:
    """Whether a fault takes cooling away; a heat wave is what cooling is for."""
    return kind == "gpu-hot" or (kind != "heat-wave" and FAULTS[kind].family == "cooling")


def _lasting(world: World) -> bool:
    """Whether a fault without an end is one that lasts (not one of an instant)."""
    return any(f.until_s is None and FAULTS[f.kind].end is not None for f in world.faults)


CHECKS: Final = (
    Check("trips", "a breaker that opens by overload", _trips),
    Check("hot_spot", "a transformer winding above 140 °C", _hot_spot),
    Check("over_5s", "import above its limit for more than 5 s on end", _over_import),
    Check("export_5s", "export above its limit for more than 5 s on end", _over_export),
    Check("ramp", "a ramp beyond its window, without a fault and with a quick battery", _over_ramp),
    Check("soc_window_breaks", "a state of charge outside the window", _soc),
    Check("die", "an accelerator above 96 °C with its cooling whole", _die),
    Check("clipped", "a command outside what its device may be asked", _clipped),
    Check("not_recovered", "trouble long after the last fault", _not_recovered),
    Check("work_lost_beyond", "more than a point of work lost beyond what physics forces", _work),
    Check(
        "chatter",
        "a set point that goes to and fro more than once a minute without a fault",
        _chatter,
    ),
    Check("untrue_events", "an event that claims what was not so", untrue_events),
)
"""Energy balances are checked by the twin itself each second; breaking one is a crash."""
