"""The contract of a feed: what its ramps come to, and values that no contract has."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.site.contract import DemandWindow, LimitChange, Ramp, UtilityFeed
from mallee.site.entry import Device
from mallee.site.file import Control, SiteFile

METER = Device(name="meter", model="grid-meter-sunspec")
RAMPS = st.lists(
    st.builds(
        Ramp,
        window_s=st.floats(0.1, 3600.0),
        up_max_w=st.floats(1.0, 1e7),
        down_max_w=st.floats(1.0, 1e7),
    ),
    max_size=4,
)


def feed(**changes: Any) -> UtilityFeed:
    return UtilityFeed(contracted_w=1e6, import_max_w=1e6, meter=METER, **changes)


@given(RAMPS, st.none() | st.floats(1.0, 1e6), st.none() | st.floats(1.0, 1e6))
def test_the_ramp_in_force_breaks_no_window(
    ramps: list[Ramp], up: float | None, down: float | None
) -> None:
    """A steady rise at the slope that is given stays inside every window there is."""
    one = feed(ramps=ramps, ramp_up_max_w_per_s=up, ramp_down_max_w_per_s=down)
    for ramp in ramps:
        if math.isfinite(one.ramp_up_w_per_s):
            assert one.ramp_up_w_per_s * ramp.window_s <= ramp.up_max_w * (1 + 1e-9)
        assert one.ramp_down_w_per_s * ramp.window_s <= ramp.down_max_w * (1 + 1e-9)
    assert up is None or one.ramp_up_w_per_s <= up
    assert down is None or one.ramp_down_w_per_s <= down
    if not ramps and up is None:
        assert one.ramp_up_w_per_s == math.inf, "nothing limits it"
    slopes = [ramp.up_max_w / ramp.window_s for ramp in ramps] + ([] if up is None else [up])
    assert not slopes or one.ramp_up_w_per_s in slopes, "it is one of them, no less"


def decoded(type_: Any, **fields: Any) -> Any:
    return msgspec.convert(fields, type_)


@pytest.mark.parametrize(
    ("type_", "fields", "message"),
    [
        (Ramp, {"window_s": 0.0, "up_max_w": 1.0, "down_max_w": 1.0}, "window_s"),
        (Ramp, {"window_s": 1.0, "up_max_w": -1.0, "down_max_w": 1.0}, "up_max_w"),
        (DemandWindow, {"name": "x", "from_time": "24:00", "until_time": "08:00"}, "from_time"),
        (DemandWindow, {"name": "x", "from_time": "8:00", "until_time": "09:00"}, "from_time"),
        (DemandWindow, {"name": "x", "from_time": "08:00", "until_time": "08:60"}, "until_time"),
        (LimitChange, {"name": "x", "from_date": "2026-13-01"}, "from_date"),
        (LimitChange, {"name": "x", "until_date": "2026-02-32"}, "until_date"),
        (LimitChange, {"name": "x", "days": ["monday"]}, "days"),
        (LimitChange, {"name": "x", "import_max_w": -1.0}, "import_max_w"),
        (Control, {"soc_min": 1.2}, "soc_min"),
        (Control, {"import_margin_frac": -0.1}, "import_margin_frac"),
        (Control, {"soc_minimum": 0.2}, "soc_minimum"),
        (SiteFile, {"name": "no spaces please"}, "name"),
        (SiteFile, {"name": "x", "batery": []}, "batery"),
    ],
)
def test_what_no_contract_says_is_found_where_it_stands(
    type_: Any, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        decoded(type_, **fields)


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_minute_of_a_day_is_a_time(hour: int, minute: int) -> None:
    clock = f"{hour:02d}:{minute:02d}"
    window = decoded(DemandWindow, name="x", from_time=clock, until_time="12:00")
    assert window.from_time == clock
    assert (window.interval_s, window.target_w) == (900.0, 0.0)


@given(st.dictionaries(st.sampled_from(["contracted_w", "import_max_w", "voltage_v"]),
                       st.floats(max_value=0.0), min_size=1))  # fmt: skip
def test_ratings_are_above_zero(wrong: dict[str, float]) -> None:
    good = {"contracted_w": 1.0, "import_max_w": 1.0, "meter": {"name": "m", "model": "x"}}
    assert decoded(UtilityFeed, **good).export_max_w == 0.0, "no export unless it is said"
    with pytest.raises(msgspec.ValidationError, match="|".join(wrong)):
        decoded(UtilityFeed, **{**good, **wrong})
