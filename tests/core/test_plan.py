"""Plans: what is proposed for an instant, and what cannot be a plan."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.plan import Plan, Plans, PlanStep, steps_at

LENGTHS = st.lists(st.tuples(st.floats(0.0, 50.0), st.floats(0.1, 50.0)), max_size=6)


def plan_of(lengths: list[tuple[float, float]], valid_s: float) -> Plan:
    """Steps after gaps, from second 0."""
    steps, at_s = [], 0.0
    for number, (gap_s, long_s) in enumerate(lengths):
        at_s += gap_s
        steps.append(
            PlanStep(from_s=at_s, until_s=at_s + long_s, import_target_w=1e3 * (number + 1))
        )
        at_s += long_s
    return Plan(source="test", generation=1, made_s=0.0, valid_until_s=valid_s, steps=tuple(steps))


@given(LENGTHS, st.floats(-10.0, 700.0), st.floats(0.1, 700.0))
def test_the_step_of_an_instant_is_the_one_around_it(
    lengths: list[tuple[float, float]], time_s: float, valid_s: float
) -> None:
    plan = plan_of(lengths, valid_s)
    around = [step for step in plan.steps if step.from_s <= time_s < step.until_s]
    assert len(around) <= 1
    is_valid = 0.0 <= time_s < valid_s
    assert plan.step_at(time_s) == (around[0] if around and is_valid else None)
    assert steps_at([plan, plan], time_s) == around * 2 * is_valid


@given(LENGTHS, st.integers(0, 2**40))
def test_plans_survive_the_board(lengths: list[tuple[float, float]], generation: int) -> None:
    plans = Plans(generation=generation, plans=(plan_of(lengths, math.inf),))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plans), type=Plans) == plans


def test_what_is_no_plan_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="has no length"):
        PlanStep(from_s=2.0, until_s=2.0)
    with pytest.raises(ValueError, match="not a number"):
        PlanStep(from_s=0.0, until_s=2.0, import_target_w=math.nan)
    first = PlanStep(from_s=0.0, until_s=2.0)
    with pytest.raises(ValueError, match=r"overlap at 1\.0 s"):
        Plan(
            source="test",
            generation=1,
            made_s=0.0,
            valid_until_s=9.0,
            steps=(first, PlanStep(from_s=1.0, until_s=3.0)),
        )
