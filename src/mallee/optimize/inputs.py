"""What a plan is made from: one site's parts over one horizon, in W, Wh and USD/MWh.

Arrays have one value a step of the horizon. Everything is a forecast or a rule; what was measured
is the state at the start (state of charge, import, what was done of a job). Powers are AC at the
site's bus.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

from mallee.core.arrays import FloatArray
from mallee.optimize.curve import hull
from mallee.optimize.horizon import Horizon


@dataclass(frozen=True, slots=True, kw_only=True)
class EndValue:
    """What energy is worth at the end of the horizon: concave, by segments from empty up.

    Attributes:
        energy_wh: width of each segment.
        usd_per_mwh: value of each, falling.
    """

    energy_wh: FloatArray
    usd_per_mwh: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery over the horizon.

    Attributes:
        energy_wh: usable capacity between 0 and 1 of `soc`.
        soc: measured at the start, 0..1.
        soc_min, soc_max: window that is left only when nothing else keeps a harder limit.
        charge_max_w, discharge_max_w: what it can do in each step, derated for temperature.
        charge_efficiency, discharge_efficiency: one way, 0..1, AC to cell and back.
        self_discharge_frac: of the stored energy, an hour.
        wear_usd_per_mwh: price of a throughput of one MWh, each way.
        reserve_wh: kept above `soc_min` for the fast layer: energy of its longest swing.
        headroom_wh: kept free below `soc_max` for the same.
        reserve_w: power kept free both ways for the fast layer.
        peak_reserve_wh: kept above both for load that no forecast shows; spent to keep a peak.
        band_soc, band_usd_per_mwh: comfortable window, and the price of an hour and MWh outside.
        end: value of what is left at the end; None takes the mean price.
    """

    name: str
    energy_wh: float
    soc: float
    soc_min: float = 0.1
    soc_max: float = 0.95
    charge_max_w: FloatArray | float
    discharge_max_w: FloatArray | float
    charge_efficiency: float = 0.94
    discharge_efficiency: float = 0.94
    self_discharge_frac: float = 0.0
    wear_usd_per_mwh: float = 2.0
    reserve_wh: FloatArray | float = 0.0
    headroom_wh: FloatArray | float = 0.0
    reserve_w: FloatArray | float = 0.0
    peak_reserve_wh: FloatArray | float = 0.0
    band_soc: tuple[float, float] | None = None
    band_usd_per_mwh: float = 0.0
    end: EndValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One class of deferrable work: energy that arrives and must be done by its deadline.

    Attributes:
        arrived_wh: arrived by the end of each step, with what was left at the start; rising.
        due_wh: must be done by the end of each step; rising, at most `arrived_wh` by right.
        power_max_w: at most this at once in each step.
        value_usd_per_mwh: of each MWh done within the horizon.
    """

    name: str
    arrived_wh: FloatArray
    due_wh: FloatArray
    power_max_w: FloatArray | float
    value_usd_per_mwh: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CapBand:
    """Work that is always there and can be capped: throughput as a concave curve of power.

    Attributes:
        power_w, throughput_frac: corners of the curve, both rising, the first at the least power
            (paused or at the lowest cap), the last at full power with throughput 1.
        scale: share of the class that is there in each step, 0..1.
        value_usd_per_mwh: what full throughput is worth, for each MWh of full power.
        throughput_min_frac: mean over the horizon that must be kept.
    """

    name: str
    power_w: FloatArray
    throughput_frac: FloatArray
    scale: FloatArray | float = 1.0
    value_usd_per_mwh: float
    throughput_min_frac: float = 0.0

    @cached_property
    def corners(self) -> tuple[FloatArray, FloatArray]:
        """Power and throughput of the curve's upper hull."""
        return hull(self.power_w, self.throughput_frac)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolingBuffer:
    """Cooling with coolant or ice to store it in.

    Attributes:
        energy_wh: heat that can be taken up between the buffer's limits.
        stored_wh: cold stored at the start.
        power_max_w: electric power of the plant.
        cop: heat removed for each unit of electricity in each step, from the forecast weather.
        heat_w: heat of the fixed load in each step; that of planned work is added.
        heat_frac: share of planned work's power that becomes heat in this loop.
        loss_frac: of the stored cold, an hour.
    """

    name: str
    energy_wh: float
    stored_wh: float
    power_max_w: FloatArray | float
    cop: FloatArray
    heat_w: FloatArray
    heat_frac: float = 1.0
    loss_frac: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging:
    """A group of cars between two envelopes of cumulative energy (exact for one class).

    Attributes:
        earliest_wh: cumulative energy if every car charges at once as fast as it can.
        latest_wh: cumulative energy that must have been delivered for all to leave in time.
        power_max_w: charger and cable limits in each step.
    """

    name: str
    earliest_wh: FloatArray
    latest_wh: FloatArray
    power_max_w: FloatArray | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Genset:
    """A generator.

    Attributes:
        power_min_w: below this it is off.
        power_max_w: in each step; zero where it may not run.
        ordered_w: at least this where somebody with the right to has ordered it on.
        fuel_usd_per_mwh: cost of its energy.
        energy_max_wh: fuel or permit left for the horizon.
        carbon_kg_per_mwh: of its energy.
    """

    name: str
    power_min_w: float = 0.0
    power_max_w: FloatArray | float
    ordered_w: FloatArray | float = 0.0
    fuel_usd_per_mwh: float = 300.0
    energy_max_wh: float = math.inf
    carbon_kg_per_mwh: float = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A charge on the highest mean import of a billing interval.

    Attributes:
        usd_per_w: price of each watt of the month's highest interval.
        interval_s: 900, 1800 or 3600.
        incumbent_w: highest interval so far, or the peak that is planned for; nothing is won below.
        applies: where the charge counts.  # (steps,) of bool
        elapsed_wh: imported in the running interval before the horizon starts.
    """

    name: str
    usd_per_w: float
    interval_s: float = 900.0
    incumbent_w: float = 0.0
    applies: FloatArray | None = None
    elapsed_wh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An obligation to keep import at or below a target.

    Attributes:
        target_w: in each step; infinite where it does not apply.
        usd_per_mwh: what a missed MWh costs.
    """

    name: str
    target_w: FloatArray
    usd_per_mwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the meter may see.

    Attributes:
        import_max_w, export_max_w: envelope in each step, as contracts and operators schedule it.
        ramp_w_per_s: largest change of import between step means; infinite for none.
        measured_w: net import over the five minutes before the start; NaN leaves the first free.
        reasons: what set the envelope, such as a contract's name; for sentences.
    """

    import_max_w: FloatArray
    export_max_w: FloatArray | float = 0.0
    ramp_w_per_s: float = math.inf
    measured_w: float = math.nan
    reasons: str = "connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything a plan is made from.

    Attributes:
        load_w: what will be drawn whatever the plan says.
        solar_w: what the sun will give at most.
        import_usd_per_mwh, export_usd_per_mwh: all that is paid a MWh, taxes and fees included.
        carbon_kg_per_mwh: of the grid; `carbon_usd_per_kg` prices it (0 to only report).
    """

    horizon: Horizon
    connection: Connection
    load_w: FloatArray
    import_usd_per_mwh: FloatArray
    export_usd_per_mwh: FloatArray | float = 0.0
    solar_w: FloatArray | None = None
    carbon_kg_per_mwh: FloatArray | float = 0.0
    carbon_usd_per_kg: float = 0.0
    batteries: tuple[Battery, ...] = ()
    work: tuple[Work, ...] = ()
    caps: tuple[CapBand, ...] = ()
    cooling: tuple[CoolingBuffer, ...] = ()
    charging: tuple[Charging, ...] = ()
    gensets: tuple[Genset, ...] = ()
    demands: tuple[Demand, ...] = ()
    responses: tuple[Response, ...] = field(default=())
