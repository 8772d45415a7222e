"""One second of the page: flags, words, derived numbers, and the ten minutes behind it."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mallee.console.frame import Flag, Frame, SignalState, decode_frame
from mallee.console.live import EVENTS_SENT, FrameText, Live
from mallee.console.signals import Readings
from mallee.console.trend import SECONDS, SERIES, Trend
from mallee.core.event import Event, Severity
from mallee.core.snapshot import Quality
from mallee.core.status import ControlStatus
from mallee.site.model import SiteModel

STATUS = ControlStatus(
    time_s=100.0,
    mode="auto",
    binding="ramp up",
    acting="bess1 ramp filter",
    text="Import 480 of 588 kW.",
    import_in_force_w=588e3,
    import_target_w=490e3,
    charge_bias_w=0.0,
    chargers_max_w=300e3,
    nodes_max_w=240e3,
)


class Player:
    """A live page with readings that a test sets."""

    def __init__(self, site: SiteModel) -> None:
        self.site, self.live = site, Live(site)
        self.values = np.zeros(site.point_count)
        self.ages_s = np.zeros(site.point_count)
        self.time_utc_s = 1.7e9
        self.names = [signal.name for signal in self.live.info.signals]

    def tick(self, status: ControlStatus | None = STATUS, status_age_s: float = 0.1) -> Frame:
        self.time_utc_s += 1.0
        readings = Readings(
            values=self.values,
            ages_s=self.ages_s,
            quality=np.full(self.site.point_count, Quality.GOOD, np.uint8),
        )
        processes = {"control": status_age_s, "twin": math.inf}
        encoded = self.live.tick(
            readings,
            status,
            status_age_s=status_age_s,
            time_utc_s=self.time_utc_s,
            processes=processes,
        )
        return decode_frame(encoded)

    def value(self, frame: Frame, name: str) -> float:
        return float(frame.values[self.names.index(name)])

    def state(self, frame: Frame, name: str) -> int:
        return int(frame.states[self.names.index(name)])


@pytest.fixture
def player(demo_site: SiteModel) -> Player:
    return Player(demo_site)


def test_frames_fit_the_list_of_signals(player: Player) -> None:
    frame = player.tick()
    assert len(frame.values) == len(player.names) == len(set(player.names))
    assert frame.schema == player.live.info.schema
    assert frame.flags == Flag.TWIN
    assert player.tick().sequence == frame.sequence + 1
    assert player.value(frame, "import_in_force_w") == 588e3


def test_words_travel_with_the_numbers(player: Player) -> None:
    for number in range(EVENTS_SENT + 3):
        event = Event(
            time_s=1.0, kind="k", source=f"n{number}", text="t", severity=Severity.WARNING
        )
        player.live.add_event(event, 1.7e9 + number)
    text = msgspec.json.decode(player.tick().text, type=FrameText)
    assert text.status == STATUS
    assert text.processes == {"control": 0.1, "twin": -1.0}
    assert [event.source for event in text.events][:2] == ["n14", "n13"]
    assert len(text.events) == EVENTS_SENT


def test_a_silent_meter_and_a_silent_control_show(player: Player) -> None:
    player.ages_s[player.site.rows("meter", "import_w")] = 10.0
    frame = player.tick(status_age_s=5.0)
    assert frame.flags == Flag.TWIN | Flag.METER_STALE | Flag.CONTROL_STALE
    assert player.state(frame, "import_in_force_w") == SignalState.STALE
    frame = player.tick(status=None, status_age_s=math.inf)
    assert frame.flags & Flag.CONTROL_STALE
    assert player.state(frame, "import_in_force_w") == SignalState.UNKNOWN


def test_time_to_the_floor_is_from_the_mean_of_the_last_minute(player: Player) -> None:
    site = player.site
    player.values[site.rows("battery", "soc")] = 0.6
    player.values[site.rows("battery", "capacity_wh")] = 4e6
    player.values[site.rows("battery", "charge_w")] = -300e3
    player.tick()
    player.values[site.rows("battery", "charge_w")] = -100e3
    frame = player.tick()  # mean -200 kW: 1.6 MWh above the floor last 8 h
    assert player.value(frame, "floor_time_s") == pytest.approx(8 * 3600, rel=1e-4)
    assert math.isnan(player.value(frame, "ceiling_time_s"))


def test_pue_counts_shelves_and_cooling_only(player: Player) -> None:
    site = player.site
    player.values[site.rows("node", "power_w")] = 6000.0
    player.values[site.rows("power_shelf", "input_w")] = 1030.0
    player.values[site.rows("power_shelf", "output_w")] = 1000.0
    player.values[site.rows("cdu", "power_w")] = 1200.0
    player.values[site.rows("charger", "power_w")] = 500e3
    it_w = 36 * 6000.0
    frame = player.tick()
    assert player.value(frame, "pue") == pytest.approx((it_w * 1.03 + 1200) / it_w, rel=1e-6)
    assert player.value(frame, "consumers_w") == pytest.approx(it_w * 1.03 + 1200 + 1e6)


def test_load_is_import_less_what_the_battery_takes(player: Player) -> None:
    player.values[player.site.rows("meter", "import_w")] = 400e3
    player.values[player.site.rows("battery", "charge_w")] = -90e3
    frame = player.tick()
    assert player.value(frame, "load_w") == pytest.approx(490e3)
    assert player.value(frame, "import_over_w") == 0.0
    player.values[player.site.rows("meter", "import_w")] = 600e3
    frame = player.tick()
    assert player.value(frame, "import_over_w") == pytest.approx(12e3)  # of the second, not a mean
    assert player.value(frame, "import_w") < 588e3


def test_the_trend_keeps_ten_minutes() -> None:
    trend = Trend()
    assert trend.columns().time_utc_s == []
    for second in range(SECONDS + 50):
        trend.add(float(second), {"import_w": float(second), "load_w": math.nan})
    columns = trend.columns()
    assert columns.time_utc_s[0] == 50.0
    assert len(columns.time_utc_s) == SECONDS
    assert set(columns.series) == set(SERIES)
    assert columns.series["import_w"][-1] == SECONDS + 49.0
    assert columns.series["load_w"] == [None] * SECONDS
    assert trend.mean("import_w", 3) == SECONDS + 48.0
    assert math.isnan(trend.mean("load_w", 60))


def test_the_trend_survives_the_console_and_shows_the_gap(tmp_path: Path) -> None:
    trend = Trend(tmp_path)
    for second in range(SECONDS + 5):
        trend.add(float(second), {"import_w": 1.0})
    again = Trend(tmp_path)
    again.add(SECONDS + 10.0, {"import_w": 2.0})
    columns = again.columns()
    assert columns.time_utc_s[-3:] == [SECONDS + 4.0, SECONDS + 5.0, SECONDS + 10.0]
    assert columns.series["import_w"][-3:] == [1.0, None, 2.0]
    assert columns.time_utc_s[0] == 11.0
    # what is older than ten minutes belongs to another day
    again.add(1e6, {"import_w": 3.0})
    assert again.columns().time_utc_s == [1e6]
    assert Trend(tmp_path, ("other",)).columns().time_utc_s == []
