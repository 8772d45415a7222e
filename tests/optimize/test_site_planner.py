"""A site's planner on readings by hand: what control gets, people see, a restart keeps."""

import datetime as dt
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from mallee.core.outlook import Outlook
from mallee.core.snapshot import Quality, Snapshot
from mallee.kinds.battery import BATTERY
from mallee.optimize.markets import carried_on, end_notes, read_markets
from mallee.optimize.memory import decode, encode
from mallee.optimize.outlook_of import outlook_of
from mallee.optimize.series import Series
from mallee.optimize.site_planner import VALID_S, SitePlanner
from mallee.optimize.tariff.file import DemandRate, EnergyRate, TariffFile
from mallee.runtime.board import Board
from mallee.runtime.plan_process import Planner
from mallee.site.budget import budget_of
from mallee.site.model import SiteModel

START_UTC_S = 1_784_073_600.0  # 15 July 2026, 00:00 UTC
TARIFF = TariffFile(
    name="by hand",
    energy=[
        EnergyRate(name="night", usd_per_mwh=30.0, from_time="20:00", until_time="16:00"),
        EnergyRate(name="evening", usd_per_mwh=200.0, from_time="16:00", until_time="20:00"),
    ],
    demand=[DemandRate(name="month", usd_per_w_month=12e-3)],
)


def seen(site: SiteModel, time_s: float, import_w: float, soc: float = 0.5) -> Snapshot:
    """A snapshot in which meter and battery were just read."""
    values = np.full(site.point_count, np.nan)
    values[budget_of(site).meter_row[site.feed_branches]] = import_w
    for group in site.groups_of(BATTERY):
        for device in range(group.count):
            values[group.row(device, "charge_w")] = 0.0
            values[group.row(device, "soc")] = soc
    return Snapshot(
        time_s=time_s,
        values=values,
        times_s=np.full(site.point_count, time_s),
        quality=np.full(site.point_count, int(Quality.GOOD), np.uint8),
        progress=np.zeros(site.point_count, np.uint8),
    )


def load_w(utc_s: float) -> float:
    hour = utc_s / 3600.0 % 24.0
    return 250e3 + (200e3 if 17.0 <= hour < 19.0 else 0.0)


@pytest.fixture(scope="module")
def planner(demo_site: SiteModel) -> SitePlanner:
    """A planner that has read a day and a half, once in five minutes."""
    planner = SitePlanner(demo_site, TARIFF, {})
    for k in range(36 * 12 + 1):
        planner._planned_five_utc_s = START_UTC_S + 300.0 * k if k < 36 * 12 else np.nan
        at = START_UTC_S + 300.0 * k
        planner.step(seen(demo_site, 300.0 * k, load_w(at)), at, 300.0 * k)
    return planner


def test_what_goes_to_control_ends_and_has_reasons(planner: SitePlanner) -> None:
    now_s = 36 * 3600.0
    [plan] = planner.step(
        seen(planner.site, now_s + 1.0, 250e3), START_UTC_S + now_s + 1.0, now_s + 1.0
    )
    assert (planner.made, planner.lost, plan.generation) == (1, 0, 1)
    assert plan.valid_until_s == plan.made_s + VALID_S
    assert plan.steps[0].from_s <= now_s
    assert all("peak" in step.reason for step in plan.steps)
    assert all(np.isinf(step.import_target_w) for step in plan.steps)  # money caps no work
    assert all(step.charge_w is not None for step in plan.steps)
    assert planner.schedule is not None
    assert (planner.schedule.import_w <= planner.held_w + 1.0).all()  # no step above what is held
    assert plan.notes


def test_people_see_all_of_it(planner: SitePlanner) -> None:
    outlook = outlook_of(planner)
    assert outlook is not None
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(outlook), type=Outlook)
    assert again.ahead == outlook.ahead
    ahead = outlook.ahead
    lengths = {len(getattr(ahead, name)) for name in ("load_w", "soc", "price_per_mwh", "charge_w")}
    assert lengths == {len(ahead.from_utc_s)} == {44}
    band = zip(ahead.load_low_w, ahead.load_w, ahead.load_high_w, strict=True)
    assert all(low is not None and low <= mid <= high for low, mid, high in band)  # type: ignore[operator]
    assert max(filter(None, ahead.price_per_mwh)) == 200.0
    assert outlook.cost_without > outlook.cost - outlook.worth_after  # it saves
    lines = {line.name: line for line in outlook.month.lines}
    assert lines["month"].quantity == pytest.approx(450.0)  # kW, of yesterday's evening
    assert lines["month"].amount == pytest.approx(lines["month"].amount_without)  # it has rested
    [peak] = outlook.month.peaks
    assert peak.so_far_w == pytest.approx(450e3)
    assert peak.at_risk_w is not None
    assert peak.at_risk_w >= peak.so_far_w
    assert [score.count for score in outlook.scores] == [0, 0]  # nothing was forecast while it read
    assert msgspec.json.decode(msgspec.json.encode(outlook))  # no NaN in the way


def test_a_restart_keeps_the_month_and_the_forecast(planner: SitePlanner) -> None:
    kept = decode(encode(planner.memory))
    assert kept is not None
    later = 37 * 3600.0
    fresh = SitePlanner(planner.site, TARIFF, {}, memory=kept)
    fresh.step(seen(planner.site, later, 250e3), START_UTC_S + later, later)
    null = SitePlanner(planner.site, TARIFF, {})
    null.step(seen(planner.site, later, 250e3), START_UTC_S + later, later)
    assert fresh.day_planner is not None and null.day_planner is not None
    assert fresh.day_planner.running.peaks_w["month"] == pytest.approx(450e3)
    assert null.day_planner.running.peaks_w["month"] == 0.0
    assert fresh.schedule is not None and null.schedule is not None
    assert fresh.schedule.load_w.max() > 1.3 * null.schedule.load_w.max()  # this evening, too


def test_nothing_is_planned_on_what_is_not_read(planner: SitePlanner) -> None:
    site = planner.site
    blind = seen(site, 0.0, 250e3)
    blind.quality[budget_of(site).meter_row[site.feed_branches]] = Quality.BAD
    fresh = SitePlanner(site, TARIFF, {})
    assert fresh.step(blind, START_UTC_S, 0.0) == ()
    assert fresh.made == 0
    assert outlook_of(fresh) is None


def test_the_process_puts_plan_and_outlook_on_the_board(
    planner: SitePlanner, tmp_path: Path
) -> None:
    site, memory = planner.site, tmp_path / "plan.msgpack"
    board = Board.create(tmp_path / "board", site)
    now = seen(site, 10.0, 250e3)
    board.write_readings(np.arange(site.point_count), now.values, now.quality, 10.0)
    process = Planner(site, board, SitePlanner(site, TARIFF, {}), memory=memory)
    process.step(10.0, START_UTC_S)
    assert "energy" in [plan.source for plan in board.plans().plans]
    outlook = board.outlook()
    assert outlook is not None and outlook.good
    assert decode(memory.read_bytes()) is not None
    assert memory.stat().st_mode & 0o777 == 0o600


def test_a_few_seconds_are_no_history(planner: SitePlanner) -> None:
    fresh = SitePlanner(planner.site, TARIFF, {})
    for second in (140.0, 200.0, 250.0, 300.0):  # the last begins the next five minutes
        snapshot = seen(planner.site, second, 900e3 if second < 300.0 else 250e3)
        fresh.step(snapshot, START_UTC_S + second, second)
    assert len(fresh.memory) == 0
    assert fresh.schedule is not None
    assert 250e3 < fresh.schedule.load_w.max() < 400e3  # the mean of the last minute, no instant


def test_prices_that_end_take_the_day_before_and_are_told(planner: SitePlanner) -> None:
    day = Series(START_UTC_S, 3600.0, np.arange(24.0) + 10.0)
    longer = carried_on({"da": day}, START_UTC_S + 30 * 3600.0)["da"]
    assert longer.values.tolist() == [*day.values, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
    assert carried_on({"da": day}, START_UTC_S)["da"].values.tolist() == day.values.tolist()
    assert end_notes({"da": day}, START_UTC_S) == []
    [soon] = end_notes({"da": day}, START_UTC_S + 20 * 3600.0)
    assert "known until 16 Jul 00:00" in soon
    [over] = end_notes({"da": day}, START_UTC_S + 25 * 3600.0)
    assert "ended" in over
    follows = msgspec.structs.replace(TARIFF, energy=[EnergyRate(name="market", market="da")])
    live = SitePlanner(planner.site, follows, {"da": day}, notes=["3 values are missing"])
    [plan] = live.step(seen(planner.site, 0.0, 250e3), START_UTC_S + 20 * 3600.0, 0.0)
    assert plan.notes[:2] == ("3 values are missing", soon)


def test_prices_are_read_again_when_their_file_changes(
    planner: SitePlanner, tmp_path: Path
) -> None:
    site, path = planner.site, tmp_path / "da.csv"
    follows = msgspec.structs.replace(TARIFF, energy=[EnergyRate(name="market", market="da")])

    def write(price: float, mtime_s: float) -> None:
        hours = (START_UTC_S + 3600.0 * k for k in range(48))
        stamps = (dt.datetime.fromtimestamp(utc_s, dt.UTC).isoformat() for utc_s in hours)
        path.write_text("time,da\n" + "".join(f"{stamp},{price}\n" for stamp in stamps))
        os.utime(path, (mtime_s, mtime_s))

    write(40.0, 1.0)
    energy = SitePlanner(site, follows, read_markets(path, follows)[0])
    board = Board.create(tmp_path / "board", site)
    now = seen(site, 10.0, 250e3)
    board.write_readings(np.arange(site.point_count), now.values, now.quality, 10.0)
    process = Planner(site, board, energy, prices=path)
    process.step(10.0, START_UTC_S)
    assert energy.day_planner is not None
    assert energy.day_planner.prices.at(START_UTC_S + 7200.0) == 40.0
    write(90.0, 2.0)
    process.step(75.0, START_UTC_S + 65.0)
    assert energy.day_planner.prices.at(START_UTC_S + 7200.0) == 90.0
    path.write_text("time,other\n2026-07-15T00:00:00Z,1\n2026-07-15T01:00:00Z,1\n")
    process.step(140.0, START_UTC_S + 130.0)  # useless: the old ones stay
    assert energy.day_planner.prices.at(START_UTC_S + 7200.0) == 90.0


def test_what_fails_in_planning_stops_no_window(
    planner: SitePlanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = planner.site
    [window] = [w for w in site.grid.demand_windows if w.target_w > 0.0][:1]
    zone = ZoneInfo(site.file.timezone)
    inside = dt.datetime.combine(
        dt.date(2026, 7, 15), dt.time.fromisoformat(window.from_time), zone
    ).timestamp()
    energy = SitePlanner(site, TARIFF, {})
    monkeypatch.setattr(energy, "step", lambda *_: 1 / 0)
    board = Board.create(tmp_path / "board", site)
    process = Planner(site, board, energy)
    process.step(10.0, inside + 60.0)
    assert [plan.source for plan in board.plans().plans] == ["demand windows"]
    assert board.heartbeat("plan")[1] == 10.0
