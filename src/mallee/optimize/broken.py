"""Names what a plan could not keep: every soft limit that a solution leaves, one sentence each."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.inputs import Problem
from mallee.optimize.lp import SCALE
from mallee.optimize.parts.battery import levels
from mallee.optimize.programme import Programme
from mallee.optimize.schedule import BrokenWish

TOLD_FROM: Final = 10.0
"""W or Wh; less is rounding."""


def clock(utc_s: float) -> str:
    """An instant as people read it."""
    return dt.datetime.fromtimestamp(utc_s, dt.UTC).strftime("%d %b %H:%M UTC")


def amount_text(amount: float, unit: str) -> str:
    """A quantity with the prefix that suits it."""
    for factor, prefix in ((1e6, "M"), (1e3, "k")):
        if abs(amount) >= factor:
            return f"{amount / factor:.3g} {prefix}{unit}"
    return f"{amount:.3g} {unit}"


def broken_wishes(programme: Programme, problem: Problem, x: FloatArray) -> tuple[BrokenWish, ...]:
    """Everything that was not kept, hardest first."""
    found = [
        *_meter(programme, problem, x),
        *_stores(programme, problem, x),
        *_envelopes(programme, problem, x),
        *_others(programme, problem, x),
    ]
    return tuple(found)


def _wish(
    problem: Problem, wish: str, name: str, unit: str, text: str, miss: FloatArray
) -> Iterator[BrokenWish]:
    """One wish, if it was missed; `text` holds {much} and {when}."""
    where = np.flatnonzero(miss > TOLD_FROM)
    if not where.size:
        return
    from_utc_s = float(problem.horizon.edges_utc_s[where[0]])
    amount = float(miss.max())
    sentence = text.format(much=amount_text(amount, unit), when=clock(from_utc_s), name=name)
    yield BrokenWish(
        wish=wish, name=name, from_utc_s=from_utc_s, amount=amount, unit=unit, sentence=sentence
    )


def _meter(programme: Programme, problem: Problem, x: FloatArray) -> Iterator[BrokenWish]:
    at, reasons = programme.meter, problem.connection.reasons
    power = x / SCALE
    yield from _wish(
        problem,
        "load",
        "site",
        "W",
        "{much} of load find no power from {when}: import, battery and generation together are "
        "too small",
        power[at.unserved],
    )
    yield from _wish(
        problem,
        "import limit",
        reasons,
        "W",
        "import exceeds the limit of {name} by up to {much} from {when}; control will cap load",
        power[at.imports[-1]],
    )
    yield from _wish(
        problem,
        "export limit",
        reasons,
        "W",
        "{much} have nowhere to go from {when}: export is limited by {name}",
        power[at.spill],
    )
    if at.ramp_row.stop > at.ramp_row.start:
        yield from _wish(
            problem,
            "ramp",
            reasons,
            "W",
            "import changes {much} more than the ramp of {name} allows at {when}",
            power[at.ramp_up] + power[at.ramp_down],
        )
    if len(at.imports) == 3:
        name = ", ".join(r.name for r in problem.responses)
        yield from _wish(
            problem,
            "response target",
            name,
            "W",
            "the target of {name} is missed by up to {much} from {when}",
            power[at.imports[1]],
        )


def _stores(programme: Programme, problem: Problem, x: FloatArray) -> Iterator[BrokenWish]:
    count = problem.horizon.count
    for at, battery, base in zip(
        programme.batteries, problem.batteries, programme.bases_wh, strict=True
    ):
        stored = at.energy(x, base)
        edge = levels(battery, count)
        least = battery.soc_min * battery.energy_wh
        yield from _wish(
            problem,
            "state of charge window",
            battery.name,
            "Wh",
            "{name} is {much} outside its state of charge window from {when}",
            np.maximum(least - stored, stored - battery.soc_max * battery.energy_wh),
        )
        kept = np.maximum(edge["floor"], np.asarray(battery.reserve_wh) + least)
        room = battery.soc_max * battery.energy_wh - np.asarray(battery.headroom_wh)
        yield from _wish(
            problem,
            "fast reserve",
            battery.name,
            "Wh",
            "{name} lacks {much} of the energy that its fast layer asks for from {when}",
            np.where(
                stored >= least, np.maximum(kept - stored, np.maximum(stored - room, 0.0)), 0.0
            ),
        )
        spare = np.asarray(battery.reserve_w) + np.zeros(count)
        most = np.minimum(battery.charge_max_w, battery.discharge_max_w)
        yield from _wish(
            problem,
            "fast reserve",
            battery.name,
            "W",
            "the fast layer asks {much} more of {name} than it can do from {when}",
            spare - most,
        )
        yield from _wish(
            problem,
            "peak reserve",
            battery.name,
            "Wh",
            "{name} spends {much} of what was kept for unforeseen peaks from {when}",
            np.minimum(edge["kept"] - stored, edge["kept"] - edge["floor"]),
        )


def _envelopes(programme: Programme, problem: Problem, x: FloatArray) -> Iterator[BrokenWish]:
    for at, work in zip(programme.work, problem.work, strict=True):
        yield from _wish(
            problem,
            "deadline",
            work.name,
            "Wh",
            "{name} is up to {much} behind its deadlines from {when}",
            x[at.late] / SCALE,
        )
        yield from _wish(
            problem,
            "contradiction",
            work.name,
            "Wh",
            "{name} has deadlines for {much} that have not arrived by {when}; they wait for it",
            work.due_wh - work.arrived_wh,
        )
    for at, cars in zip(programme.charging, problem.charging, strict=True):
        yield from _wish(
            problem,
            "cars",
            cars.name,
            "Wh",
            "cars at {name} lack up to {much} from {when} to leave as they asked",
            x[at.late] / SCALE,
        )


def _others(programme: Programme, problem: Problem, x: FloatArray) -> Iterator[BrokenWish]:
    count = problem.horizon.count
    for at, buffer in zip(programme.cooling, problem.cooling, strict=True):
        yield from _wish(
            problem,
            "cooling",
            buffer.name,
            "W",
            "{name} cannot remove {much} of heat from {when}; caps or warmer coolant will follow",
            x[at.missing] / SCALE,
        )
    for at_cap, band in zip(programme.caps, problem.caps, strict=True):
        if at_cap.short.stop > at_cap.short.start:
            yield from _wish(
                problem,
                "throughput floor",
                band.name,
                "Wh",
                "{name} stays {much} of work below its least throughput",
                np.concatenate((x[at_cap.short] / SCALE, np.zeros(count - 1))),
            )
    for at_set, genset in zip(programme.gensets, problem.gensets, strict=True):
        if at_set.excess.stop > at_set.excess.start:
            yield from _wish(
                problem,
                "fuel",
                genset.name,
                "Wh",
                "{name} needs {much} more than its fuel or permit allows",
                np.concatenate((x[at_set.excess] / SCALE, np.zeros(count - 1))),
            )
        yield from _wish(
            problem,
            "order",
            genset.name,
            "W",
            "{name} is ordered on with {much} more than it can give from {when}",
            np.asarray(genset.ordered_w) - np.asarray(genset.power_max_w) + np.zeros(count),
        )
