"""Ticks become segments, rollups and merged files; what is old or in the way goes."""

import errno
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.core.snapshot import Quality
from mallee.history import HistoryFull, HistoryWriter, read_point, read_points
from mallee.history.layout import Layout
from mallee.site.model import SiteModel

START_UTC_S = 1_800_000_000.0  # 2027-01-15 08:00 UTC
POINT = "meter/import_w"


def write(folder: Path, site: SiteModel, ticks: Sequence[float], **options: object) -> None:
    """Every point of tick t has the value t + row."""
    with HistoryWriter(folder, site, **options) as writer:  # type: ignore[arg-type]
        append(writer, site, ticks)


def append(writer: HistoryWriter, site: SiteModel, ticks: Sequence[float]) -> None:
    rows = np.arange(site.point_count, dtype=np.float64)
    quality = np.zeros(site.point_count, np.uint8)
    for tick in ticks:
        writer.append(START_UTC_S + tick, tick + rows, quality)


def row_of(site: SiteModel, path: str) -> int:
    row = site.find_point(path)
    assert row is not None
    return row


def query(sql: str, paths: Iterable[Path]) -> list[tuple[object, ...]]:
    with duckdb.connect() as database:
        return database.execute(sql, {"f": [str(path) for path in paths]}).fetchall()


def values(folder: Path, path: str = POINT, first: float = 0, end: float = 1e6) -> FloatArray:
    return read_point(folder, path, START_UTC_S + first, START_UTC_S + end).values


def files(folder: Path, tier: str, kind: str = "meter") -> list[str]:
    return sorted(path.name for path in folder.glob(f"{tier}/site=*/class={kind}/day=*/*.parquet"))


def test_every_point_comes_back(tmp_path: Path, site: SiteModel) -> None:
    write(tmp_path, site, range(130))
    history = read_points(tmp_path, ["*"], START_UTC_S, START_UTC_S + 200)
    assert history.columns == tuple(site.point_paths())
    assert (history.times_s == START_UTC_S + np.arange(130)).all()
    assert (history.values == np.arange(130)[:, None] + np.arange(site.point_count)).all()


def test_the_open_minute_is_read_too(tmp_path: Path, site: SiteModel) -> None:
    row = row_of(site, POINT)
    with HistoryWriter(tmp_path, site) as writer:
        for tick in range(75):
            append(writer, site, [tick])
            assert values(tmp_path)[-1] == tick + row
        assert len(values(tmp_path)) == 75
        assert list(values(tmp_path, first=58, end=62)) == [t + row for t in range(58, 62)]


def test_what_is_not_good_is_kept_as_nothing(tmp_path: Path, site: SiteModel) -> None:
    quality = np.full(site.point_count, Quality.GOOD, np.uint8)
    row = row_of(site, POINT)
    with HistoryWriter(tmp_path, site) as writer:
        for tick in range(4):
            quality[row] = Quality(tick)
            writer.append(START_UTC_S + tick, np.ones(site.point_count), quality)
    assert [str(v) for v in values(tmp_path)] == ["1.0", "nan", "nan", "nan"]
    table = tmp_path.glob("raw/site=*/class=meter/day=*/*.parquet")
    found = query("SELECT count(*), count(import_w) FROM read_parquet($f)", table)
    assert found == [(4, 1)]


def test_energy_counters_keep_their_digits(tmp_path: Path, site: SiteModel) -> None:
    path = "bess1/charge_energy_wh"
    row = row_of(site, path)
    reading = np.zeros(site.point_count)
    reading[row] = 4_123_456_789.25  # a year at 500 kW; float32 would be off by 256 Wh
    quality = np.zeros(site.point_count, np.uint8)
    with HistoryWriter(tmp_path, site) as writer:
        writer.append(START_UTC_S, reading, quality)
        assert values(tmp_path, path)[0] == reading[row]
    assert values(tmp_path, path)[0] == reading[row]


def test_rollups_hold_each_minute(tmp_path: Path, site: SiteModel) -> None:
    write(tmp_path, site, range(90))  # stopped in the middle of the second minute
    write(tmp_path, site, range(100, 125))
    row = row_of(site, POINT)
    folder = tmp_path.glob("rollup/site=*/class=meter/day=*/*.parquet")
    found = query(
        "SELECT ts, min_import_w, max_import_w, mean_import_w, last_import_w "
        "FROM read_parquet($f) ORDER BY ts",
        folder,
    )
    second = [*range(60, 90), *range(100, 120)]
    assert found == [
        (START_UTC_S * 1000, row, row + 59, row + 29.5, row + 59),
        (START_UTC_S * 1000 + 60_000, row + 60, row + 119, row + np.mean(second), row + 119),
        (START_UTC_S * 1000 + 120_000, row + 120, row + 124, row + 122, row + 124),
    ]


@pytest.mark.slow
def test_minutes_are_merged_as_they_age(tmp_path: Path, site: SiteModel) -> None:
    first_hour = [0, 60, 300, 660, 720, 3599]
    ticks = [*first_hour, 3600, 5000, 16 * 3600, 20 * 3600, 40 * 3600, 40 * 3600 + 60]
    for until in (len(first_hour) + 1, len(ticks)):
        write(tmp_path, site, ticks[:until][-7:])
        assert list(values(tmp_path)) == [row_of(site, POINT) + t for t in ticks[:until]]
        assert len(files(tmp_path, "rollup")) == len(files(tmp_path, "raw"))
        assert not (tmp_path / "compaction.json").exists()
        if until < len(ticks):  # ten minutes each, and an hour where it is over
            assert files(tmp_path, "raw") == [span(0, 3599), span(3600, 3600)]
    # From 08:00: the first day's two hours, the second day (to its last tick), the open minutes.
    last = [span(t, t) for t in ticks[-2:]]
    assert files(tmp_path, "raw") == [span(0, 5000), span(16 * 3600, 20 * 3600), *last]


def span(first: int, last: int) -> str:
    return f"{START_UTC_S * 1000 + first * 1000:.0f}-{START_UTC_S * 1000 + last * 1000:.0f}.parquet"


def test_a_merge_cut_short_is_finished_or_forgotten(tmp_path: Path, site: SiteModel) -> None:
    write(tmp_path, site, range(0, 120))
    first, second = tmp_path.glob("raw/site=*/class=meter/day=*/*.parquet")
    merged = first.with_name("1800000000000-1800000119000.parquet")
    inputs = [str(p.relative_to(tmp_path)) for p in (first, second)]
    journal = tmp_path / "compaction.json"
    text = (
        f'{{"output": "{merged.relative_to(tmp_path)}", "inputs": ["{inputs[0]}", "{inputs[1]}"]}}'
    )
    journal.write_text(text)
    HistoryWriter(tmp_path, site).close()
    assert not journal.exists()
    assert len(files(tmp_path, "raw")) == 2  # no output yet: the inputs stay
    query(f"COPY (FROM read_parquet($f) ORDER BY device, ts) TO '{merged}'", [first, second])
    journal.write_text(text)
    assert len(values(tmp_path)) == 120  # seen once, though two files hold it
    HistoryWriter(tmp_path, site).close()
    assert files(tmp_path, "raw") == [merged.name]


def test_a_damaged_segment_stops_nothing_else(tmp_path: Path, site: SiteModel) -> None:
    write(tmp_path, site, range(0, 180, 10))
    damaged = sorted(tmp_path.glob("raw/site=*/class=meter/day=*/*.parquet"))[1]
    damaged.write_bytes(damaged.read_bytes()[:-20] + bytes(20))
    with pytest.raises(ConfigError, match=f"a segment is damaged: .*{damaged.name}"):
        values(tmp_path)
    write(tmp_path, site, [600, 1200])  # merges the ten minutes, or tries to
    assert damaged.with_suffix(".damaged").exists()
    assert len(values(tmp_path)) == 12 + 2
    assert len(values(tmp_path, "bess1/soc")) == 18 + 2


@pytest.mark.slow
def test_readers_never_miss_what_is_being_merged(tmp_path: Path, site: SiteModel) -> None:
    """Minutes become ten minutes and hours while a reader asks for all of them, again and again."""
    acked = [0.0]

    def work() -> None:
        with HistoryWriter(tmp_path, site) as writer:
            for tick in range(0, 3900, 300):
                append(writer, site, [tick])
                acked[0] = tick

    thread = threading.Thread(target=work)
    thread.start()
    asked = 0
    while thread.is_alive():
        if acked[0] > 0.0:
            expected = np.arange(0.0, acked[0] + 1.0, 300.0) + row_of(site, POINT)
            found = values(tmp_path, end=expected[-1] - row_of(site, POINT) + 1.0)
            assert found.tolist() == expected.tolist()
            asked += 1
    thread.join()
    assert asked > 3
    assert files(tmp_path, "raw") == [span(0, 3300), span(3600, 3600)]


def test_old_readings_go_and_rollups_stay(tmp_path: Path, site: SiteModel) -> None:
    days = [day * 86400 + second for day in range(10) for second in (0, 1)]
    write(tmp_path, site, days, raw_days=7, rollup_days=9)
    assert len(files(tmp_path, "raw")) == 8
    assert len(files(tmp_path, "rollup")) == 10


def test_a_full_disk_costs_the_oldest_readings(tmp_path: Path, site: SiteModel) -> None:
    write(tmp_path, site, range(0, 300, 30))
    before = len(list(tmp_path.glob("raw/**/*.parquet")))
    room = iter([0, 0, 0])
    write(tmp_path, site, [330], free_min_bytes=1, free_bytes=lambda _: next(room, 10))
    after = len(list(tmp_path.glob("raw/**/*.parquet")))
    kinds = len(Layout.of(site).kinds)
    assert after == before - 3 + kinds
    assert len(files(tmp_path, "rollup", "node")) == 6


def test_a_log_that_meets_a_full_disk_makes_room(
    tmp_path: Path, site: SiteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, site, range(60))
    real = os.pwrite
    failures = iter([True, False, True])

    def full(file: int, data: bytes, offset: int) -> int:
        if next(failures, False):
            real(file, data[:100], offset)  # some of it still fitted
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data, offset)

    with HistoryWriter(tmp_path, site) as writer:
        writer.flush()
        monkeypatch.setattr(os, "pwrite", full)
        append(writer, site, [60, 61])
        assert len(values(tmp_path, first=60)) == 2
    assert len(list(tmp_path.glob("raw/**/*.parquet"))) == 2 * 3 - 2


def test_a_full_disk_with_nothing_to_drop_is_said(
    tmp_path: Path, site: SiteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with HistoryWriter(tmp_path, site) as writer:
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(HistoryFull, match="free some space"):
            append(writer, site, [0])
        monkeypatch.undo()
        append(writer, site, [1])
    assert len(values(tmp_path)) == 1


def test_a_clock_that_steps_back_loses_nothing(tmp_path: Path, site: SiteModel) -> None:
    ticks = [*range(100), *np.arange(40.5, 100.5)]
    write(tmp_path, site, ticks)
    assert len(values(tmp_path)) == len(ticks)
    assert (np.diff(values(tmp_path)) > 0).all()


def test_a_torn_last_record_is_ignored(tmp_path: Path, site: SiteModel) -> None:
    writer = HistoryWriter(tmp_path, site)
    append(writer, site, range(5))
    log = next(tmp_path.glob("log/*.log"))
    whole = log.read_bytes()
    writer.close()
    record = (len(whole) - 32) // 5
    for cut in (1, record // 2, record - 1):
        for damaged in (whole[:-cut], whole[:-cut] + bytes(cut)):
            folder = tmp_path / f"cut{cut}-{len(damaged)}"
            Layout.of(site).save(folder)
            (folder / "log").mkdir()
            (folder / "log" / "0000000001.log").write_bytes(damaged)
            assert len(values(folder)) == 4
            HistoryWriter(folder, site).close()
            assert len(values(folder)) == 4
            assert not list(folder.glob("log/*"))


def test_a_log_without_its_header_is_thrown_away(tmp_path: Path, site: SiteModel) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "0000000001.log").write_bytes(b"mallee")
    write(tmp_path, site, [0])
    assert len(values(tmp_path)) == 1


def test_a_log_of_an_older_site_file_keeps_its_meaning(
    tmp_path: Path, site: SiteModel, large_site: SiteModel
) -> None:
    """The site file changed while the process was down: the log is read by its own layout."""
    writer = HistoryWriter(tmp_path / "a", site)
    append(writer, site, range(3))
    log = next((tmp_path / "a").glob("log/*.log")).read_bytes()
    writer.close()
    Layout.of(site).save(tmp_path)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "0000000001.log").write_bytes(log)
    write(tmp_path, large_site, [])
    row = row_of(site, "pod1/r2/n2/power_w")
    assert list(values(tmp_path, "pod1/r2/n2/power_w")) == [row, row + 1, row + 2]


def test_two_writers_are_one_too_many(tmp_path: Path, site: SiteModel) -> None:
    with HistoryWriter(tmp_path, site), pytest.raises(ConfigError, match="another process"):
        HistoryWriter(tmp_path, site)
    HistoryWriter(tmp_path, site).close()


def test_a_failure_in_the_background_is_not_silent(
    tmp_path: Path, site: SiteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = HistoryWriter(tmp_path, site)
    append(writer, site, [0])
    monkeypatch.setattr("mallee.history.writer.read_log", lambda *_: 1 / 0)
    append(writer, site, [60])
    with pytest.raises(ZeroDivisionError):
        writer.flush()
    monkeypatch.undo()
    writer.close()
    HistoryWriter(tmp_path, site).close()  # the log stayed, so nothing is lost
    assert len(values(tmp_path)) == 2


def test_a_large_site_fits(tmp_path: Path, large_site: SiteModel) -> None:
    write(tmp_path, large_site, range(3))
    path = "hall4/r233/n18/gpu3_power_w"
    row = row_of(large_site, path)
    assert list(values(tmp_path, path)) == [row, row + 1, row + 2]
