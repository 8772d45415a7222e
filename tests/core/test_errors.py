"""Errors say what, where and what would be right, and are caught by what is to be done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.errors import (
    ConfigError,
    DeviceError,
    Malformed,
    MalleeError,
    Refused,
    Rejected,
    Unreachable,
)

WORDS = st.text(min_size=1, max_size=30)


@given(WORDS, WORDS, st.text(max_size=30))
def test_a_config_error_reads_where_what_and_what_would_be_right(
    where: str, what: str, hint: str
) -> None:
    error = ConfigError(where, what, hint)
    assert (error.where, error.what, error.hint) == (where, what, hint)
    assert str(error) == (f"{where}: {what}; {hint}" if hint else f"{where}: {what}")


@pytest.mark.parametrize("kind", [Unreachable, Refused, Rejected, Malformed])
def test_what_a_device_does_wrong_never_looks_like_the_users_mistake(
    kind: type[DeviceError],
) -> None:
    error = kind("no answer")
    assert isinstance(error, MalleeError)
    assert not isinstance(error, ConfigError)
    assert str(error) == "no answer"
    others = {Unreachable, Refused, Rejected, Malformed} - {kind}
    assert not any(isinstance(error, other) for other in others), "each is caught on its own"


@given(st.binary(max_size=600))
def test_a_malformed_answer_keeps_its_first_bytes(answer: bytes) -> None:
    error = Malformed("no status line", answer)
    assert len(error.sample) == min(len(answer), 200)
    assert answer.startswith(error.sample)
    assert Malformed("nothing").sample == b""
