"""The site's clock: local time from run time, also where clocks change."""

import numpy as np
import pytest

from mallee.core.errors import ConfigError
from mallee.site.clock import SiteClock, parse_start

CHICAGO = "America/Chicago"


def test_local_time_follows_the_zone() -> None:
    clock = SiteClock(CHICAGO, parse_start("2026-07-15T13:00", CHICAGO, "--start"))
    assert clock.local(3600.0).isoformat() == "2026-07-15T14:00:00-05:00"
    assert clock.day_s(90.5) == 13 * 3600.0 + 90.5
    assert clock.day(11 * 3600.0) == clock.day(0.0) + 1


@pytest.mark.parametrize(("date", "hours"), [("2026-03-08", 23), ("2026-11-01", 25)])
def test_days_on_which_clocks_change(date: str, hours: int) -> None:
    clock = SiteClock(CHICAGO, parse_start(date, CHICAGO, "--start"))
    edges_s = clock.hours_of_day(clock.day(0.0))
    assert edges_s[0] == 0.0
    assert edges_s[-1] == hours * 3600.0
    lengths_h = np.diff(edges_s) / 3600.0
    assert sorted(set(lengths_h)) == ([0.0, 1.0] if hours == 23 else [1.0, 2.0])
    assert clock.local(float(edges_s[12])).hour == 12


def test_an_offset_says_which_of_two_hours_is_meant() -> None:
    first, second = (
        parse_start(f"2026-11-01T01:30{offset}", CHICAGO, "--start")
        for offset in ("-05:00", "-06:00")
    )
    assert second - first == 3600.0
    assert parse_start("2026-07-15T18:00Z", CHICAGO, "x") == parse_start(
        "2026-07-15T13:00", CHICAGO, "x"
    )
    with pytest.raises(ConfigError, match="comes twice"):
        parse_start("2026-11-01T01:30", CHICAGO, "--start")
