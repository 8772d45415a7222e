"""Work that was done, and work that could not be: because of caps, heat, power, restarts, faults.

Counted in accelerator-seconds at full activity. What a gang would have done while it stands still
is its mean activity when it runs; what a replay or a service would have done is its own waveform.
"""

from typing import Final, NamedTuple

from mallee.site.simulated import Load
from mallee.twin.parts.compute.placement import NEVER_MS, Placed

CAUSES: Final = ("caps", "cooling", "power", "restart", "fault")
CAPS, COOLING, POWER, RESTART, FAULT = range(len(CAUSES))
"""Why work was lost: node caps; hot accelerators that slowed down or switched off; racks without
supply; jobs on their way back after it returned; aborted jobs and broken accelerators."""

NOTHING: Final = -1


class Work(NamedTuple):
    """Work since the start, in accelerator-seconds at full activity.

    Attributes:
        done_s: what was computed.
        lost_s: what could not be, by `CAUSES`.
    """

    done_s: float
    lost_s: tuple[float, ...]

    @property
    def lost_frac(self) -> float:
        """Share of the work on offer that was lost, 0..1; 0 where none was."""
        offered_s = self.done_s + sum(self.lost_s)
        return sum(self.lost_s) / offered_s if offered_s > 0.0 else 0.0


NO_WORK: Final = Work(0.0, (0.0,) * len(CAUSES))


def mean_level(load: Load) -> float:
    """Mean activity of a gang while it runs: compute phases with their bubbles, communication and
    checkpoints.
    """
    if load.kind != "training":
        return load.level
    compute_s = load.iteration_s * load.compute_frac
    away_s = min(load.bubbles * load.bubble_s * load.bubble_depth_frac, compute_s)
    level = load.compute_level * (compute_s - away_s) / load.iteration_s
    level += load.comm_level * (1.0 - load.compute_frac)
    if not load.checkpoint_iterations:
        return level
    run_s = load.checkpoint_iterations * load.iteration_s
    stalled = load.checkpoint_level * load.checkpoint_s
    return (level * run_s + stalled) / (run_s + load.checkpoint_s)


def stands_still(
    job: Placed, now_ms: int, *, is_waiting: bool, is_off: bool, is_broken: bool
) -> int:
    """Why a gang does no work at all now, or `NOTHING`.

    Args:
        is_waiting: a rack of it is dark.
        is_off: one of its accelerators is switched off; `is_broken`: by a fault, not by heat.
    """
    if not job.start_ms <= now_ms < job.stop_ms:
        return NOTHING
    if is_waiting:
        return POWER
    if job.running_from_ms >= NEVER_MS:
        return FAULT
    if now_ms < job.running_from_ms:
        return RESTART
    if is_off:
        return FAULT if is_broken else COOLING
    return NOTHING
