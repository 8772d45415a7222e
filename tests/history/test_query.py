"""Questions to history: patterns, fewer rows, other programs' formats."""

import io
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.errors import ConfigError
from mallee.history import (
    History,
    HistoryWriter,
    downsample,
    export_csv,
    export_parquet,
    find_points,
    iso,
    last_time,
    read_points,
    to_json,
    write_csv,
)
from mallee.site.model import SiteModel

START_UTC_S = 1_800_000_000.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, site: SiteModel) -> Path:
    """Twelve minutes at 1 s; the value of every point is the tick."""
    folder = tmp_path_factory.mktemp("history")
    quality = np.zeros(site.point_count, np.uint8)
    with HistoryWriter(folder, site) as writer:
        for tick in range(720):
            writer.append(START_UTC_S + tick, np.full(site.point_count, float(tick)), quality)
    return folder


def test_patterns_name_points(folder: Path) -> None:
    assert find_points(folder, ["meter/import_w"]) == ["meter/import_w"]
    assert len(find_points(folder, ["pod1/*/gpu?_power_w"])) == 32
    assert find_points(folder, ["meter/import_w", "meter/import_?"]) == ["meter/import_w"]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("meter/imprt_w", "did you mean 'import_w'"),
        ("metr/import_w", "did you mean 'meter/import_w'"),
        ("pod1/r1/n9/power_w", "did you mean 'pod1/r1/n"),
        ("bess/soc", "did you mean 'bess1/soc'"),
        ("power", "no device"),
    ],
)
def test_a_wrong_point_gets_the_nearest(folder: Path, wrong: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="no such point") as caught:
        find_points(folder, [wrong])
    assert hint in str(caught.value)


def test_no_history_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no history"):
        find_points(tmp_path, ["meter/import_w"])


@pytest.mark.parametrize(("rows", "count"), [(6, 6), (12, 12), (120, 120), (720, 720), (9000, 720)])
def test_fewer_rows_are_means(folder: Path, rows: int, count: int) -> None:
    """Up to twelve rows come from rollups, the others from readings: the means are the same."""
    end_s = START_UTC_S + 720
    history = read_points(folder, ["meter/import_w", "bess1/soc"], START_UTC_S, end_s, rows)
    assert history.values.shape == (count, 2)
    step_s = 720 / count
    want = [np.arange(t, t + step_s).mean() for t in np.arange(0, 720, step_s)]
    assert history.times_s[1] - history.times_s[0] == step_s
    np.testing.assert_allclose(history.values[:, 0], want)


def test_time_without_readings_is_empty(folder: Path) -> None:
    history = read_points(folder, ["meter/import_w"], 0.0, 60.0)
    assert history.values.shape == (0, 1)
    assert to_json(history) == '{"times_s":[],"columns":["meter/import_w"],"values":[[]]}'
    assert last_time(folder) == START_UTC_S + 719


@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=200),
    rows=st.integers(1, 50),
)
def test_downsampled_means_stay_inside_the_readings(values: list[float], rows: int) -> None:
    readings = np.array(values)[:, None]
    history = History(np.arange(len(values), dtype=float), ("p",), readings)
    fewer = downsample(history, rows, 0.0, float(len(values)))
    assert len(fewer.times_s) <= max(rows, 1)
    assert (np.diff(fewer.times_s) > 0).all()
    good = fewer.values[~np.isnan(fewer.values)]
    if len(good):
        assert good.min() >= np.nanmin(readings) - 1e-6
        assert good.max() <= np.nanmax(readings) + 1e-6
    assert np.isnan(readings).all() == (len(good) == 0)


def test_exports_hold_the_same(folder: Path, tmp_path: Path) -> None:
    history = read_points(folder, ["meter/import_*", "bess1/soc"], START_UTC_S, START_UTC_S + 6)
    history.values[2, 0] = np.nan
    export_csv(history, tmp_path / "x.csv")
    export_parquet(history, tmp_path / "x'y.parquet")
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines[0] == "time_utc," + ",".join(history.columns)
    assert lines[3].startswith("2027-01-15T08:00:02Z,,2")
    buffer = io.StringIO()
    write_csv(history, buffer)
    assert buffer.getvalue().splitlines() == lines
    with duckdb.connect() as database:
        table = database.execute("FROM read_parquet($f)", {"f": str(tmp_path / "x'y.parquet")})
        rows = table.fetchall()
    assert [row[0] for row in rows] == [START_UTC_S * 1000 + t * 1000 for t in range(6)]
    assert rows[2][1] is None
    assert rows[5][-1] == 5.0
    decoded = msgspec.json.decode(to_json(history))
    assert decoded["values"][0][1:4] == [1.0, None, 3.0]
    assert decoded["columns"] == list(history.columns)


@pytest.mark.parametrize("export", [export_csv, export_parquet])
def test_an_export_that_cannot_be_written(folder: Path, tmp_path: Path, export: object) -> None:
    history = read_points(folder, ["bess1/soc"], START_UTC_S, START_UTC_S + 60)
    with pytest.raises(ConfigError, match="cannot be written"):
        export(history, tmp_path / "missing" / "file")  # type: ignore[operator]


def test_times_as_people_read_them() -> None:
    assert iso(START_UTC_S) == "2027-01-15T08:00:00Z"
    assert iso(START_UTC_S + 0.25) == "2027-01-15T08:00:00.250Z"
