"""The chain vouches for what the database gives back."""

import sqlite3

import pytest

from mallee.history.chain import link


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-300, 588e3, None, 3, "text"])
def test_a_field_that_went_through_the_database_links_the_same(value: float | str | None) -> None:
    database = sqlite3.connect(":memory:")
    kept = database.execute("SELECT ?", (value,)).fetchone()
    database.execute("CREATE TABLE t (value REAL)")
    if isinstance(value, float):
        database.execute("INSERT INTO t VALUES (?)", (value,))
        kept = database.execute("SELECT value FROM t").fetchone()
    database.close()
    assert link("before", kept) == link("before", (value,))
    assert link("before", kept) != link("other", kept)
