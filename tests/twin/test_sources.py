"""Two feeds, transfer switches, ties, gensets, solar, UPS and PDUs in a whole site."""

from pathlib import Path

import numpy as np
import pytest

from mallee.core.errors import ConfigError, Rejected
from mallee.site.model import SiteModel
from mallee.twin.parts.generation import layout
from mallee.twin.parts.power.ups import BYPASS, OFF, ON_BATTERY
from mallee.twin.site_twin import SiteTwin
from mallee.twin.weather import read_year
from tests.twin.given import given_twin, run
from tests.twin.plants import HEAD, RACKS, site_of

ATS = """
[[transfer_switch]]
name = "ats"
fed_by = ["a", "{standby}"]
rating_a = 2000
return_s = 5
model = "a-transfer_switch"
[[breaker]]
name = "q"
fed_by = "ats"
rating_a = 1500
"""
GENSET = """
[[genset]]
name = "gen"
model = "a-genset"
"""


def given(site: SiteModel, total_w: float = 200e3) -> SiteTwin:
    return given_twin(site, np.full(10, total_w))


def value(twin: SiteTwin, path: str) -> float:
    row = twin.site.find_point(path)
    assert row is not None
    return float(twin.true_points[row])


def stick(twin: SiteTwin, name: str) -> None:
    twin.branches.state[twin.site.branch_index(name)]["stuck"] = 1


def test_each_feed_has_its_own_meter_voltage_and_energy(tmp_path: Path) -> None:
    text = HEAD + ATS.replace("{standby}", "b") + RACKS.replace("{feed}", "q")
    twin = given(site_of(tmp_path, text))
    run(twin, 2)
    assert value(twin, "meter-a/import_w") == pytest.approx(twin.truth.feeds_w[0])
    assert twin.truth.feeds_w[0] > 199e3
    assert value(twin, "meter-b/import_w") == 0.0
    assert value(twin, "ats/source_count") == 1.0
    twin.feeds.grids[0].add_outage(4_000, 12_000)
    record = run(twin, 4)
    assert value(twin, "meter-a/voltage_v") == 0.0
    assert value(twin, "meter-b/voltage_v") == 480.0
    assert value(twin, "ats/source_count") == 2.0
    dark_s = float((record["load_w"] < 1e3).sum()) * 0.02
    assert (
        0.1 <= dark_s <= 5.5
    )  # 100 ms of transfer is longer than power supplies hold: they reboot
    run(twin, 20)
    assert value(twin, "ats/source_count") == 1.0
    assert twin.truth.feeds_w[0] > 199e3
    assert value(twin, "meter-b/import_energy_wh") > 0.0


def test_a_static_switch_changes_over_without_a_gap(tmp_path: Path) -> None:
    text = HEAD + ATS.replace("{standby}", "b") + RACKS.replace("{feed}", "q")
    twin = given(
        site_of(tmp_path, text.replace("rating_a = 2000", 'rating_a = 2000\ntype = "sts"'))
    )
    run(twin, 1)
    twin.feeds.grids[0].add_outage(2_000, 3_000)
    assert run(twin, 3)["load_w"].min() > 199e3


def test_a_stuck_switch_stays_dark(tmp_path: Path) -> None:
    text = HEAD + ATS.replace("{standby}", "b") + RACKS.replace("{feed}", "q")
    twin = given(site_of(tmp_path, text))
    stick(twin, "ats")
    twin.feeds.grids[0].add_outage(1_000, 5_000)
    run(twin, 4)
    assert twin.truth.grid_w == 0.0


TIE = """
[[switchboard]]
name = "bus-a"
fed_by = "a"
rating_a = 2000
[[switchboard]]
name = "bus-b"
fed_by = "b"
rating_a = 2000
[[tie]]
name = "tie"
between = ["bus-a", "bus-b"]
rating_a = 2000
"""


def test_a_tie_carries_the_board_that_lost_its_main(tmp_path: Path) -> None:
    twin = given(site_of(tmp_path, HEAD + TIE + RACKS.replace("{feed}", "bus-a")))
    run(twin, 1)
    twin.feeds.grids[0].add_outage(2_000, 60_000)
    run(twin, 12)
    assert twin.truth.feeds_w[0] == 0.0
    assert twin.truth.feeds_w[1] > 199e3


class TestGenset:
    """Start, block load, fuel, cool-down, and what goes wrong."""

    def site(self, tmp_path: Path) -> SiteModel:
        text = HEAD + GENSET + ATS.replace("{standby}", "gen") + RACKS.replace("{feed}", "q")
        return site_of(tmp_path, text)

    def test_starts_within_ten_seconds_carries_and_cools_down(self, tmp_path: Path) -> None:
        twin = given(self.site(tmp_path))
        twin.grid.add_outage(2_000, 40_000)
        run(twin, 12)
        assert twin.truth.gensets_w == 0.0
        assert twin.truth.grid_w == 0.0
        lowest_hz = 60.0
        for _ in range(250):
            twin.advance(100)
            lowest_hz = min(lowest_hz, value(twin, "gen/frequency_hz") or 60.0)
        assert twin.truth.gensets_w > 199e3
        assert 0.93 * 60.0 < lowest_hz < 60.0  # class G3 allows a dip of 7 %
        assert value(twin, "gen/frequency_hz") == pytest.approx(60.0, abs=0.05)
        assert 0.99 < value(twin, "gen/fuel_frac") < 1.0
        run(twin, 15)
        assert twin.truth.grid_w > 199e3
        assert twin.gensets.state[0]["does"] == layout.COOLING

    def test_a_load_beyond_its_block_load_stalls_it(self, tmp_path: Path) -> None:
        twin = given(self.site(tmp_path), 780e3)
        twin.grid.add_outage(1_000, 60_000)
        run(twin, 25)
        assert twin.gensets.state[0]["does"] == layout.TRIPPED
        assert twin.truth.gensets_w == 0.0

    def test_one_that_fails_to_start_leaves_the_site_dark(self, tmp_path: Path) -> None:
        twin = given(self.site(tmp_path))
        twin.gensets.state["fails_to_start"] = 1
        twin.grid.add_outage(1_000, 60_000)
        run(twin, 20)
        assert twin.truth.gensets_w == twin.truth.grid_w == 0.0

    def test_is_started_from_afar(self, tmp_path: Path) -> None:
        twin = given(self.site(tmp_path))
        row = twin.site.find_point("gen/start_count")
        assert row is not None
        twin.write(row, 1.0, 0.0)
        run(twin, 11)
        assert twin.gensets.state[0]["does"] == layout.RUNNING
        assert twin.truth.gensets_w == 0.0
        with pytest.raises(Rejected, match="neither 0"):
            twin.write(row, 0.5, 0.0)


def test_ups_and_pdu_in_line_close_the_balance_and_show_their_points(tmp_path: Path) -> None:
    text = """
[[ups]]
name = "ups"
model = "a-ups"
fed_by = "a"
[[pdu]]
name = "pdu"
model = "a-pdu"
fed_by = "ups"
"""
    twin = given(site_of(tmp_path, HEAD + text + RACKS.replace("{feed}", "pdu")))
    run(twin, 3)
    carried_w = value(twin, "ups/output_w")
    assert value(twin, "pdu/input_w") == pytest.approx(carried_w)
    assert value(twin, "pdu/output_w") == pytest.approx(twin.truth.pods_w)
    loss_w = 400e3 * 0.01 * (twin.truth.pods_w / 400e3) ** 2
    assert carried_w - twin.truth.pods_w == pytest.approx(loss_w, rel=1e-3)
    expected_w = 500e3 * (0.008 + 0.010 * carried_w / 500e3 + 0.018 * (carried_w / 500e3) ** 2)
    assert value(twin, "ups/input_w") - carried_w == pytest.approx(expected_w, rel=1e-3)
    before_s = value(twin, "ups/autonomy_s")
    twin.grid.add_outage(4_000, 30_000)
    run(twin, 11)
    assert twin.branches.ups_state[0]["does"] == ON_BATTERY
    assert before_s - value(twin, "ups/autonomy_s") == pytest.approx(10.0, abs=1.0)
    assert value(twin, "ups/soc") < 1.0
    assert twin.truth.pods_w > 199e3


def test_an_overloaded_ups_goes_to_bypass_and_drops_without_input(tmp_path: Path) -> None:
    text = '[[ups]]\nname = "ups"\nmodel = "a-ups"\nfed_by = "a"\n'
    twin = given(site_of(tmp_path, HEAD + text + RACKS.replace("{feed}", "ups")), 790e3)
    run(twin, 3)
    assert twin.branches.ups_state[0]["does"] == BYPASS
    assert twin.truth.pods_w > 780e3
    twin.grid.add_outage(4_000, 30_000)
    run(twin, 3)
    assert twin.branches.ups_state[0]["does"] == OFF
    assert twin.truth.pods_w == 0.0


class TestSolar:
    """Sun, limit, curtailment."""

    def twin(self, tmp_path: Path, hour: float) -> SiteTwin:
        text = '[[solar]]\nname = "sun"\nmodel = "a-solar"\nfed_by = "a"\n'
        site = site_of(tmp_path, HEAD + text + RACKS.replace("{feed}", "a"))
        start_utc_s = 1_781_136_000.0 + 3600.0 * hour  # 11 June 2026
        twin = SiteTwin(site, start_utc_s=start_utc_s)
        twin.advance(1_000)
        return twin

    def test_follows_the_sun_and_a_limit(self, tmp_path: Path) -> None:
        noon, night = self.twin(tmp_path, 12.0), self.twin(tmp_path, 1.0)
        assert night.truth.solar_w == 0.0
        assert noon.truth.solar_w == pytest.approx(100e3, rel=0.05)
        row = noon.site.find_point("sun/output_max_w")
        assert row is not None
        noon.write(row, 30e3, 20.0)
        noon.advance(10_000)
        assert noon.truth.solar_w == pytest.approx(30e3)
        assert value(noon, "sun/output_w") == pytest.approx(30e3)
        noon.advance(20_000)
        assert noon.truth.solar_w > 95e3
        with pytest.raises(Rejected, match="outside"):
            noon.write(row, 200e3, 20.0)


def test_a_weather_file_drives_the_air_by_local_time(tmp_path: Path, demo_site: SiteModel) -> None:
    from tests.twin.plants import with_twin

    rows = [f"{hour},{10 + hour % 24},{100 if 6 <= hour % 24 < 18 else 0}" for hour in range(8760)]
    path = tmp_path / "year.csv"
    path.write_text("hour_of_year,temp_c,ghi_w_m2\n" + "\n".join(rows) + "\n")
    site = with_twin(demo_site, weather=str(path))
    twin = SiteTwin(site, start_utc_s=1_768_500_000.0)  # 15 January 2026, 12:00 in Chicago
    twin.advance(1_000)
    assert twin.truth.ambient_degc == pytest.approx(22.0, abs=0.01)
    path.write_text("hour_of_year,temp_c\n0,20\n")
    with pytest.raises(ConfigError, match="no year"):
        read_year(path)


def test_state_of_sources_is_saved_whole(tmp_path: Path) -> None:
    text = HEAD + GENSET + ATS.replace("{standby}", "gen") + RACKS.replace("{feed}", "q")
    site = site_of(tmp_path, text)
    first, second = SiteTwin(site), SiteTwin(site)
    first.grid.add_outage(1_000, 30_000)
    first.advance(6_000)
    saved = first.save()
    first.advance(10_000)
    second.restore(saved)
    second.advance(10_000)
    assert np.array_equal(first.true_points, second.true_points, equal_nan=True)
