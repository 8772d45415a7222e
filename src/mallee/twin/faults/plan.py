"""A fault plan: a list of events from a file, from a seeded swarm, or made in code."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mallee.core.errors import ConfigError
from mallee.site.model import SiteModel
from mallee.site.problems import nearest
from mallee.twin.clock import STEP_MS
from mallee.twin.faults.kind import FaultKind, Occurrence
from mallee.twin.faults.overrides import Overrides
from mallee.twin.faults.registry import KINDS
from mallee.twin.faults.swarm import draw_swarm
from mallee.twin.faults.targets import Targets

NEVER_MS: Final = STEP_MS << 55  # a whole number of steps, as grid events must have

_KEYS: Final = ("at_s", "until_s", "target", "kind", "parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEvent:
    """One fault as written.

    Attributes:
        at_s: start, twin time.
        until_s: end; infinite lasts to the end of the run. Ignored by what happens at an instant.
        target: a name of the site, or a pattern with ``*``.
        kind: a name in `KINDS`.
        parameters: values of the kind's parameters; the rest keep their defaults.
    """

    at_s: float
    target: str
    kind: str
    until_s: float = math.inf
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults of one run.

    Attributes:
        source: where the plan comes from, for messages.
    """

    events: Sequence[FaultEvent] = ()
    source: str = "fault plan"

    @classmethod
    def from_toml(cls, path: Path, site: SiteModel) -> "FaultPlan":
        """Read a plan and check all of it against the site.

        The file is a list of ``[[fault]]`` tables with ``at_s``, ``target``, ``kind`` and, where
        wanted, ``until_s`` and ``parameters = { name = number }``.

        Raises:
            ConfigError: not readable, not TOML, an unknown key, kind, target or parameter, a value
                out of range; it names the nearest valid one.
        """
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(str(path), f"is not valid TOML: {error}") from None
        for key in raw:
            if key != "fault":
                raise ConfigError(f"{path.name}: {key}", "unknown key", nearest(key, ["fault"]))
        tables = raw.get("fault", [])
        if not isinstance(tables, list):
            raise ConfigError(f"{path.name}: fault", "is no list", "write [[fault]] for each one")
        events = [_event(table, f"{path.name}: fault[{n}]") for n, table in enumerate(tables)]
        plan = cls(tuple(events), path.name)
        plan.resolve(site)
        return plan

    @classmethod
    def swarm(
        cls, site: SiteModel, seed: int, duration_s: float, faults_per_minute: float = 2.0
    ) -> "FaultPlan":
        """Random faults: whole families off, the rest wildly weighted; a seed makes it repeatable.

        All end by four fifths of the run, so that recovery can be seen in the rest.
        """
        targets = Targets(site)
        drawn = draw_swarm(KINDS, targets, seed, duration_s, faults_per_minute)
        events = [
            FaultEvent(
                at_s=d.at_s, until_s=d.until_s, target=d.target, kind=d.kind, parameters=d.values
            )
            for d in drawn
        ]
        return cls(tuple(events), f"swarm of seed {seed}")

    def resolve(self, site: SiteModel) -> list[tuple[FaultKind, Occurrence]]:
        """Every fault at every target, in the order of start.

        Raises:
            ConfigError: as `from_toml`.
        """
        targets, overrides = Targets(site), Overrides()
        found: list[tuple[FaultKind, Occurrence]] = []
        for number, event in enumerate(self.events):
            where = f"{self.source}: fault[{number}]"
            kind = KINDS.get(event.kind)
            if kind is None:
                raise ConfigError(
                    f"{where}.kind", f"no fault kind {event.kind!r}", nearest(event.kind, KINDS)
                )
            start_ms, until_ms = _times(event, where)
            values = _values(kind, event.parameters, where)
            for target in targets.find(event.target, kind.targets, f"{where}.target"):
                one = Occurrence(
                    asked=event.target,
                    target=target,
                    values=values,
                    start_ms=start_ms,
                    until_ms=until_ms,
                    overrides=overrides,
                )
                found.append((kind, one))
        return sorted(found, key=lambda pair: pair[1].start_ms)


def _event(table: Any, where: str) -> FaultEvent:
    if not isinstance(table, dict):
        raise ConfigError(where, "is no table", "write [[fault]] for each one")
    for key in table:
        if key not in _KEYS:
            raise ConfigError(f"{where}.{key}", "unknown key", nearest(key, _KEYS))
    for key in ("at_s", "target", "kind"):
        if key not in table:
            raise ConfigError(where, f"has no {key}", "a fault needs at_s, target and kind")
    parameters = table.get("parameters", {})
    if not isinstance(parameters, dict):
        raise ConfigError(f"{where}.parameters", "is no table", "parameters = { name = number }")
    return FaultEvent(
        at_s=_number(table["at_s"], f"{where}.at_s"),
        until_s=_number(table.get("until_s", math.inf), f"{where}.until_s"),
        target=_text(table["target"], f"{where}.target"),
        kind=_text(table["kind"], f"{where}.kind"),
        parameters={n: _number(v, f"{where}.parameters.{n}") for n, v in parameters.items()},
    )


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(where, f"is {value!r}, not a number")
    return float(value)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(where, f"is {value!r}, not a text")
    return value


def _times(event: FaultEvent, where: str) -> tuple[int, int]:
    """Start and end on the electrical step that contains them."""
    if not (math.isfinite(event.at_s) and event.at_s >= 0.0):
        raise ConfigError(f"{where}.at_s", f"is {event.at_s:g}", "a time from the start, >= 0 s")
    if not event.until_s > event.at_s:
        raise ConfigError(
            f"{where}.until_s", f"{event.until_s:g} s is not after at_s = {event.at_s:g} s"
        )
    start_ms = round(event.at_s * 1000.0 / STEP_MS) * STEP_MS
    if math.isinf(event.until_s):
        return start_ms, NEVER_MS
    return start_ms, max(round(event.until_s * 1000.0 / STEP_MS) * STEP_MS, start_ms + STEP_MS)


def _values(kind: FaultKind, given: Mapping[str, float], where: str) -> dict[str, float]:
    known = {parameter.name: parameter for parameter in kind.parameters}
    for name, value in given.items():
        at = f"{where}.parameters.{name}"
        if name not in known:
            hint = nearest(name, known) or f"{kind.name} takes none"
            raise ConfigError(at, f"{kind.name} has no parameter {name!r}", hint)
        low, high = known[name].low, known[name].high
        if not low <= value <= high:
            raise ConfigError(at, f"is {value:g}", f"{low:g} to {high:g}")
    return {name: given.get(name, parameter.default) for name, parameter in known.items()}
