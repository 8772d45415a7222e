"""Utility feeds and their contracts, as the site file gives them."""

import math
from typing import Literal

from mallee.site.entry import (
    CalendarDate,
    ClockTime,
    Device,
    Entry,
    Fraction,
    Name,
    NotNegative,
    Positive,
    Weekday,
)


class DemandWindow(Entry, frozen=True, kw_only=True):
    """Hours in which the highest mean import over `interval_s` is billed.

    Attributes:
        target_w: import that control tries to stay under during the window; 0 for none.
    """

    name: str
    from_time: ClockTime
    until_time: ClockTime
    interval_s: Positive = 900.0
    target_w: NotNegative = 0.0


class Ramp(Entry, frozen=True, kw_only=True):
    """Most that import may change within a window of time, up and down.

    Attributes:
        window_s: any two instants no further apart than this count.
    """

    window_s: Positive
    up_max_w: Positive
    down_max_w: Positive


class LimitChange(Entry, frozen=True, kw_only=True):
    """Other limits of a feed for certain hours: a flexible or interim connection.

    Attributes:
        name: what people call it.
        from_date, until_date: first and last day; empty for no bound.
        days: weekdays it holds on; all where empty.
        from_time, until_time: local hours of those days; equal for the whole day.
    """

    name: str
    from_date: CalendarDate | Literal[""] = ""
    until_date: CalendarDate | Literal[""] = ""
    days: list[Weekday] = []
    from_time: ClockTime = "00:00"
    until_time: ClockTime = "00:00"
    import_max_w: NotNegative | None = None
    export_max_w: NotNegative | None = None


class UtilityFeed(Entry, frozen=True, kw_only=True):
    """A connection to the utility's grid and its contract, as ``[grid]`` or one of ``[[feed]]``.

    Attributes:
        contracted_w: power that the contract is for; ramp tolerances refer to it.
        import_max_w: hard limit of import at the meter.
        import_max_va: the same in apparent power, where the contract says kVA.
        power_factor_min: lowest power factor that the contract allows; 0 for none.
        export_max_w: hard limit of export at the meter; 0 forbids export.
        ramp_up_max_w_per_s, ramp_down_max_w_per_s: how fast import may change, at any distance in
            time up to a minute; without them and without `ramps` nothing limits it.
        ramps: the same as windows, where a contract says "within N seconds".
        voltage_v: nominal line-to-line voltage at the meter.
        limits: hours in which other limits hold.
    """

    name: Name = "grid"
    contracted_w: Positive
    import_max_w: Positive
    import_max_va: Positive | None = None
    power_factor_min: Fraction = 0.0
    export_max_w: NotNegative = 0.0
    ramp_up_max_w_per_s: Positive | None = None
    ramp_down_max_w_per_s: Positive | None = None
    ramps: list[Ramp] = []
    voltage_v: Positive = 480.0
    frequency_hz: Positive = 60.0
    meter: Device
    demand_windows: list[DemandWindow] = []
    limits: list[LimitChange] = []

    @property
    def ramp_up_w_per_s(self) -> float:
        """Steepest rise that every ramp window allows for good; infinite without any."""
        slopes = [ramp.up_max_w / ramp.window_s for ramp in self.ramps]
        own = [] if self.ramp_up_max_w_per_s is None else [self.ramp_up_max_w_per_s]
        return min([*own, *slopes], default=math.inf)

    @property
    def ramp_down_w_per_s(self) -> float:
        """Steepest fall that every ramp window allows for good; infinite without any."""
        slopes = [ramp.down_max_w / ramp.window_s for ramp in self.ramps]
        own = [] if self.ramp_down_max_w_per_s is None else [self.ramp_down_max_w_per_s]
        return min([*own, *slopes], default=math.inf)
