"""Shadow prices in words: which limits a plan runs into, and what one more unit would save.

The price of a limit is the reduced cost of the column that stands at it (or the price of its row):
how much less the horizon would cost if the limit were one MW or one MWh wider.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.broken import amount_text, clock
from mallee.optimize.inputs import Problem
from mallee.optimize.programme import Programme
from mallee.optimize.schedule import Binding
from mallee.optimize.solver import Answer

WORTH_MIN_USD: Final = 0.01


def bindings(programme: Programme, problem: Problem, answer: Answer) -> tuple[Binding, ...]:
    """All limits that cost something, dearest first."""
    found = list(_found(programme, problem, answer))
    return tuple(sorted(found, key=lambda b: (-b.worth_usd, b.limit)))


def _found(programme: Programme, problem: Problem, answer: Answer) -> Iterator[Binding]:
    numbers, pattern = programme.numbers, programme.pattern
    values = numbers.values[pattern.order]
    reduced = numbers.cost - np.bincount(
        pattern.column_of,
        values * answer.row_dual[pattern.row_of],
        minlength=len(numbers.cost),
    )
    edges = problem.horizon.edges_utc_s
    rows = [
        (
            "import limit",
            f"the import limit ({problem.connection.reasons})",
            "MW",
            programme.meter.imports[0],
        )
    ]
    if len(programme.meter.imports) == 3:
        names = ", ".join(r.name for r in problem.responses)
        rows[0] = (
            "response target",
            f"the target of {names} or the import limit",
            "MW",
            rows[0][3],
        )
    rows.append(("export limit", "the export limit", "MW", programme.meter.export))
    for at, battery in zip(programme.batteries, problem.batteries, strict=True):
        rows.append(("discharge power", f"discharge power of {battery.name}", "MW", at.discharge))
        rows.append(("charge power", f"charge power of {battery.name}", "MW", at.charge))
        mid = next(columns for name, columns, _ in at.bands if name == "mid")
        rows.append(("battery energy", f"usable energy of {battery.name}", "MWh", mid))
    for at_work, work in zip(programme.work, problem.work, strict=True):
        rows.append(("work power", f"power of {work.name}", "MW", at_work.power))
        rows.append(
            ("work arrival", f"work of {work.name} that has not come yet", "MWh", at_work.early)
        )
    for at_cars, cars in zip(programme.charging, problem.charging, strict=True):
        rows.append(("charger power", f"charger power of {cars.name}", "MW", at_cars.power))
    for at_cool, buffer in zip(programme.cooling, problem.cooling, strict=True):
        rows.append(("plant power", f"cooling power of {buffer.name}", "MW", at_cool.power))
        rows.append(("cold store", f"the store of {buffer.name}", "MWh", at_cool.stored))
    for limit, text, unit, columns in rows:
        at_limit = (reduced[columns] < 0.0) & (
            answer.solution[columns] >= numbers.upper[columns] - 1e-9
        )
        worth = np.where(at_limit, -reduced[columns], 0.0)
        yield from _binding(limit, text, unit, worth, edges)
    for at_peak, demand in zip(programme.demands, problem.demands, strict=True):
        worth = np.maximum(answer.row_dual[at_peak.row], 0.0)
        peak = amount_text(float(answer.solution[at_peak.peak][0]) * 1e6, "W")
        held = np.flatnonzero(worth > WORTH_MIN_USD)
        if held.size:
            first = float(edges[held[0]])
            yield Binding(
                limit="demand peak",
                from_utc_s=first,
                worth_usd=float(worth.sum()),
                sentence=f"the peak of {demand.name} is held at {peak} in {held.size} steps from "
                f"{clock(first)}; each kW of it costs {demand.usd_per_w * 1e3:,.2f} USD",
            )
    if programme.meter.ramp_row.stop > programme.meter.ramp_row.start:
        worth = np.abs(answer.row_dual[programme.meter.ramp_row])
        yield from _binding("ramp", f"the ramp ({problem.connection.reasons})", "MW", worth, edges)


def _binding(
    limit: str, text: str, unit: str, worth: FloatArray, edges: FloatArray
) -> Iterator[Binding]:
    steps = np.flatnonzero(worth > WORTH_MIN_USD)
    if not steps.size:
        return
    total = float(worth.sum())
    first = float(edges[steps[0]])
    span = "one step" if steps.size == 1 else f"{steps.size} steps"
    yield Binding(
        limit=limit,
        from_utc_s=first,
        worth_usd=total,
        sentence=f"{text} binds from {clock(first)} ({span}): one {unit} more would save "
        f"{total:,.2f} USD",
    )
