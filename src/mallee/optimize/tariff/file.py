"""A tariff as a TOML file: rows that add up, each with when it applies.

Prices are in the tariff's currency, named USD throughout; energy a MWh, demand a W and month.
Times are local, with the tariff's own time zone; an hour that a clock change repeats or skips is
billed as it passes.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mallee.site.entry import ClockTime

NotNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Month = Annotated[int, Meta(ge=1, le=12)]
Date = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
Months = tuple[Month, ...]
ALL_MONTHS = tuple(range(1, 13))


class _Row(
    msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True
):
    """Base of all tables: when a row applies. An end before its beginning runs over midnight.

    Attributes:
        months: of the year, 1 to 12.
        days: every day, Monday to Friday without holidays, or the others.
        from_time, until_time: of the day, half open; equal times are the whole day.
    """

    name: str
    months: Months = ALL_MONTHS
    days: Literal["all", "workdays", "holidays"] = "all"
    from_time: ClockTime = "00:00"
    until_time: ClockTime = "00:00"


class EnergyRate(_Row, frozen=True, kw_only=True):
    """A price on energy; all rows that apply add up.

    Attributes:
        usd_per_mwh: fixed part, or what is added to a market's price.
        market: series that the price follows, such as `day-ahead`; empty for none.
        market_frac: share of the market's price that is passed on.
    """

    usd_per_mwh: float = 0.0
    market: str = ""
    market_frac: float = 1.0


class DemandRate(_Row, frozen=True, kw_only=True):
    """A price on the highest mean power of an interval, by month.

    Attributes:
        usd_per_w_month: price of each watt of the billed demand.
        interval_s: over which power is averaged.
        ratchet_frac: the billed demand is at least this share of the highest of the months before.
        ratchet_months: how many months before.
        minimum_w: billed demand is at least this.
        contracted_w: with this the row prices only what exceeds it (a subscription's excess).
    """

    usd_per_w_month: NotNegative
    interval_s: Literal[300, 900, 1800, 3600] = 900
    ratchet_frac: Fraction = 0.0
    ratchet_months: Annotated[int, Meta(ge=0, le=24)] = 11
    minimum_w: NotNegative = 0.0
    contracted_w: NotNegative = 0.0


class CoincidentRate(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A price on the mean power in the system's own peak intervals (4CP, 12CP).

    Attributes:
        usd_per_w_month: price of each watt, billed in each month of `billed_months`.
        peak_months: months of which each has one coincident interval.
        intervals: their beginnings as ISO times with offset, once they are known.
        interval_s: their length.
        hours_of_day: local hours of the day in which they may fall, for planning.
    """

    name: str
    usd_per_w_month: NotNegative
    peak_months: Months = (6, 7, 8, 9)
    intervals: list[str] = []
    interval_s: Literal[900, 1800, 3600] = 900
    hours_of_day: tuple[Annotated[int, Meta(ge=0, le=23)], ...] = (15, 16, 17)


class TariffFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole tariff.

    Attributes:
        fixed_usd_per_month: whatever is used.
        subscribed_w, subscription_usd_per_w_month: contracted capacity and its price.
        taxes_frac: on everything else.
        holidays: dates that count as no workday.
        source: where the figures come from.
    """

    name: str
    timezone: str = "UTC"
    currency: str = "USD"
    fixed_usd_per_month: float = 0.0
    subscribed_w: NotNegative = 0.0
    subscription_usd_per_w_month: NotNegative = 0.0
    taxes_frac: NotNegative = 0.0
    energy: list[EnergyRate] = []
    export: list[EnergyRate] = []
    demand: list[DemandRate] = []
    coincident: list[CoincidentRate] = []
    holidays: list[Date] = []
    source: str = ""
