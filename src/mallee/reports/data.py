"""What a report shows of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mallee.core.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One simulated run, as time series.

    Attributes:
        site: name of the site.
        note: what was run: load or trace, duration, seed.
        t_s: time of each sample, evenly spaced, normally 1 s.  # (samples,)
        grid_w: import at the meter, mean of each sample.  # (samples,)
        load_w: what the connection would carry without the battery.  # (samples,)
        battery_charge_w: positive charges.  # (samples,)
        chargers_w, it_w: vehicle chargers, and all nodes.  # (samples,)
        soc: state of charge 0..1.  # (samples,)
        gpu_max_degc: hottest accelerator; NaN where there is none.  # (samples,)
        supply_degc, return_degc: coolant of the warmest CDU; NaN where there is none.  # (samples,)
        import_max_w, export_max_w: limits of the connection.
        ramp_up_max_w_per_s, ramp_down_max_w_per_s: limits of change.
        fast_step_s: spacing of the two series below.
        fast_grid_w, fast_load_w: grid and load at the electrical step.  # (steps,)
        events: what happened, time in s and a sentence.
        figures: key figures by name, as `mallee simulate --json` prints them.
    """

    site: str
    note: str
    t_s: FloatArray
    grid_w: FloatArray
    load_w: FloatArray
    battery_charge_w: FloatArray
    chargers_w: FloatArray
    it_w: FloatArray
    soc: FloatArray
    gpu_max_degc: FloatArray
    supply_degc: FloatArray
    return_degc: FloatArray
    import_max_w: float
    export_max_w: float = 0.0
    ramp_up_max_w_per_s: float
    ramp_down_max_w_per_s: float
    fast_step_s: float = 0.02
    fast_grid_w: FloatArray
    fast_load_w: FloatArray
    events: tuple[tuple[float, str], ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
