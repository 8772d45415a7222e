"""`mallee bill` and `mallee backtest` as a person runs them."""

import json
from pathlib import Path

import pytest

from mallee.cli import run

TARIFF = """
name = "t"
[[energy]]
name = "energy"
market = "da"
[[demand]]
name = "peak"
usd_per_w_month = 10e-3
interval_s = 3600
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "tariff.toml").write_text(TARIFF, encoding="utf-8")
    hours = [f"2026-07-{1 + h // 24:02d}T{h % 24:02d}:00" for h in range(72)]
    load = "\n".join(f"{t},{3e5 + 1e5 * (i % 24 > 16)}" for i, t in enumerate(hours))
    (tmp_path / "load.csv").write_text("time,load_w\n" + load + "\n", encoding="utf-8")
    price = "\n".join(f"{t},{40 + i % 24}" for i, t in enumerate(hours))
    (tmp_path / "prices.csv").write_text("time,da\n" + price + "\n", encoding="utf-8")
    return tmp_path


def test_bill(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bill", str(files / "tariff.toml"), str(files / "load.csv")]
    assert run([*words, "--prices", str(files / "prices.csv"), "--json"]) == 0
    [month] = json.loads(capsys.readouterr().out)["bills"]
    assert month["lines"][1]["quantity"] == 400.0
    assert run([*words, "--prices", str(files / "prices.csv")]) == 0
    assert "2026-07" in capsys.readouterr().out
    assert run(words) == 2
    assert "--prices: is missing, and t follows 'da'" in capsys.readouterr().err


def test_backtest(files: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["backtest", str(root / "examples/sites/charging-site.toml")]
    words += ["--tariff", str(files / "tariff.toml"), "--load", str(files / "load.csv")]
    words += ["--prices", str(files / "prices.csv"), "--from", "2026-07-02T12:00"]
    page = files / "page.html"
    assert run([*words, "--to", "2026-07-02T16:00", "--report", str(page), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert figures["plans"] == 48
    assert figures["plans_lost"] == 0
    assert figures["cost_nothing"] > figures["cost_planned"] >= figures["cost_perfect"] - 1e-6
    assert "Import at the meter" in page.read_text(encoding="utf-8")
    assert run([*words, "--to", "2027-01-01"]) == 2
    assert "is not within the load, which ends 2026-07-04" in capsys.readouterr().err


def test_response(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "event.json"
    path.write_text(
        '{"id": "1", "eventName": "peak", "intervals": [{"intervalPeriod": '
        '{"start": "2026-07-15T12:00:00Z", "duration": "PT1H"}, '
        '"payloads": [{"type": "SIMPLE", "values": [2]}]}]}',
        encoding="utf-8",
    )
    assert run(["response", str(path), "--baseline-w", "1e6"]) == 0
    assert "75% of the baseline = 750.0 kW" in capsys.readouterr().out
    assert run(["response", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["events"][0]["targets"][0]["value"] == 0.75
    assert run(["response", str(tmp_path / "none.json")]) == 2
