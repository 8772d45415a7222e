"""What a plan says: powers and energies step by step, what binds, which wishes were broken."""

from dataclasses import dataclass, field

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.optimize.verify import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenWish:
    """Something that could not be kept.

    Attributes:
        wish: what, such as `import limit` or `deadline`.
        name: whose.
        from_utc_s: when it begins.
        amount: largest miss, in `unit`.
        sentence: what a person reads.
    """

    wish: str
    name: str
    from_utc_s: float
    amount: float
    unit: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A limit that the plan runs into, and what one unit more of it would save.

    Attributes:
        limit: which, such as `import limit` or `demand peak`.
        from_utc_s: when first.
        worth_usd: of one MW (or MWh, for stores) more, over the horizon.
        sentence: what a person reads.
    """

    limit: str
    from_utc_s: float
    worth_usd: float
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A plan over a horizon; one value a step, in W and Wh; by name where there are several.

    Attributes:
        marginal_usd_per_mwh: what one more MWh of load costs in each step.
        stored_wh: by battery, at the end of each step.
        done_wh: by work or charging group, cumulative from the start.
        throughput_frac: by capped class.
        peak_w: by demand charge, what the plan reckons with.
        cost_usd: of the horizon: energy, wear, fuel, carbon, missed responses; no penalties.
        proof: that it is feasible and optimal.
        how: `warm`, `cold`, `interior`; with `+either-or` where binaries decided some steps.
    """

    horizon: Horizon
    import_w: FloatArray
    export_w: FloatArray
    load_w: FloatArray
    solar_w: FloatArray
    marginal_usd_per_mwh: FloatArray
    charge_w: dict[str, FloatArray] = field(default_factory=dict)
    discharge_w: dict[str, FloatArray] = field(default_factory=dict)
    stored_wh: dict[str, FloatArray] = field(default_factory=dict)
    work_w: dict[str, FloatArray] = field(default_factory=dict)
    charging_w: dict[str, FloatArray] = field(default_factory=dict)
    done_wh: dict[str, FloatArray] = field(default_factory=dict)
    cap_w: dict[str, FloatArray] = field(default_factory=dict)
    throughput_frac: dict[str, FloatArray] = field(default_factory=dict)
    cooling_w: dict[str, FloatArray] = field(default_factory=dict)
    cold_wh: dict[str, FloatArray] = field(default_factory=dict)
    genset_w: dict[str, FloatArray] = field(default_factory=dict)
    peak_w: dict[str, float] = field(default_factory=dict)
    unserved_w: FloatArray
    spill_w: FloatArray
    broken: tuple[BrokenWish, ...] = ()
    binding: tuple[Binding, ...] = ()
    cost_usd: dict[str, float] = field(default_factory=dict)
    proof: Proof
    how: str
    iterations: int

    @property
    def good(self) -> bool:
        """Proved, and its powers balance to ten watts."""
        return self.proof.holds and self.balance_error_w <= 10.0

    @property
    def balance_error_w(self) -> float:
        """Largest difference of what comes in and what goes out, summed from the powers."""
        come = self.import_w + self.solar_w + self.unserved_w
        go = self.export_w + self.spill_w + self.load_w
        for group in (self.discharge_w, self.genset_w):
            come = sum(group.values(), come)
        for group in (self.charge_w, self.work_w, self.charging_w, self.cap_w, self.cooling_w):
            go = sum(group.values(), go)
        return float(np.max(np.abs(come - go), initial=0.0))

    @property
    def battery_w(self) -> FloatArray:
        """Charging less discharging of all batteries."""
        charge = sum(self.charge_w.values(), 0.0 * self.import_w)
        return charge - sum(self.discharge_w.values(), 0.0 * self.import_w)
