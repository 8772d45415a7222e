"""Shared memory without locks: killed at any instant, read at any instant, it is old or new.

A writer's steps are cut at its fences: between two of them stores may come in any order, across
them they may not. So a test that stops the writer at each fence, or lets a reader look there, has
seen every state that another process can see, short of half a slot, which is made by hand.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.runtime import event_ring, record_ring, seqlock
from mallee.runtime.event_ring import MessageRing
from mallee.runtime.reasons import UNKNOWN, Reasons
from mallee.runtime.record_ring import RecordRing
from mallee.runtime.seqlock import Blob, Sequence
from mallee.runtime.typed_blob import TypedBlob

few = settings(max_examples=40)
MODULES = (seqlock, event_ring, record_ring)
RECORD = np.dtype([("number", "i8"), ("value", "f8"), ("twice", "f8")])


class KilledError(BaseException):
    """The writer's process ends here."""


@contextmanager
def at_fences(act: Callable[[int], None]) -> Iterator[None]:
    """Do something at every fence that is passed meanwhile, counted from 0."""
    count = 0

    def fence() -> None:
        nonlocal count
        count += 1
        act(count - 1)

    with pytest.MonkeyPatch.context() as patch:
        for module in MODULES:
            patch.setattr(module, "fence", fence)
        yield


def killed_at(fence_number: int, work: Callable[[], object]) -> bool:
    """Run a writer and kill it at one of its fences; False where it had fewer."""

    def die(number: int) -> None:
        if number == fence_number:
            raise KilledError

    try:
        with at_fences(die):
            work()
    except KilledError:
        return True
    return False


def looked_at(work: Callable[[], object], look: Callable[[], None]) -> None:
    """Run a writer and let a reader look at each of its fences."""
    inside = False

    def peep(_: int) -> None:
        nonlocal inside
        if not inside:  # the reader's own fences are no places to look from
            inside = True
            look()
            inside = False

    with at_fences(peep):
        work()


def blob(capacity: int = 64) -> Blob:
    return Blob(
        np.zeros(1, np.int64), np.zeros((2, 2), np.int64), np.zeros((2, capacity), np.uint8)
    )


def message_ring(slots: int = 4, size: int = 64) -> MessageRing:
    marks = np.zeros((slots, 3), np.int64)
    return MessageRing(np.zeros(1, np.int64), marks, np.zeros((slots, size), np.uint8))


def record_ring_of(capacity: int) -> RecordRing:
    return RecordRing(np.zeros(1, np.int64), np.zeros(capacity, RECORD))


def append(ring: RecordRing, count: int) -> None:
    """Records that say their own number, so that a torn one shows."""
    values = np.arange(ring.appended + 1, ring.appended + 1 + count, dtype=float)
    ring.append(count, value=values, twice=2.0 * values)


def check_whole(records: record_ring.Records) -> None:
    numbers = records["number"]
    assert (records["value"] == numbers).all()
    assert (records["twice"] == 2 * numbers).all()
    assert (np.diff(numbers) > 0).all()


MESSAGES = st.lists(st.binary(max_size=64), min_size=1, max_size=8)


@few
@given(MESSAGES, st.integers(0, 3), st.binary(max_size=64))
def test_a_blob_whose_writer_dies_keeps_the_message_before(
    messages: list[bytes], fence_number: int, last: bytes
) -> None:
    one = blob()
    for message in messages:
        one.write(message)
    died = killed_at(fence_number, lambda: one.write(last))
    assert one.read() == (messages[-1] if died else last)
    one.write(b"next")
    assert one.read() == b"next"


@few
@given(MESSAGES)
def test_a_blob_is_the_old_or_the_new_message_at_every_instant(messages: list[bytes]) -> None:
    one, before = blob(), None
    for message in messages:
        allowed = {before, message}
        looked_at(lambda m=message: one.write(m), lambda a=allowed: _in(one.read(), a))  # type: ignore[misc]
        before = message
    assert one.number == len(messages)


def _in(value: object, allowed: set[bytes | None]) -> None:
    assert value in allowed


def test_a_blob_that_is_too_small_refuses_and_keeps_what_it_has() -> None:
    one = blob(4)
    one.write(b"1234")
    with pytest.raises(ValueError, match="5 bytes, the board has room for 4"):
        one.write(b"12345")
    assert (one.read(), one.number) == (b"1234", 1)


def test_a_typed_blob_decodes_each_message_once() -> None:
    memory = blob()
    writer: TypedBlob[list[int]] = TypedBlob(memory, list[int], [])
    reader: TypedBlob[list[int]] = TypedBlob(memory, list[int], [])
    assert reader.read() == []
    writer.write([1, 2])
    first = reader.read()
    assert first == [1, 2]
    assert reader.read() is first
    writer.write([3])
    assert reader.read() == [3]


@few
@given(st.lists(st.binary(max_size=64), max_size=20), st.integers(0, 3), st.binary(max_size=64))
def test_a_message_ring_keeps_the_last_messages_whoever_dies(
    messages: list[bytes], fence_number: int, last: bytes
) -> None:
    ring = message_ring(slots=4)
    for message in messages:
        ring.put(message)
    died = killed_at(fence_number, lambda: ring.put(last))
    kept = messages if died else [*messages, last]
    assert ring.posted == len(kept)
    for number, message in enumerate(kept, 1):
        is_kept = number > len(kept) - (3 if died else 4)
        found = ring.message(number)
        assert found == message if is_kept else found in (None, message)
    assert ring.put(b"successor") == len(kept) + 1
    assert ring.message(len(kept) + 1) == b"successor"


@few
@given(st.lists(st.integers(0, 12), max_size=12), st.integers(1, 9))
def test_a_message_ring_never_shows_half_a_message(lengths: list[int], slots: int) -> None:
    ring = message_ring(slots)
    sent = [bytes([number % 251]) * length for number, length in enumerate(lengths)]

    def look() -> None:
        for number in range(1, ring.posted + 2):
            found = ring.message(number)
            assert found is None or found == sent[number - 1]

    for message in sent:
        looked_at(lambda m=message: ring.put(m), look)  # type: ignore[misc]


@few
@given(
    capacity=st.integers(1, 9),
    steps=st.lists(st.tuples(st.sampled_from(["append", "read"]), st.integers(1, 25)), max_size=25),
)
def test_a_reader_gets_every_record_once_or_knows_that_it_missed_it(
    capacity: int, steps: list[tuple[str, int]]
) -> None:
    ring, position, got = record_ring_of(capacity), 0, 0
    for step, count in [*steps, ("read", 1)]:
        if step == "append":
            append(ring, count)
            continue
        batch = ring.read(position)
        check_whole(batch.records)
        assert batch.missed == max(0, ring.appended - position - capacity)
        assert len(batch.records) + batch.missed == ring.appended - position
        got += len(batch.records)
        position = ring.appended
    assert got <= ring.appended


@few
@given(st.integers(2, 9), st.lists(st.integers(1, 12), max_size=6), st.integers(1, 12))
def test_a_record_ring_never_shows_half_a_record(
    capacity: int, before: list[int], count: int
) -> None:
    ring = record_ring_of(capacity)
    for one in before:
        append(ring, one)

    def look() -> None:
        position = max(0, ring.appended - capacity)
        batch = ring.read(position)
        check_whole(batch.records)
        assert len(batch.records) + batch.missed == ring.appended - position

    looked_at(lambda: append(ring, count), look)


@few
@given(st.integers(2, 9), st.integers(0, 20), st.integers(1, 12), st.integers(0, 4))
def test_a_record_ring_goes_on_after_a_writer_that_died(
    capacity: int, before: int, count: int, fence_number: int
) -> None:
    ring = record_ring_of(capacity)
    if before:
        append(ring, before)
    died = killed_at(fence_number, lambda: append(ring, count))
    assert ring.appended == before + (0 if died else count)
    check_whole(ring.read(0).records)
    append(ring, 3)
    batch = ring.read(ring.appended - min(3, capacity))
    check_whole(batch.records)
    assert (len(batch.records), batch.missed) == (min(3, capacity), 0)


def test_a_record_overwritten_while_it_is_copied_counts_as_missed() -> None:
    ring = record_ring_of(4)
    append(ring, 4)
    looks = 0

    def overwrite(_: int) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:  # between the check of the numbers and the copy
            with at_fences(lambda _: None):
                append(ring, 2)

    with at_fences(overwrite):
        batch = ring.read(0)
    check_whole(batch.records)
    assert batch.records["number"].tolist() == [3, 4]
    assert batch.missed == 2


@few
@given(writers=st.integers(1, 4), disturbed=st.integers(0, 8))
def test_a_reader_tries_until_no_writer_was_at_work(writers: int, disturbed: int) -> None:
    words, data = np.zeros(writers, np.int64), np.zeros(2)
    tries = 0

    def copy() -> tuple[float, float]:
        nonlocal tries
        first = float(data[0])
        if tries < disturbed:
            sequence = Sequence(words, tries % writers)
            sequence.begin()
            data[:] = tries + 1.0
            sequence.end()
        tries += 1
        return first, float(data[1])

    first, second = Sequence(words).read(copy)
    assert first == second == float(disturbed)
    assert tries == disturbed + 1


@few
@given(st.integers(1, 4), st.integers(0, 3), st.integers(1, 5))
def test_a_writer_that_died_half_way_is_taken_over_by_the_next(
    writers: int, which: int, times: int
) -> None:
    words = np.zeros(writers, np.int64)
    own = which % writers
    for _ in range(times):
        assert killed_at(0, Sequence(words, own).begin)
    assert words[own] % 2 == 1
    successor = Sequence(words, own)
    successor.begin()
    assert words[own] % 2 == 1, "readers see that somebody writes"
    successor.end()
    assert (words % 2 == 0).all()
    assert Sequence(words).read(lambda: 7) == 7


def test_a_word_left_odd_stops_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seqlock, "RETRY_S", 0.0)
    words = np.array([1, 0])
    assert Sequence(words).read(lambda: 7) == 7


REASONS = st.lists(st.sampled_from("abcdefghijkl"), max_size=40)


@few
@given(REASONS)
def test_reasons_are_found_by_number_and_posted_once_while_they_last(texts: list[str]) -> None:
    slots = 8
    ring = message_ring(slots, 1024)
    reasons, other = Reasons(ring, slots), Reasons(ring, slots)
    for text in texts:
        number = reasons.put("control", text)
        assert number > ring.posted - slots // 2, "far from being overwritten"
        assert other.get(number).text == text
    assert len(set(texts)) <= ring.posted <= len(texts)
    if texts:
        assert reasons.put("anna", texts[-1]) != reasons.put("control", texts[-1])


@few
@given(st.text(max_size=20), st.text(max_size=9), st.integers(1, 60))
def test_any_reason_fits_its_slot(piece: str, name: str, times: int) -> None:
    text, actor = piece * times, name * times
    reasons = Reasons(message_ring(4, 1024), 4)
    found = reasons.get(reasons.put(actor, text))
    assert text.startswith(found.text)
    assert actor.startswith(found.actor)
    assert reasons.get(0) == reasons.get(99) == UNKNOWN
