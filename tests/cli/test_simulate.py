"""Studies from the command line: start, keys of the file, no control, verdict and exit status."""

import json
from pathlib import Path
from typing import Any

import pytest

from mallee.cli import run

DEMO = "examples/sites/charging-site.toml"


@pytest.fixture(autouse=True)
def in_the_checkout(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in commands are as in the documentation."""
    monkeypatch.chdir(root)


def study(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and the JSON of a short run of the demo site."""
    status = run(["simulate", DEMO, "--for", "3s", "--json", *words])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, answer


def test_the_json_holds_site_start_seed_verdict_and_events(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, answer = study(capsys, "--start", "2026-07-15T13:00", "--seed", "4")
    assert status == 0
    assert (answer["site"], answer["seed"], answer["control"]) == ("charging-site", 4, "auto")
    assert answer["start"] == "2026-07-15T13:00:00-05:00"
    assert answer["verdict"]["held"] is True
    names = [finding["limit"] for finding in answer["verdict"]["limits"]]
    assert names == ["import", "export", "ramp", "soc-min", "soc-max", "breakers"]
    assert answer["events"] == []


def test_a_broken_limit_ends_with_status_1_and_says_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "trip.toml"  # or the battery's own filter would hold the limit
    plan.write_text('[[fault]]\nat_s = 0\ntarget = "bess1"\nkind = "battery-trip"\n', "utf-8")
    words = ["--set", "grid.import_max_w=100e3", "--control", "off", "--faults", str(plan)]
    status, answer = study(capsys, *words)
    assert status == 1
    first = answer["verdict"]["limits"][0]
    assert (first["limit"], first["held"], first["broken_s"], first["first_s"]) == (
        "import",
        False,
        3.0,
        1.0,
    )
    assert first["allowed"] == 100e3 < first["worst"]
    assert run(["simulate", DEMO, "--for", "3s", *words]) == 1
    said = capsys.readouterr().out
    assert "BROKEN  2 of 6 limits\n        import: 196 kW where 100 kW holds, for 3 s" in said


def test_without_control_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    _, off = study(capsys, "--control", "off")
    _, auto = study(capsys)
    assert off["control"] == "off"
    assert off["figures"]["output_sha256"] != auto["figures"]["output_sha256"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("grid.import_max_w", "is no KEY=VALUE; such as grid.import_max_w=500e3"),
        ("grid.import_max_w=-1", "grid.import_max_w: is -1; must be above 0"),
        ("grid.import_maxw=1", "unknown key; did you mean 'import_max_w'?"),
        ("battery.bess2.model=megapack-2h", "there is no 'bess2' here; did you mean 'bess1'?"),
        ("battery.bess1.model=megapack-3h", "did you mean 'megapack-2h'?"),
        ("timezone.name=UTC", "there is no 'name' below a text"),
        ("pod.pod1.rack.3.fed_by=tx1", "there is no '3' here; known: r{1..2}"),
    ],
)
def test_wrong_settings(setting: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", DEMO, "--for", "1s", "--set", setting]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("noon", "--start: 'noon' is no date and time; write local time such as"),
        ("2026-03-08T02:30", "does not exist in America/Chicago; the clocks go forward then"),
        ("2026-11-01T01:30", "comes twice in America/Chicago; write 2026-11-01T01:30-05:00 or "),
    ],
)
def test_start_times_that_are_none(
    start: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", DEMO, "--for", "1s", "--start", start]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ("at_s = 5", "fault[0].at_s: is 5 s, but the run ends at 3 s; simulate for longer"),
        ("at_s = 1\nuntil_s = 4", "fault[0].until_s: is 4 s, but the run ends at 3 s"),
    ],
)
def test_a_fault_after_the_end_is_an_error(
    times: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "late.toml"
    plan.write_text(f'[[fault]]\n{times}\ntarget = "bess1"\nkind = "battery-trip"\n', "utf-8")
    assert run(["simulate", DEMO, "--for", "3s", "--faults", str(plan)]) == 2
    assert f"late.toml: {said}" in capsys.readouterr().err
