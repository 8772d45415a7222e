"""The why line holds its sentence until the state changes in kind."""

from itertools import pairwise

import msgspec

from mallee.console.held_why import HeldWhy
from mallee.core.status import ControlStatus

STATUS = ControlStatus(
    time_s=0.0,
    mode="auto",
    binding="ramp up",
    acting="bess1 ramp filter",
    text="Import 480 of 588 kW.",
    import_in_force_w=588e3,
    import_target_w=490e3,
    charge_bias_w=0.0,
    chargers_max_w=300e3,
    nodes_max_w=240e3,
)


def told(bindings: list[str], mode: str = "auto") -> list[str]:
    held = HeldWhy()
    return [
        held.update(
            msgspec.structs.replace(STATUS, binding=binding, mode=mode, text=f"{binding} {second}"),
            1000.0 + second,
        ).text
        for second, binding in enumerate(bindings)
    ]


def changes(texts: list[str]) -> int:
    return sum(one != other for one, other in pairwise(texts))


def test_a_swing_that_meets_the_ramp_from_both_sides_is_one_state() -> None:
    bindings = ["ramp up", "ramp down", "none", "ramp up", "ramp down"] * 84  # seven minutes
    assert changes(bindings) > 250  # the null case: what control says each second
    assert changes(told(bindings)) <= 7  # figures renewed once a minute


def test_another_limit_is_told_after_three_seconds() -> None:
    texts = told(["ramp up"] * 5 + ["import limit"] * 5)
    assert texts[7] == "ramp up 0"
    assert texts[8] == "import limit 8"


def test_a_moment_is_not_told() -> None:
    assert changes(told(["ramp up"] * 5 + ["import limit"] * 2 + ["ramp up"] * 5)) == 0


def test_a_limit_is_over_when_it_has_not_bound_for_half_a_minute() -> None:
    texts = told(["ramp up"] * 5 + ["none"] * 40)
    assert texts[33] == "ramp up 0"
    assert texts[34] == "none 34"


def test_a_change_of_mode_is_told_at_once() -> None:
    held = HeldWhy()
    held.update(STATUS, 1000.0)
    safe = msgspec.structs.replace(STATUS, mode="safe", binding="none", text="The meter is gone.")
    assert held.update(safe, 1001.0).text == "The meter is gone."
