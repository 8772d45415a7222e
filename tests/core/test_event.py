"""Events as they travel: through the board, into the store, out to a program."""

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.event import Event, Severity
from mallee.core.event_kinds import EVENT_KINDS, new_event
from mallee.core.status import ControlStatus

EVENTS = st.builds(
    Event,
    time_s=st.floats(allow_nan=False),
    kind=st.sampled_from(sorted(EVENT_KINDS)),
    source=st.text(max_size=30),
    text=st.text(max_size=200),
    severity=st.sampled_from(Severity),
    numbers=st.dictionaries(st.text(max_size=10), st.floats(allow_nan=False), max_size=4),
)


@given(EVENTS)
def test_an_event_survives_the_wire(event: Event) -> None:
    message = msgspec.msgpack.encode(event)
    assert msgspec.msgpack.decode(message, type=Event) == event


@given(st.text(max_size=40), st.text(max_size=40))
def test_braces_in_words_are_words(source: str, why: str) -> None:
    """What a device says may hold anything; it is never read as a template."""
    event = new_event("device-lost", 0.0, f"{{{source}}}", why=f"{why} {{0}} {{why}} %s")
    assert event.text == f"{{{source}}}: {why} {{0}} {{why}} %s"


def test_numbers_are_copied_and_the_event_cannot_change() -> None:
    numbers = {"import_w": 1.0}
    event = new_event("nodes-released", 1.0, "control", numbers)
    numbers["import_w"] = 2.0
    assert event.numbers == {"import_w": 1.0}
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.text = "otherwise"  # type: ignore[misc]


def test_severities_rise() -> None:
    assert [severity.name for severity in sorted(Severity)] == ["INFO", "WARNING", "CRITICAL"]


@given(st.integers(0, 2**60), st.sampled_from(["starting", "auto", "safe"]), st.text(max_size=80))
def test_the_status_survives_the_board(cycle: int, mode: str, text: str) -> None:
    status = ControlStatus(
        time_s=1.0,
        mode=mode,  # type: ignore[arg-type]
        binding="none",
        acting="",
        text=text,
        import_in_force_w=6e5,
        import_target_w=5e5,
        charge_bias_w=-1e3,
        chargers_max_w=0.0,
        nodes_max_w=2e5,
        bands={"minutes": "plan"},
        cycle=cycle,
    )
    message = msgspec.msgpack.encode(status)
    assert msgspec.msgpack.decode(message, type=ControlStatus) == status
    with pytest.raises(msgspec.ValidationError, match="mode"):
        msgspec.convert({**msgspec.to_builtins(status), "mode": "asleep"}, ControlStatus)
