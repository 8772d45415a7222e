"""What a planner shows to people: the time ahead in full, what it costs, and what came of it.

Control never reads this; what reaches control is the `Plan`. Columns of one table are of equal
length; NaN stands for what nobody knows.
"""

import math

import msgspec


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """The plan's steps; one value each.

    Attributes:
        from_utc_s: beginning of each step; `until_utc_s` ends the last.
        price_per_mwh: what imported energy costs, all rows of the tariff together.
        marginal_per_mwh: what one more MWh of load would cost the whole plan: its shadow price.
        load_w: expected, beside the batteries; `load_low_w` and `load_high_w` hold the middle 90 %.
        soc: at the end of each step, 0..1.
        load_by_class_w: capped, deferrable and charging load that the plan moves, by its name.
    """

    from_utc_s: list[float]
    until_utc_s: float
    price_per_mwh: list[float | None]
    marginal_per_mwh: list[float | None]
    load_w: list[float | None]
    load_low_w: list[float | None]
    load_high_w: list[float | None]
    import_w: list[float | None]
    import_max_w: list[float | None]
    charge_w: list[float | None]
    soc: list[float | None]
    load_by_class_w: dict[str, list[float | None]] = {}


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """Plan beside actual, in five-minute means; a blank where no plan stood or nothing was read."""

    from_utc_s: list[float]
    import_w: list[float | None]
    planned_import_w: list[float | None]
    charge_w: list[float | None]
    planned_charge_w: list[float | None]
    load_w: list[float | None]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of a plan: a limit that binds, or a wish that could not be kept.

    Attributes:
        what: a stable name, such as `demand peak`.
        worth: what one unit more would save over the plan; 0 for a broken wish.
        kept: False for a wish that is broken.
    """

    what: str
    from_utc_s: float
    worth: float
    sentence: str
    kept: bool = True


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """One demand charge in the running month.

    Attributes:
        so_far_w: highest interval that was measured; that much is paid for.
        aimed_w: what plans aim to stay under.
        at_risk_w: what the peak becomes if load follows its high path for a day; None while there
            is less than a day of history.
        price_per_kw: of the month.
    """

    name: str
    so_far_w: float
    aimed_w: float
    at_risk_w: float | None
    price_per_kw: float


class MonthLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the bill so far, and the same without batteries."""

    name: str
    quantity: float
    unit: str
    amount: float
    amount_without: float


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """The running month's bill so far, from what the meter read.

    Attributes:
        name: such as `2026-07`.
        from_utc_s: first reading that counts.
        lines: of the bill; both sides come from the same readings, one less the batteries' charge.
        notes: what could not be billed.
    """

    name: str
    from_utc_s: float
    lines: list[MonthLine]
    peaks: list[Peak]
    notes: list[str] = []


class ForecastScore(msgspec.Struct, frozen=True, kw_only=True):
    """How good a forecast was, beside persistence (the same time a day before).

    Attributes:
        lead_s: how long before it was made.
        error: mean absolute error, in the quantity's unit; `persistence_error` likewise.
        skill: 1 - error / persistence_error; below 0 it is worse than persistence.
        count: values compared.
    """

    name: str
    unit: str
    lead_s: float
    error: float | None
    persistence_error: float | None
    skill: float | None
    count: int


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """All that the newest energy plan shows.

    Attributes:
        made_utc_s: when it was made.
        generation: of the plan that went to control.
        good: proved, and sent; what is not good is shown and not sent.
        cost: of the time ahead, energy and wear; `cost_without` the same without batteries.
        worth_after: change of what is stored at the end, at its price; counts against `cost`.
        made, lost: plans made, and not sent, since the planner began.
    """

    site: str
    tariff: str
    currency: str
    made_utc_s: float
    generation: int
    good: bool
    ahead: Ahead
    past: Past
    month: Month
    said: list[Said]
    scores: list[ForecastScore]
    cost: float
    cost_without: float
    worth_after: float
    made: int
    lost: int


def column(values: object) -> list[float | None]:
    """A column of a table; what is not finite becomes blank.

    Args:
        values: an array or a list of numbers.
    """
    found: list[float | None] = []
    for value in values:  # type: ignore[attr-defined]
        number = float(value)
        found.append(number if math.isfinite(number) else None)
    return found
