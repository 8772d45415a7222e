"""Swarm testing: each seed switches whole fault families off and weights the rest wildly.

A run in which everything fails a little finds less than many runs that each fail in few ways much
(Groce et al., *Swarm Testing*, ISSTA 2012).
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np

from mallee.twin.faults.kind import FaultKind
from mallee.twin.faults.targets import Targets

FAMILY_ON: Final = 0.5
WEIGHT_SPREAD: Final = 1.5
"""Standard deviation of the logarithm of weights: kinds differ by factors of ten and more."""

LAST_FRAC: Final = 0.8
SHORTEST_S: Final = 1.0
LONGEST_S: Final = 300.0


class Drawn(NamedTuple):
    """One random fault."""

    at_s: float
    until_s: float
    target: str
    kind: str
    values: dict[str, float]


def draw_swarm(
    kinds: Mapping[str, FaultKind],
    targets: Targets,
    seed: int,
    duration_s: float,
    faults_per_minute: float,
) -> list[Drawn]:
    """Random faults over a run, sorted by start."""
    rng = _generator(seed, "faults")
    possible = [kind for kind in kinds.values() if _count(kind, targets) > 0]
    families = sorted({kind.family for kind in possible})
    # A generator for each name: a kind that is added does not change what the others do.
    on = {family: _generator(seed, family).random() < FAMILY_ON for family in families}
    if families and not any(on.values()):
        on[families[int(rng.integers(len(families)))]] = True
    chosen = [
        (kind, float(_generator(seed, kind.name).lognormal(0.0, WEIGHT_SPREAD)))
        for kind in possible
        if on[kind.family]
    ]
    if not chosen:
        return []
    chance = np.array([w for _, w in chosen])
    last_s = LAST_FRAC * duration_s
    drawn = []
    for _ in range(int(rng.poisson(faults_per_minute * duration_s / 60.0))):
        kind = chosen[int(rng.choice(len(chosen), p=chance / chance.sum()))][0]
        at_s = float(rng.uniform(0.0, last_s))
        length_s = math.exp(rng.uniform(math.log(SHORTEST_S), math.log(LONGEST_S)))
        values = {p.name: float(rng.uniform(p.low, p.high)) for p in kind.parameters}
        target = _name(kind, targets, rng)
        # Whole 100 ms blocks keep a plan readable when it is written down.
        at_s, until_s = round(at_s, 1), round(min(at_s + length_s, last_s) + 0.1, 1)
        drawn.append(Drawn(at_s, until_s, target, kind.name, values))
    return sorted(drawn, key=lambda fault: fault.at_s)


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(crc32(name.encode()),)))


def _count(kind: FaultKind, targets: Targets) -> int:
    return sum(len(targets.names(target)) for target in kind.targets)


def _name(kind: FaultKind, targets: Targets, rng: np.random.Generator) -> str:
    """One target; kinds of device are equally likely, so a thousand nodes do not hide one meter."""
    having = [target for target in kind.targets if targets.names(target)]
    target = having[int(rng.integers(len(having)))]
    names = targets.names(target)
    number = int(rng.integers(len(names)))
    if "point" not in kind.targets:
        return names[number]
    points = targets.points(target, number)
    return f"{names[number]}/{points[int(rng.integers(len(points)))]}"
