"""A value that stood and is written again was changed by somebody else; nothing else says so."""

import pytest

from mallee.console.other_hands import OtherHands
from mallee.core.audit import Outcome, Write
from mallee.core.snapshot import Progress

CAP = "pod1/r1/n01/cap_w"


def write(number: int, value: float = 4000.0, path: str = CAP, lease_s: float = 0.0) -> Write:
    return Write(
        number=number,
        time_s=float(number),
        path=path,
        value=value,
        lease_s=lease_s,
        reason="",
        actor="control",
    )


def came(number: int, progress: Progress = Progress.DONE, path: str = CAP) -> Outcome:
    return Outcome(number=number, time_s=number + 0.5, path=path, progress=progress)


def test_a_cap_that_was_proved_and_is_written_again_was_changed() -> None:
    hands = OtherHands()
    other = "pod1/r1/n02/cap_w"
    assert hands.look([write(1), write(2, path=other)], [came(1), came(2, path=other)]) == []
    (event,) = hands.look([write(3), write(4, path=other)], [])
    assert (event.kind, event.source) == ("command-lost", "pod1/r1/n01")
    assert event.text == (
        "pod1/r1/n01: cap_w = 4000 stood and was changed by another hand or a restart, "
        "as were 1 others; control puts it back"
    )
    assert hands.look([write(5)], [came(5)]) == []  # not proved in between: the same change


@pytest.mark.parametrize(
    ("writes", "outcomes"),
    [
        ([write(1), write(2, 5000.0)], [came(1)]),  # control wants something else
        ([write(1), write(2)], [came(1, Progress.LOST)]),  # it never stood
        ([write(1), write(2)], [came(1, Progress.SENT)]),
        ([write(1, lease_s=30.0), write(2, lease_s=30.0)], [came(1)]),  # a renewal
    ],
)
def test_what_is_not_another_hand_is_not_told(writes: list[Write], outcomes: list[Outcome]) -> None:
    assert OtherHands().look(writes, outcomes) == []
