"""Who gives how much: work by flexibility class, brought under a power target at least loss.

Each job has operating points (a cap, a smaller batch or a locked clock where caps do nothing, a
pause), of which only those on the concave hull of throughput over power are worth using. The best
mix under a power limit takes the steepest segments of all hulls first, which is the optimum of the
linear programme; whole accelerators then make it a plan that can be ordered, at a loss of at most
one accelerator's step.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.optimize.curve import hull

THROUGHPUT_MIN: Final = {0: 1.0, 1: 0.9, 2: 0.75, 3: 0.5}
"""Mean throughput that a class keeps over an event (Emerald's Flex 1-3 lose at most 10, 25, 50 %:
arXiv 2507.00909); class 0 is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """One way to run an accelerator of a job.

    Attributes:
        knob: `cap`, `batch`, `clock` or `pause`.
        setting: W, a batch size or MHz; 0 for a pause.
        power_w: of one accelerator.
        throughput: as a fraction of the uncapped.
    """

    knob: str
    setting: float
    power_w: float
    throughput: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexJob:
    """A job that can give way.

    Attributes:
        accelerators: how many it runs on.
        flex_class: 0 to 3.
        points: at least the uncapped one.
        weight: of an accelerator's full throughput against those of other jobs.
        pauses_left: how often it may still be paused (checkpoint and resume budget).
        done_frac: mean throughput so far in this event, over `elapsed_frac` of it.
    """

    name: str
    accelerators: int
    flex_class: int
    points: tuple[OperatingPoint, ...]
    weight: float = 1.0
    pauses_left: int = 1
    done_frac: float = 1.0
    elapsed_frac: float = 0.0

    def floor(self) -> float:
        """Throughput that the rest of the event must keep for the mean to hold."""
        least = THROUGHPUT_MIN[self.flex_class]
        rest = 1.0 - self.elapsed_frac
        if rest <= 0.0:
            return least
        return min(1.0, max(0.0, (least - self.done_frac * self.elapsed_frac) / rest))

    def usable(self) -> list[OperatingPoint]:
        """Points on the hull, by rising power; without pauses once they are used up."""
        allowed = [p for p in self.points if p.knob != "pause" or self.pauses_left > 0]
        power = np.array([p.power_w for p in allowed])
        done = np.array([p.throughput for p in allowed])
        corners = set(zip(*(c.tolist() for c in hull(power, done)), strict=True))
        kept = {(p.power_w, p.throughput): p for p in allowed}
        return [kept[corner] for corner in sorted(corners)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a job is asked to run at: so many accelerators at each point."""

    job: str
    counts: tuple[tuple[OperatingPoint, int], ...]
    power_w: float
    throughput: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Shares of all jobs.

    Attributes:
        power_w: of all, at most the target unless `missing_w` says otherwise.
        throughput: weighted mean of all jobs.
        frontier: the same without whole accelerators: nothing can do better at this target.
        missing_w: by how much the target cannot be reached with the floors kept.
    """

    shares: tuple[Share, ...]
    power_w: float
    throughput: float
    frontier: float
    missing_w: float


@dataclass(slots=True)
class _Segment:
    """A step down of one job from one point to the next lower one."""

    job: int
    order: int
    accelerators: float
    saving_w: float  # of one accelerator
    loss: float  # weighted throughput of one accelerator


def allocate(jobs: Sequence[FlexJob], target_w: float) -> Allocation:
    """Bring jobs under a power target at least loss of weighted throughput.

    Args:
        target_w: for the accelerators of all jobs.
    """
    ladders = [job.usable() for job in jobs]
    total = sum(job.weight * job.accelerators for job in jobs) or 1.0
    segments = _segments(jobs, ladders)
    need_w = sum(
        j.accelerators * ladder[-1].power_w for j, ladder in zip(jobs, ladders, strict=True)
    )
    need_w -= target_w
    taken: list[list[float]] = [[0.0] * (len(ladder) - 1) for ladder in ladders]
    whole: list[list[int]] = [[0] * (len(ladder) - 1) for ladder in ladders]
    lost = lost_whole = 0.0
    need_whole_w = need_w
    for segment in segments:
        if need_w > 0.0:
            count = min(segment.accelerators, need_w / segment.saving_w)
            taken[segment.job][segment.order] = count
            need_w -= count * segment.saving_w
            lost += count * segment.loss
        if need_whole_w > 0.0:
            number = min(
                math.floor(segment.accelerators), math.ceil(need_whole_w / segment.saving_w)
            )
            whole[segment.job][segment.order] = number
            need_whole_w -= number * segment.saving_w
            lost_whole += number * segment.loss
    shares = tuple(
        _share(job, ladder, steps) for job, ladder, steps in zip(jobs, ladders, whole, strict=True)
    )
    return Allocation(
        shares=shares,
        power_w=sum(share.power_w for share in shares),
        throughput=1.0 - lost_whole / total,
        frontier=1.0 - lost / total,
        missing_w=max(0.0, need_whole_w),
    )


def _segments(
    jobs: Sequence[FlexJob], ladders: Sequence[Sequence[OperatingPoint]]
) -> list[_Segment]:
    """All steps down that floors allow, the cheapest loss for a watt first."""
    found = []
    for number, (job, ladder) in enumerate(zip(jobs, ladders, strict=True)):
        budget = job.accelerators * (ladder[-1].throughput - job.floor())
        for order in range(len(ladder) - 1):
            upper, lower = ladder[-1 - order], ladder[-2 - order]
            loss, saving_w = upper.throughput - lower.throughput, upper.power_w - lower.power_w
            count = float(job.accelerators)
            if loss > 0.0:
                count = min(count, max(0.0, budget) / loss)
            budget -= count * loss
            if count <= 1e-9:
                break
            found.append(_Segment(number, order, count, saving_w, job.weight * loss))
            if count < job.accelerators:
                break
    return sorted(found, key=lambda s: (s.loss / s.saving_w, s.job, s.order))


def _share(job: FlexJob, ladder: Sequence[OperatingPoint], steps: Sequence[int]) -> Share:
    """How many accelerators stand at each point after so many took each step down."""
    at_least = [job.accelerators, *steps]
    counts = []
    for order, point in enumerate(reversed(ladder)):
        below = at_least[order + 1] if order + 1 < len(at_least) else 0
        number = at_least[order] - below
        if number > 0:
            counts.append((point, number))
    return Share(
        job=job.name,
        counts=tuple(counts),
        power_w=sum(point.power_w * number for point, number in counts),
        throughput=sum(p.throughput * n for p, n in counts) / job.accelerators,
    )
