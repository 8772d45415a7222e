"""All that control remembers from one cycle to the next: plain numbers, stored for a restart."""

import math

import msgspec

from mallee.core.status import Mode

Condition = tuple[str, str]
"""Kind of the event that tells of its coming, and the device or concern it is about."""


class ControlState(msgspec.Struct, frozen=True, kw_only=True):
    """Handed back by every cycle and given to the next one.

    Attributes:
        cycle: number of the next cycle; multiples of it pace the slow concerns.
        mode: `starting` until the meter was seen once, `safe` while it cannot be seen.
        meter_seen_s: when the meter's last good reading was taken.
        import_w, load_w: last known import and the load behind it (import less battery charge).
        import_mean_w: import smoothed over a second; what limits are judged by.
        load_mean_w: load smoothed over half a minute.
        pods_peak_w: what the pods lately drew at most.
        import_in_force_w: bound of import in force.
        chargers_max_w: sum of charger limits asked for.
        nodes_cap_frac: caps asked for, as a fraction of each node's range between floor and
            maximum; 1 leaves the nodes alone.
        charge_bias_w: charge asked of the batteries' filters for the state of charge.
        soc_recovering: whether the state of charge is being brought back.
        filter_overridden: whether control holds the batteries in place of their filters.
        filter_override_since_s: since when the meter speaks for a change of `filter_overridden`.
        unexplained_w: power at the meter that no device accounts for, smoothed.
        distrusted: whether the meter is left out of account for that.
        active: conditions that hold now, so that each makes one event when it comes and goes.
        binding, acting, text: the "why" line.
    """

    cycle: int = 0
    mode: Mode = "starting"
    meter_seen_s: float = -math.inf
    import_w: float = 0.0
    load_w: float = 0.0
    import_mean_w: float = 0.0
    load_mean_w: float = 0.0
    pods_peak_w: float = 0.0
    import_in_force_w: float = 0.0
    chargers_max_w: float = 0.0
    nodes_cap_frac: float = 1.0
    charge_bias_w: float = 0.0
    soc_recovering: bool = False
    filter_overridden: bool = False
    filter_override_since_s: float | None = None
    unexplained_w: float = 0.0
    distrusted: bool = False
    active: tuple[Condition, ...] = ()
    binding: str = "none"
    acting: str = ""
    text: str = "Starting: waiting for the grid meter."
