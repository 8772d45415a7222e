"""What is proposed for the time ahead. Control is safe without it and never bound by it."""

import math
from collections.abc import Iterable

import msgspec


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """What is proposed for one stretch of time.

    Attributes:
        from_s, until_s: monotonic times, the end not included.
        import_target_w: import to stay under where the battery can do it; infinite for none.
        charge_w: what the batteries should charge in sum, negative discharges; None leaves their
            state of charge to control.
        reason: what the target is for, such as a demand window's name.
    """

    from_s: float
    until_s: float
    import_target_w: float = math.inf
    charge_w: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.from_s < self.until_s:
            raise ValueError(f"a step from {self.from_s} until {self.until_s} s has no length")
        if math.isnan(self.import_target_w):
            raise ValueError("import_target_w is not a number; infinite stands for none")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal in steps, with an end; a stale one is ignored.

    Attributes:
        source: who made it, such as ``demand windows``.
        generation: counts up with every plan of this source.
        made_s: monotonic time at which it was made.
        valid_until_s: monotonic time from which on control acts as if there were no plan.
        steps: in order of time, without overlap; gaps propose nothing.
        notes: why, for people: what binds, what could not be kept, what it saves.
    """

    source: str
    generation: int
    made_s: float
    valid_until_s: float
    steps: tuple[PlanStep, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for step, after in zip(self.steps, self.steps[1:], strict=False):
            if after.from_s < step.until_s:
                raise ValueError(f"steps of the plan of {self.source} overlap at {after.from_s} s")

    def step_at(self, time_s: float) -> PlanStep | None:
        """What is proposed for an instant; None in a gap and once the plan is stale."""
        if not self.made_s <= time_s < self.valid_until_s:
            return None
        for step in self.steps:
            if step.from_s <= time_s < step.until_s:
                return step
        return None


class Plans(msgspec.Struct, frozen=True, kw_only=True):
    """All plans of a site; `generation` counts up with every change of them."""

    generation: int = 0
    plans: tuple[Plan, ...] = ()


def charge_at(plans: Iterable[Plan], time_s: float) -> float | None:
    """What the first plan that says so wants the batteries to charge now, W."""
    wanted = (step.charge_w for step in steps_at(plans, time_s))
    return next((charge_w for charge_w in wanted if charge_w is not None), None)


def steps_at(plans: Iterable[Plan], time_s: float) -> list[PlanStep]:
    """What all plans propose for an instant."""
    return [step for plan in plans if (step := plan.step_at(time_s)) is not None]
