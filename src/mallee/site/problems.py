"""What is wrong with a site file, all of it at once."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from mallee.core.errors import ConfigError

ANY = "*"
"""Among names that are lost: a name that cannot be read; it could be any."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where in the file, what, and what would be right (empty: nothing to suggest).

    Attributes:
        where: such as ``breaker.q-pod.rating_a``; empty for the file as a whole.
        rule: a short name that stays the same, of `mallee.site.rules.RULES`.
        suggest: a line that would mend it; empty where none can be known.
        file: name of the file where it is not the site file itself.
        line: counted from 1; 0 where it is not known.
    """

    where: str
    what: str
    hint: str = ""
    rule: str = "reference"
    suggest: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.hint}" if self.hint else "")


class Report(Protocol):
    """Takes a mistake while the site file is walked."""

    def __call__(
        self, where: str, what: str, hint: str = "", rule: str = "reference", suggest: str = ""
    ) -> None: ...


class SiteProblems(ConfigError):  # noqa: N818 - named by what it holds
    """A site that cannot be built; says everything that stands in the way.

    Args:
        source: name of the file.
        problems: at least one; the first speaks for all where only one can be told.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source, self.problems = source, tuple(dict.fromkeys(problems))
        first = self.problems[0]
        super().__init__(_place(source, first), first.what, first.hint)
        self.args = ("\n".join(_sentence(source, problem) for problem in self.problems),)


def _place(source: str, problem: Problem) -> str:
    file = problem.file or source
    line = f":{problem.line}" if problem.line else ""
    return f"{file}{line}" + (f": {problem.where}" if problem.where else "")


def _sentence(source: str, problem: Problem) -> str:
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{_place(source, problem)}: {problem.what}{hint}"


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the closest valid word, or lists a few."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, 1, 0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(words[:12]) if words else ""
