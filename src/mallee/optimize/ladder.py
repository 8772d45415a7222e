"""What a broken wish costs: the order in which a plan gives up what it cannot keep.

Every limit is soft in the programme, so that there is always an answer and it names what was
broken. The steps of the ladder are made from the problem's own prices, far enough apart that no
price, demand charge or value of work can buy what stands higher. Limits stay hard in control.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.units import SECONDS_PER_HOUR
from mallee.optimize.inputs import Problem

PRICE_MIN_USD_PER_MWH: Final = 50.0
FIRM_STEPS: Final = 2.0
HARD_STEPS: Final = 6.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """Prices of broken wishes, USD/MWh of shortfall a step.

    Attributes:
        soft: a reserve against unforeseen peaks, which is there to be used.
        firm: deadlines, the fast layer's reserve, the state of charge window, throughput floors.
        hard: import, export and cooling limits.
        unserved: load that finds no power at all.
    """

    soft: float
    firm: float
    hard: float
    unserved: float


def ladder_of(problem: Problem) -> Ladder:
    """The ladder of a problem: each step above what the one below can be worth."""
    tops = [
        PRICE_MIN_USD_PER_MWH,
        float(np.max(np.abs(problem.import_usd_per_mwh))),
        float(np.max(np.abs(problem.export_usd_per_mwh))),
        *(w.value_usd_per_mwh for w in problem.work),
        *(_steepest(c.power_w, c.throughput_frac) * c.value_usd_per_mwh for c in problem.caps),
        *(g.fuel_usd_per_mwh for g in problem.gensets),
        *(r.usd_per_mwh for r in problem.responses),
    ]
    tops = [top if np.isfinite(top) else PRICE_MIN_USD_PER_MWH for top in tops]
    peaks = sum(d.usd_per_w * 1e6 * SECONDS_PER_HOUR / d.interval_s for d in problem.demands)
    soft = 3.0 * max(tops)
    firm = FIRM_STEPS * (soft + peaks)
    hard = HARD_STEPS * firm
    return Ladder(soft, firm, hard, HARD_STEPS * hard)


def _steepest(power_w: np.ndarray, throughput_frac: np.ndarray) -> float:
    """Value of the first watt relative to the mean one."""
    rise = np.diff(throughput_frac) / np.maximum(np.diff(power_w), 1e-9)
    return float(rise.max() * power_w[-1]) if rise.size else 1.0
