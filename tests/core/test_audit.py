"""The rule of the audit: what is worth a row, and which row an outcome belongs to."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mallee.core.audit import Ledger, Outcome, Write
from mallee.core.snapshot import Progress


def write(number: int, value: float, actor: str = "control", path: str = "ev1/limit_w") -> Write:
    return Write(
        number=number,
        time_s=float(number),
        path=path,
        value=value,
        lease_s=30.0,
        reason=f"why {number}",
        actor=actor,
    )


def outcome(number: int, progress: Progress, path: str = "ev1/limit_w") -> Outcome:
    return Outcome(number=number, time_s=float(number), path=path, progress=progress)


def recorded(ledger: Ledger, one: Write, key: int) -> bool:
    is_new = ledger.is_new(one)
    if is_new:
        ledger.record(one, key)
    return is_new


WRITES = st.lists(
    st.tuples(st.sampled_from([0.0, 5e3, 6e3]), st.sampled_from(["control", "anna"])), max_size=30
)


@given(WRITES)
def test_the_rows_are_the_changes(asked: list[tuple[float, str]]) -> None:
    ledger = Ledger()
    kept = [
        one for number, one in enumerate(asked, 1) if recorded(ledger, write(number, *one), number)
    ]
    changes = [one for before, one in zip([None, *asked], asked, strict=False) if one != before]
    assert kept == changes


@given(WRITES)
def test_what_was_read_twice_is_recorded_once(asked: list[tuple[float, str]]) -> None:
    ledger = Ledger()
    writes = [write(number, *one) for number, one in enumerate(asked, 1)]
    for one in writes:
        recorded(ledger, one, one.number)
    last = writes[-1].number if writes else 0
    assert not any(ledger.is_new(one) for one in writes if one.number <= last - 1)


@given(st.lists(st.sampled_from(list(Progress)), max_size=20))
def test_news_of_a_write_never_repeats_and_a_renewal_on_its_way_is_none(
    came: list[Progress],
) -> None:
    ledger = Ledger()
    recorded(ledger, write(1, 5e3), 7)
    news = [
        progress
        for number, progress in enumerate(came, 1)
        if ledger.key_of(outcome(number, progress)) is not None
    ]
    assert all(one != after for one, after in pairwise(news))
    for one, after in pairwise(news):
        assert not (after == Progress.SENT and one in (Progress.DONE, Progress.LOST))


def test_an_outcome_belongs_to_the_write_that_stands() -> None:
    ledger = Ledger()
    assert ledger.key_of(outcome(1, Progress.DONE)) is None, "nobody recorded such a write"
    recorded(ledger, write(1, 5e3), 1)
    recorded(ledger, write(3, 6e3), 2)
    assert ledger.key_of(outcome(1, Progress.LOST)) is None, "replaced meanwhile"
    assert ledger.key_of(outcome(3, Progress.SENT)) == 2
    assert ledger.key_of(outcome(4, Progress.DONE)) == 2, "a renewal proves the same value"
    assert ledger.key_of(outcome(5, Progress.SENT)) is None
    assert ledger.key_of(outcome(5, Progress.LOST)) == 2
