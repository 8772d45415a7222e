"""A site's parts put together: one layout for each shape of problem, filled for each solve."""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.inputs import Problem
from mallee.optimize.ladder import Ladder, ladder_of
from mallee.optimize.lp import SCALE, Layout, Numbers, Pattern
from mallee.optimize.parts import battery, caps, cooling, demand, envelope, genset, meter


@dataclass(slots=True)
class Programme:
    """The layout of one shape of problem, and the numbers of the one filled in last.

    Attributes:
        bases_wh: base of each battery's bands, to read its stored energy.
    """

    layout: Layout
    pattern: Pattern
    numbers: Numbers
    meter: meter.MeterColumns
    batteries: tuple[battery.BatteryColumns, ...]
    work: tuple[envelope.EnvelopeColumns, ...]
    charging: tuple[envelope.EnvelopeColumns, ...]
    caps: tuple[caps.CapColumns, ...]
    cooling: tuple[cooling.CoolingColumns, ...]
    gensets: tuple[genset.GensetColumns, ...]
    demands: tuple[demand.DemandColumns, ...]
    bases_wh: list[FloatArray]

    def fill(self, problem: Problem) -> Ladder:
        """Write a problem's numbers; it must have the shape that this was made for."""
        horizon, numbers, ladder = problem.horizon, self.numbers, ladder_of(problem)
        # What is left at the end replaces what would be bought at the horizon's mean price.
        price = float(np.dot(problem.import_usd_per_mwh, horizon.length_h) / horizon.length_h.sum())
        fixed_w = np.array(problem.load_w, dtype=float)
        meter.fill(self.meter, problem, numbers, ladder)
        self.bases_wh.clear()
        for at_battery, b in zip(self.batteries, problem.batteries, strict=True):
            worth = max(0.0, price * b.discharge_efficiency - b.wear_usd_per_mwh)
            self.bases_wh.append(battery.fill(at_battery, b, numbers, horizon, ladder, worth))
        for at_work, w in zip(self.work, problem.work, strict=True):
            envelope.fill(
                at_work,
                numbers,
                horizon,
                arrived_wh=w.arrived_wh,
                due_wh=w.due_wh,
                power_max_w=w.power_max_w,
                value_usd_per_mwh=w.value_usd_per_mwh,
                late_usd_per_mwh=ladder.firm,
            )
        for at_cars, cars in zip(self.charging, problem.charging, strict=True):
            envelope.fill(
                at_cars,
                numbers,
                horizon,
                arrived_wh=cars.earliest_wh,
                due_wh=cars.latest_wh,
                power_max_w=cars.power_max_w,
                value_usd_per_mwh=price,
                late_usd_per_mwh=ladder.firm,
            )
        least_w = np.zeros(horizon.count)
        for at_cap, band in zip(self.caps, problem.caps, strict=True):
            least_w += caps.fill(at_cap, band, numbers, horizon, ladder)
        fixed_w += least_w
        for at_buffer, buffer in zip(self.cooling, problem.cooling, strict=True):
            cooling.fill(at_buffer, buffer, numbers, horizon, ladder, least_w, max(0.0, price))
        for at_set, g in zip(self.gensets, problem.gensets, strict=True):
            genset.fill(at_set, g, numbers, horizon, ladder, problem.carbon_usd_per_kg)
        for at_peak, charge in zip(self.demands, problem.demands, strict=True):
            demand.fill(at_peak, charge, numbers, horizon)
        balance = self.layout.balance
        numbers.row_lower[balance] = fixed_w * SCALE
        numbers.row_upper[balance] = fixed_w * SCALE
        return ladder


def programme_of(problem: Problem) -> Programme:
    """Declare the parts of a problem."""
    layout = Layout(problem.horizon.count)
    layout.row()
    at_meter = meter.declare(layout, problem)
    batteries = tuple(battery.declare(layout, b) for b in problem.batteries)
    work = tuple(envelope.declare(layout) for _ in problem.work)
    charging = tuple(envelope.declare(layout) for _ in problem.charging)
    bands = tuple(caps.declare(layout, band) for band in problem.caps)
    heating = [at.power for at in work] + [s for at in bands for s in at.segments]
    buffers = tuple(
        # Two loops share the heat of planned work by their `heat_frac`.
        cooling.declare(layout, heating)
        for _ in problem.cooling
    )
    gensets = tuple(genset.declare(layout, g) for g in problem.gensets)
    demands = tuple(
        demand.declare(layout, at_meter.imports, charge, problem.horizon)
        for charge in problem.demands
    )
    return Programme(
        layout,
        layout.pattern(),
        Numbers.of(layout),
        at_meter,
        batteries,
        work,
        charging,
        bands,
        buffers,
        gensets,
        demands,
        [],
    )


def shape_of(problem: Problem) -> tuple[object, ...]:
    """What must be equal for two problems to share a layout."""
    h = problem.horizon
    return (
        h.count,
        bool(problem.responses),
        problem.solar_w is not None,
        bool(np.isfinite(problem.connection.ramp_w_per_s)),
        tuple(
            (b.band_soc is None, 0 if b.end is None else len(b.end.energy_wh))
            for b in problem.batteries
        ),
        len(problem.work),
        len(problem.charging),
        tuple((len(c.corners[0]), c.throughput_min_frac > 0.0) for c in problem.caps),
        len(problem.cooling),
        tuple(bool(np.isfinite(g.energy_max_wh)) for g in problem.gensets),
        tuple(
            (
                demand.groups(h, d.interval_s).tobytes(),
                b"" if d.applies is None else (d.applies > 0).tobytes(),
            )
            for d in problem.demands
        ),
    )
