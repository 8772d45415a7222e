"""All that control remembers from one cycle to the next: plain numbers, stored for a restart."""

import math

import msgspec

from mallee.control.diversity import Diversity
from mallee.control.meter_check import MeterCheck
from mallee.control.trim import Trim
from mallee.control.trust import Trust
from mallee.core.status import Mode

Condition = tuple[str, str]
"""Kind of the event that tells of its coming, and the device or concern it is about."""


class ControlState(msgspec.Struct, frozen=True, kw_only=True):
    """Handed back by every cycle and given to the next one.

    Attributes:
        cycle: number of the next cycle; multiples of it pace the slow concerns.
        mode: `starting` until the meters were seen once, `degraded` while devices stand in for a
            meter, `safe` while too little can be seen.
        meter_seen_s: when the feeds' last good readings were taken.
        import_w, load_w: last known import and the load behind it (import less battery charge).
        flow_mean_w: each metered branch, smoothed over a second; what limits are judged by.
        load_mean_w: load smoothed over half a minute.
        other_w: what flows beside what is known, at each metered branch; NaN before it is learned.
        learned_s: how long has been learned.
        branch_heat: heat of each branch, 1 at its rating held for good.
        diversity: what nodes lately drew of what they may.
        trims: feedback of each metered branch.
        trusts: credit of each battery.
        checks: what is held against each feed's meter.
        import_in_force_w: bound of import in force.
        target_w: import target of a plan that was adopted; infinite without one.
        target_reason: what that is for.
        chargers_max_w: sum of charger limits asked for.
        charger_room_w: what chargers may take where no battery covers the ramp.
        nodes_max_w: what the nodes may draw under the caps asked for, at their branches.
        nodes_cap_frac: caps asked for, as a share of the nodes' range between floor and maximum; 1
            leaves them alone.
        charge_bias_w: charge asked of the batteries for the state of charge.
        soc_integral: what the state of charge lacked, added up, in hours.
        soc_recovering: whether the state of charge is being brought back.
        set_points_w: power that control gives the batteries itself; empty while they keep the
            meter on their own.
        filter_override_since_s: since when the meter speaks for a change of that.
        settings: set points that requests changed, by row, and what stood there before.
        active: conditions that hold now, so that each makes one event when it comes and goes.
        binding, acting, text: the "why" line.
    """

    cycle: int = 0
    mode: Mode = "starting"
    meter_seen_s: float = -math.inf
    import_w: float = 0.0
    load_w: float = 0.0
    flow_mean_w: tuple[float, ...] = ()
    load_mean_w: float = 0.0
    other_w: tuple[float, ...] = ()
    learned_s: float = 0.0
    branch_heat: tuple[float, ...] = ()
    diversity: Diversity = Diversity()
    trims: tuple[Trim, ...] = ()
    trusts: tuple[Trust, ...] = ()
    checks: tuple[MeterCheck, ...] = ()
    import_in_force_w: float = 0.0
    target_w: float = math.inf
    target_reason: str = ""
    chargers_max_w: float = 0.0
    charger_room_w: float = 0.0
    nodes_max_w: float = 0.0
    nodes_cap_frac: float = 1.0
    charge_bias_w: float = 0.0
    soc_integral: float = 0.0
    soc_recovering: bool = False
    filter_overridden: bool = False
    filter_override_since_s: float | None = None
    settings: tuple[tuple[int, float], ...] = ()
    active: tuple[Condition, ...] = ()
    binding: str = "none"
    acting: str = ""
    text: str = "Starting: waiting for the grid meter."
