"""Event kinds: a row says everything, the sources name only rows, the manual lists them all."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from mallee.core import event_kinds
from mallee.core.event import Severity
from mallee.core.event_kinds import EVENT_KINDS, EventKind, describe_event_kinds, new_event
from mallee.runtime.roles import PROCESSES

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src/mallee").rglob("*.py"))
COPIES = {"console/recorder.py", "runtime/event_ring.py"}
"""Files that rebuild an event that was told before: from the store, or to fit its slot."""


def words_of(kind: EventKind) -> dict[str, object]:
    """Something for every word of a sentence but the source."""
    fields = [field for _, field, _, _ in string.Formatter().parse(kind.sentence) if field]
    return {field: 1.0 for field in fields if field != "source"}


@pytest.mark.parametrize("kind", EVENT_KINDS.values(), ids=lambda kind: kind.name)
def test_every_row_says_what_to_do_and_what_ends_it(kind: EventKind) -> None:
    event = new_event(kind.name, 1.5, "bess1", {"import_w": 1.0}, **words_of(kind))
    assert (event.kind, event.source, event.severity) == (kind.name, "bess1", kind.severity)
    assert event.numbers == {"import_w": 1.0}
    assert "{" not in event.text
    assert kind.severity == Severity.INFO or kind.response.endswith(".")
    if kind.ended_by:
        end = EVENT_KINDS[kind.ended_by]
        assert (end.severity, end.ended_by) == (Severity.INFO, "")


def test_an_unknown_kind_and_a_missing_word_are_programming_errors() -> None:
    with pytest.raises(KeyError, match="limit-binding"):
        new_event("limit-binding", 0.0, "control")
    with pytest.raises(KeyError, match="why"):
        new_event("device-lost", 0.0, "bess1")


def kinds_named(nodes: list[ast.AST]) -> Iterator[str]:
    """Literals that are given as the kind of an event: the first argument of those who tell."""
    for node in nodes:
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = ast.unparse(node.func).rpartition(".")[2].lstrip("_")
            if name in ("new_event", "note", "warn", "post"):
                yield str(node.args[0].value)


def test_the_sources_name_known_kinds_and_make_events_of_rows_only() -> None:
    named: set[str] = set()
    literals: set[str] = set()
    for path in SOURCES:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        name = str(path.relative_to(ROOT / "src/mallee"))
        if name in ("core/event_kinds.py", "core/event.py"):
            continue
        made = [
            node.lineno
            for node in nodes
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "Event"
        ]
        assert not made or name in COPIES, f"{name}:{made}: use new_event"
        named |= set(kinds_named(nodes)) - set(PROCESSES)
        literals |= {
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    assert named - set(EVENT_KINDS) == set(), "name a row of core/event_kinds.py"
    ends = {kind.ended_by for kind in EVENT_KINDS.values()}
    assert set(EVENT_KINDS) - ends - literals == set(), "nobody tells of these: remove the rows"


@pytest.mark.parametrize(
    "code", ['new_event("devise-lost", t, s)', 'self._warn("oops", 1.0)', 'self._note("x", 1, "s")']
)
def test_the_scan_finds(code: str) -> None:
    assert set(kinds_named(list(ast.walk(ast.parse(code))))) - set(EVENT_KINDS)


def test_the_manual_lists_all_kinds() -> None:
    text = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    assert describe_event_kinds() in text, "paste describe_event_kinds() into docs/events.md"


def test_one_more_kind_is_one_more_row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = EventKind(
        name="pump-worn",
        severity=Severity.WARNING,
        sentence="{source} needs {more:.0%} more power for its flow.",
        response="Change its bearings at the next service.",
    )
    monkeypatch.setattr(event_kinds, "EVENT_KINDS", {**EVENT_KINDS, row.name: row})
    event = new_event("pump-worn", 3.0, "pod1/cdu1", more=0.2)
    assert event.text == "pod1/cdu1 needs 20% more power for its flow."
    assert event.severity == Severity.WARNING
    assert "`pump-worn`" in describe_event_kinds(event_kinds.EVENT_KINDS)
