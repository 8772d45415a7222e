"""What the sources say: lines that name a kind of device, branches on the name of a protocol."""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """A line of the sources."""

    file: str
    line: int


def kind_literals(source: Path, kinds: Collection[str]) -> list[Place]:
    """Lines outside `kinds/` in which a kind of device stands as a literal.

    Every literal that equals the name of a kind counts, whatever it is meant for: a target of a
    fault, a key, a comparison. Names of branches (transformer, breaker) are no devices.

    Args:
        source: the package's folder.
        kinds: names of all kinds.
    """
    found = set()
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source)
        if name.parts[0] == "kinds":
            continue
        for node in ast.walk(_parsed(path)):
            if isinstance(node, ast.Constant) and node.value in kinds:
                found.add(Place(str(name), node.lineno))
    return sorted(found)


def kind_literals_web(source: Path, kinds: Collection[str]) -> list[Place]:
    """The same in the page's sources, by quoted words."""
    found = set()
    for path in sorted([*source.rglob("*.ts"), *source.rglob("*.svelte")]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if any(f'"{kind}"' in line for kind in kinds):
                found.add(Place(str(path.relative_to(source)), number))
    return sorted(found)


def protocol_branches(source: Path, protocols: Collection[str]) -> list[Place]:
    """Comparisons with a protocol's name outside the folders of drivers, emulators and facts.

    `==`, `!=`, `in`, `not in` and `case` count where one side, or a member of it, is the name;
    so do look-ups by a fixed name, ``addresses["ocpp"]``, which are branches in disguise.
    """
    inside = ("drivers", "emulators", "core/protocols")
    found = set()
    for path in sorted(source.rglob("*.py")):
        name = str(path.relative_to(source))
        if name.startswith(inside):
            continue
        for node in ast.walk(_parsed(path)):
            if any(constant in protocols for constant in _compared(node)):
                found.add(Place(name, getattr(node, "lineno", 0)))
    return sorted(found)


def _compared(node: ast.AST) -> Iterator[object]:
    parts: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        parts = [node.left, *node.comparators]
    elif isinstance(node, ast.Subscript):
        parts = [node.slice]
    elif isinstance(node, ast.MatchValue):
        parts = [node.value]
    for part in parts:
        members = part.elts if isinstance(part, ast.Tuple | ast.List | ast.Set) else [part]
        for member in members:
            if isinstance(member, ast.Constant):
                yield member.value


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
