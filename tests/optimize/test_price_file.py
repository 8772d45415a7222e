"""Price files as they are: holes, doubles, clock changes, wrong units."""

from pathlib import Path

import numpy as np
import pytest

from mallee.core.errors import ConfigError
from mallee.optimize.price_file import read_series
from mallee.optimize.series import Series


def write(tmp_path: Path, lines: list[str]) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text("time,usd_mwh\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def hours(day: str, skip: tuple[int, ...] = ()) -> list[str]:
    return [f"{day} {h:02d}:00:00,{40 + h}" for h in range(24) if h not in skip]


def test_a_clean_file_has_no_notes(tmp_path: Path) -> None:
    found = read_series(write(tmp_path, hours("2026-07-14")), timezone="Europe/Berlin")
    assert found.notes == []
    assert found.columns["usd_mwh"].start_utc_s == 1_783_980_000.0
    assert len(found.columns["usd_mwh"].values) == 24


def test_spring_and_autumn(tmp_path: Path) -> None:
    spring = read_series(write(tmp_path, hours("2026-03-29", (2,))), timezone="Europe/Berlin")
    assert len(spring.columns["usd_mwh"].values) == 23
    assert spring.notes == []
    autumn = hours("2026-10-25")
    autumn.insert(3, "2026-10-25 02:00:00,99")
    found = read_series(write(tmp_path, autumn), timezone="Europe/Berlin")
    assert found.columns["usd_mwh"].values.tolist()[:5] == [40, 41, 42, 99, 43]
    assert found.notes == []
    pretend = read_series(write(tmp_path, hours("2026-03-29")), timezone="Europe/Berlin")
    assert "skips in spring" in pretend.notes[0]


def test_holes_take_the_day_before_and_are_told(tmp_path: Path) -> None:
    lines = hours("2026-07-14") + hours("2026-07-15", (5, 6))
    found = read_series(write(tmp_path, lines), timezone="UTC")
    assert found.columns["usd_mwh"].values[29] == 45.0
    assert "2 missing values, first 2026-07-15 05:00 UTC" in found.notes[0]
    with pytest.raises(ConfigError, match="lacks 10 h"):
        read_series(write(tmp_path, hours("2026-07-15", tuple(range(5, 15)))), timezone="UTC")


def test_doubles_and_prices_per_kwh_are_told(tmp_path: Path) -> None:
    lines = [*hours("2026-07-14"), "2026-07-14 03:00:00,45"]
    assert "come twice" in read_series(write(tmp_path, lines), timezone="UTC").notes[0]
    cheap = [f"2026-07-14 {h:02d}:00:00,0.09" for h in range(24)]
    assert "per kWh" in read_series(write(tmp_path, cheap), timezone="UTC").notes[0]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["yesterday,3", "today,4"], "line 2: 'yesterday' is no time"),
        (["2026-07-14 00:00,3,5", "2026-07-14 01:00,x"], "line 3: usd_mwh: is 'x'"),
        (["2026-07-14 00:00,3"], "fewer than two rows"),
        (["2026-07-14 00:00,3", "2026-07-14 01:00,4", "2026-07-14 02:17,4"], "even clock"),
    ],
)
def test_mistakes(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_series(write(tmp_path, lines), timezone="UTC")


def test_means_over_other_steps() -> None:
    series = Series(0.0, 3600.0, np.array([10.0, 20.0, 60.0]))
    edges = np.array([-3600.0, 0.0, 1800.0, 7200.0, 9000.0, 18000.0])
    assert series.means(edges).tolist() == pytest.approx([10.0, 10.0, 50 / 3, 60.0, 60.0])
    assert series.covers(0.0, 10800.0)
    assert not series.covers(0.0, 10801.0)


@pytest.mark.parametrize("name", ["epf_NP_year1", "epf_DE_year1", "omie_es_2024_hourly"])
def test_published_files(shared: Path, name: str) -> None:
    found = read_series(shared / f"data/prices/{name}.csv.gz", timezone="Europe/Madrid", columns=())
    assert all(np.all(np.isfinite(s.values)) for s in found.columns.values())
    assert all(s.step_s == 3600.0 for s in found.columns.values())
