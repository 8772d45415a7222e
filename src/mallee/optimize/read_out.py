"""From a solution's columns back to a site's powers, costs and broken wishes."""

from collections.abc import Iterator

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.broken import broken_wishes
from mallee.optimize.inputs import Problem
from mallee.optimize.lp import SCALE
from mallee.optimize.parts import caps
from mallee.optimize.programme import Programme
from mallee.optimize.schedule import Schedule
from mallee.optimize.solver import Answer
from mallee.optimize.why import bindings


def schedule_of(
    programme: Programme, problem: Problem, answer: Answer, *, explain: bool = True
) -> Schedule:
    """The plan that an answer means.

    Args:
        explain: also say what binds and why; leave out in a backtest's inner loop.
    """
    x = np.where(np.abs(answer.solution) < 1e-9, 0.0, answer.solution)
    h, power = problem.horizon, x / SCALE
    at = programme.meter
    names = _Names(programme, problem, power)
    return Schedule(
        horizon=h,
        import_w=at.imported(x),
        export_w=power[at.export],
        load_w=np.asarray(problem.load_w, dtype=float),
        solar_w=power[at.solar] if problem.solar_w is not None else np.zeros(h.count),
        marginal_usd_per_mwh=answer.row_dual[programme.layout.balance] / h.length_h,
        charge_w={b.name: power[a.charge] for a, b in names.batteries},
        discharge_w={b.name: power[a.discharge] for a, b in names.batteries},
        stored_wh={
            b.name: a.energy(x, base)
            for (a, b), base in zip(names.batteries, programme.bases_wh, strict=True)
        },
        work_w={w.name: power[a.power] for a, w in names.work},
        charging_w={c.name: power[a.power] for a, c in names.charging},
        done_wh={
            name: np.cumsum(power[columns] * h.length_h)
            for name, columns in (
                *((w.name, a.power) for a, w in names.work),
                *((c.name, a.power) for a, c in names.charging),
            )
        },
        cap_w=dict(_cap_powers(programme, problem, power)),
        throughput_frac={
            band.name: caps.throughput(a, band, x)
            for a, band in zip(programme.caps, problem.caps, strict=True)
        },
        cooling_w={c.name: power[a.power] for a, c in names.cooling},
        cold_wh={c.name: power[a.stored] for a, c in names.cooling},
        genset_w={g.name: power[a.power] for a, g in names.gensets},
        peak_w={
            d.name: float(power[a.peak][0])
            for a, d in zip(programme.demands, problem.demands, strict=True)
        },
        unserved_w=power[at.unserved],
        spill_w=power[at.spill],
        broken=broken_wishes(programme, problem, x),
        binding=bindings(programme, problem, answer) if explain else (),
        cost_usd=_costs(problem, names, at.imported(x), power[at.export]),
        proof=answer.proof,
        how=answer.how,
        iterations=answer.iterations,
    )


class _Names:
    """Parts and where they stand, in pairs."""

    def __init__(self, programme: Programme, problem: Problem, power: FloatArray) -> None:
        self.power = power
        self.batteries = list(zip(programme.batteries, problem.batteries, strict=True))
        self.work = list(zip(programme.work, problem.work, strict=True))
        self.charging = list(zip(programme.charging, problem.charging, strict=True))
        self.cooling = list(zip(programme.cooling, problem.cooling, strict=True))
        self.gensets = list(zip(programme.gensets, problem.gensets, strict=True))


def _cap_powers(
    programme: Programme, problem: Problem, power: FloatArray
) -> Iterator[tuple[str, FloatArray]]:
    for at, band in zip(programme.caps, problem.caps, strict=True):
        least = np.asarray(band.scale) * band.corners[0][0] + np.zeros(problem.horizon.count)
        yield band.name, least + np.sum([power[c] for c in at.segments], axis=0)


def _costs(
    problem: Problem, names: _Names, import_w: FloatArray, export_w: FloatArray
) -> dict[str, float]:
    """Money of the horizon by what it is for, USD."""
    d, power = problem.horizon.length_h * SCALE, names.power
    imported, exported = import_w * d, export_w * d
    carbon = np.asarray(problem.carbon_kg_per_mwh) + np.zeros(len(d))
    fuel = [float(np.sum(power[a.power] * d)) for a, _ in names.gensets]
    burnt_kg = sum(e * g.carbon_kg_per_mwh for e, (_, g) in zip(fuel, names.gensets, strict=True))
    return {
        "energy": float(imported @ problem.import_usd_per_mwh),
        "export": -float(np.sum(exported * problem.export_usd_per_mwh)),
        "wear": sum(
            b.wear_usd_per_mwh * float(np.sum((power[a.charge] + power[a.discharge]) * d))
            for a, b in names.batteries
        ),
        "fuel": sum(e * g.fuel_usd_per_mwh for e, (_, g) in zip(fuel, names.gensets, strict=True)),
        "carbon": (float(imported @ carbon) + burnt_kg) * problem.carbon_usd_per_kg,
        "carbon_kg": float(imported @ carbon) + burnt_kg,
    }
