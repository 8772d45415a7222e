"""Definitions of SunSpec models, read from JSON files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from mallee.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class SunSpecPoint:
    """One point of a model.

    Attributes:
        name: ``W``; a point inside a group carries the group's name, ``PFWInj.PF``.
        kind: type such as ``int16``, a key of `NUMBERS`, or ``string``.
        offset: registers from the model's ID register.
        registers: how many it takes.
        scale_factor: name of the point that holds its exponent, or the exponent itself.
        units: as the definition spells them (``W``, ``Var``, ``Secs``, ``Pct``).
        fixed: the value that the definition prescribes.
        symbols: by name, the values of an enumeration.
    """

    name: str
    kind: str
    offset: int
    registers: int
    scale_factor: str | int
    units: str
    writable: bool
    mandatory: bool
    fixed: int | None
    symbols: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SunSpecModel:
    """One information model: its fixed block; blocks that repeat are left out.

    Attributes:
        registers: size with the two header registers, as far as it is fixed.
        points: by name, in order of their place.
    """

    number: int
    name: str
    registers: int
    points: dict[str, SunSpecPoint]


@cache
def load_sunspec(number: int) -> SunSpecModel | None:
    """The definition of a model, or None where nobody has one.

    Raises:
        ConfigError: a file that is no model definition.
    """
    file_name = f"model_{number}.json"
    for folder in (
        resources.files("mallee.catalogue.sunspec"),
        resources.files("sunspec2") / "models" / "json",
    ):
        file = folder / file_name
        if file.is_file():
            return _parse(number, file.read_text(encoding="utf-8"), file_name)
    return None


def _parse(number: int, text: str, file_name: str) -> SunSpecModel:
    try:
        top = json.loads(text)["group"]
        points: dict[str, SunSpecPoint] = {}
        offset = 0
        for name, entry in _fixed_points(top, ""):
            points[name] = _point(name, entry, offset)
            offset += points[name].registers
        return SunSpecModel(number=number, name=top["name"], registers=offset, points=points)
    except (KeyError, TypeError, ValueError) as error:
        hint = "the SunSpec JSON form wants {id, group: {name, points: [{name, type, size}]}}"
        raise ConfigError(file_name, f"is no model definition: {error!r}", hint) from None


def _fixed_points(group: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Points in register order: a group's own, then those of its groups, up to one that repeats."""
    for point in group.get("points", []):
        yield prefix + point["name"], point
    for inner in group.get("groups", []):
        if inner.get("count", 1) != 1:
            return
        yield from _fixed_points(inner, f"{prefix}{inner['name']}.")


def _point(name: str, entry: dict[str, Any], offset: int) -> SunSpecPoint:
    value = entry.get("value")
    return SunSpecPoint(
        name=name,
        kind=entry["type"],
        offset=offset,
        registers=entry["size"],
        scale_factor=entry.get("sf", 0),
        units=entry.get("units", ""),
        writable=entry.get("access") == "RW",
        mandatory=entry.get("mandatory") == "M",
        fixed=int(value) if value is not None else None,
        symbols={s["name"]: s["value"] for s in entry.get("symbols", [])},
    )
