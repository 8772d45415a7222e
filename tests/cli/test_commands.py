"""The command line as people and programs meet it: help, figures, one clear line for bad input."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mallee.cli import run

DEMO = "examples/sites/charging-site.toml"


@pytest.fixture(autouse=True)
def in_the_checkout(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in commands are as in the documentation."""
    monkeypatch.chdir(root)


def edited(tmp_path: Path, old: str, new: str) -> str:
    """The demo site with one thing changed."""
    text = Path(DEMO).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "site.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "name",
    [
        "up",
        "check",
        "simulate",
        "status",
        "why",
        "query",
        "events",
        "audit",
        "campaign",
        "discover",
        "bench",
    ],
)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: mallee {name}" in capsys.readouterr().out


def test_simulate_prints_the_promised_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", DEMO, "--for", "5s", "--seed", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    promised = {
        "grid_max_w", "grid_min_w", "change_1s_max_w", "change_60s_max_w", "limit_violations",
        "ramp_violations", "battery_energy_used_wh", "battery_power_max_w", "throughput_lost",
        "realtime_ratio", "output_sha256",
    }  # fmt: skip
    assert promised <= figures.keys()
    assert figures["grid_max_w"] > 0.0


def test_simulate_replays_a_trace_scaled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "node.csv"
    rows = [f"{0.1 * k:.1f},{3000.0 if k // 50 % 2 else 4000.0}" for k in range(400)]
    trace.write_text("t_s,power_w\n" + "\n".join(rows) + "\n", encoding="utf-8")
    words = ["simulate", DEMO, "--trace", str(trace), "--scale-to", "200e3", "--for", "30s"]
    assert run([*words, "--json", "--series", str(tmp_path / "series.csv")]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["limit_violations"] == 0
    header, *lines = (tmp_path / "series.csv").read_text(encoding="utf-8").splitlines()
    column = header.split(",").index("it_w")
    it_w = [float(line.split(",")[column]) for line in lines]
    assert max(it_w) == pytest.approx(200e3, rel=0.03)


def test_simulate_tells_what_was_commanded(tmp_path: Path) -> None:
    file = tmp_path / "commands.csv"
    assert run(["simulate", DEMO, "--for", "5s", "--commands", str(file)]) == 0
    header, *lines = file.read_text(encoding="utf-8").splitlines()
    assert header == "t_s,path,value,lease_s,actor,outcome,reason"
    cells = [line.split(",", 6) for line in lines]
    assert {"ev1/limit_w", "ev2/limit_w"} <= {row[1] for row in cells}
    assert {(row[4], row[5]) for row in cells} == {("control", "done")}
    assert not any("heartbeat" in line for line in lines)


def test_simulate_writes_a_report(tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    assert run(["simulate", DEMO, "--for", "12s", "--report", str(page)]) == 0
    assert page.read_text(encoding="utf-8").count("<svg") >= 4


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["simulate", DEMO, "--for", "ten"], 2, "--for: 'ten' is not a length of time"),
        (["simulate", DEMO, "--trace", "nothing.csv"], 2, "nothing.csv"),
        (["simulate", DEMO, "--scale-to", "-1"], 2, "--scale-to: -1.0 is negative"),
        (["simulate", "nowhere.toml"], 2, "nowhere.toml: cannot be read"),
        (["query", "meter/import_w", "--last", "0s"], 2, "no time at all"),
        (["query"], 2, "names no point"),
        (["bench", "lop"], 2, "does not exist; there is"),
        (["status", "--data", "nowhere"], 4, "no site is running here"),
        (["simulat", DEMO], 2, "simulat"),
    ],
)
def test_bad_input_gets_one_line(
    words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if words[0] == "query":
        words = [*words, "--data", str(tmp_path)]
    assert run(words) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("import_max_w =", "import_maximum_w =", "unknown key; did you mean 'import_max_w'?"),
        ('model = "megapack-2h"', 'model = "megapack-3h"', "did you mean 'megapack-2h'?"),
        ("rating_va = 750e3", "rating_va = -750e3", "is -750000; must be above 0"),
        ('fed_by = "q-battery"', 'fed_by = "q-batery"', "did you mean 'q-battery'?"),
        ('name = "tx1"\n', 'name = "tx1\n', "is not valid TOML"),
    ],
)
def test_check_names_the_mistake_and_what_would_be_right(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = edited(tmp_path, old, new)
    assert run(["check", path]) == 2
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert run(["check", path, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["ok"] is False


@pytest.mark.parametrize(
    "path", sorted(Path("examples/sites").glob("*.toml")), ids=lambda p: p.stem
)
def test_check_passes_the_examples(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(path)]) == 0
    assert "0 error(s)" in capsys.readouterr().out


def test_check_looks_logins_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`up` would refuse a site whose login nobody has written down; check says so before."""
    path = tmp_path / "site.toml"
    path.write_text(
        'name = "real"\n[grid]\ncontracted_w = 1e6\nimport_max_w = 1e6\nvoltage_v = 400\n'
        'meter = { name = "m", model = "grid-meter-sunspec", address = "10.0.0.2" }\n'
        '[[breaker]]\nname = "q"\nfed_by = "grid"\nrating_a = 100\n'
        '[[pdu]]\nname = "p"\nmodel = "pdu-rack-34kw"\nfed_by = "q"\n'
        'address = "10.0.0.3"\ncredentials = "bmc"\n[[pod]]\nname = "pod"\nrack = []\n'
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MALLEE_SECRET_BMC", raising=False)
    assert run(["check", str(path)]) == 1
    told = capsys.readouterr().out
    assert "site.toml:16: credentials 'bmc': no such login; set MALLEE_SECRET_BMC" in told
    monkeypatch.setenv("MALLEE_SECRET_BMC", "someone:something")
    assert run(["check", str(path)]) == 0
    assert "something" not in capsys.readouterr().out


def test_check_says_what_a_small_breaker_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The throughput curve is the twin's: 90 % of power leave 98 % of a training job's work."""
    path = edited(tmp_path, "rating_a = 400", "rating_a = 300")
    assert run(["check", path]) == 0
    told = capsys.readouterr().out
    line = next(line for line in told.splitlines() if "[work-lost]" in line)
    assert re.search(r"site.toml:40: breaker.q-pod.rating_a: 249 kW for 274 kW at full power", line)
    assert re.search(r"held to 90% of full power, which costs [12]% of their work", line)
    assert "such as: rating_a = 400" in told


def test_check_tells_what_the_twin_would_refuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = '[twin]\njobs = [{ name = "j", on = ["pod9"], load = { kind = "idle" } }]'
    path = edited(tmp_path, "[twin]", jobs)
    assert run(["check", path]) == 1
    assert "[refused]" in capsys.readouterr().out
    assert run(["simulate", path, "--for", "1s"]) == 2


def test_the_command_leaves_the_other_cores_alone() -> None:
    """A product of 20,000 numbers starts the threads of BLAS, which then spin."""
    code = "import mallee.cli, os, numpy as np; np.ones(20_000) @ np.ones(20_000); "
    code += "print(len(os.listdir('/proc/self/task')))"
    free = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=free, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"
