"""What is wrong with a site file, all of it at once."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from mallee.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where in the file, what, and what would be right (empty: nothing to suggest)."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.hint}" if self.hint else "")


class SiteProblems(ConfigError):  # noqa: N818 - named by what it holds
    """A site that cannot be built; says everything that stands in the way.

    Args:
        source: name of the file.
        problems: at least one; the first speaks for all where only one can be told.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source, self.problems = source, tuple(dict.fromkeys(problems))
        first = self.problems[0]
        super().__init__(f"{source}: {first.where}", first.what, first.hint)
        self.args = ("\n".join(f"{source}: {problem}" for problem in self.problems),)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the closest valid word, or lists a few."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, 1, 0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(words[:12]) if words else ""
