"""Faults that the suite must notice, one line each."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One fault.

    Attributes:
        file: below `src/mallee`.
        before: text that occurs once in the file; `after` takes its place.
        tests: what should notice, as words for pytest.
        what: what it would mean at a site.
    """

    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    what: str
