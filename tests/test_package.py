"""What is handed out: the wheel runs on a bare Python, and says what it is made of."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from mallee import __version__
from mallee.cli import run
from mallee.cli.demo import example
from mallee.core.errors import ConfigError

ROOT = Path(__file__).parents[1]
START_MAX_S = 1200
"""Ends a start that hangs: it compiles the twin first."""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `./run package` makes."""
    if not (ROOT / "src/mallee/console/static/index.html").exists():
        pytest.fail("the pages are not built; ./run test builds them")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, ROOT / "packaging/make.py", folder], check=True)
    return folder


@pytest.mark.slow
def test_the_sums_fit_and_the_parts_are_named(dist: Path) -> None:
    for line in (dist / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split()
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest
    parts = json.loads((dist / f"mallee-{__version__}.cdx.json").read_text("utf-8"))
    names = {part["name"] for part in parts["components"]}
    assert {"numpy", "aiohttp", "duckdb", "uplot"} <= names
    assert "vite" not in names, "a tool is no part"
    assert all(part["hashes"] for part in parts["components"] if "pypi" in part["purl"])


@pytest.mark.slow
def test_a_bare_python_installs_the_wheel_and_runs_the_demo(dist: Path, tmp_path: Path) -> None:
    venv, (wheel,) = tmp_path / "venv", dist.glob("*.whl")
    uv = [sys.executable, "-m", "uv"]
    bound: list[str | Path] = [
        "--compile-bytecode",
        "--only-binary",
        ":all:",
        "--constraint",
        constraints(tmp_path),
    ]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, venv], check=True)
    subprocess.run(
        [*uv, "pip", "install", "-q", "--python", venv / "bin/python", *bound, wheel],
        check=True,
        cwd=tmp_path,
    )
    log = tmp_path / "demo.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [venv / "bin/mallee", "demo", "--data", tmp_path / "data"],
            stdout=out,
            stderr=out,
            cwd=tmp_path,
        )
    try:
        url = announced(process, log)
        assert b"<div id=" in read(url)
        assert json.loads(read(f"{url}api/v1/site"))["name"] == "charging-site"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def constraints(folder: Path) -> Path:
    """The versions that are tested, so that what is new today breaks nothing here."""
    lock = (ROOT / "locks/run.txt").read_text("utf-8")
    path = folder / "constraints.txt"
    path.write_text("\n".join(re.findall(r"^[A-Za-z0-9_.-]+==[^\\\n]+", lock, re.M)), "utf-8")
    return path


def read(url: str) -> bytes:
    """On a slow machine the address is told before anybody listens there."""
    opener = build_opener(ProxyHandler({}))
    for _ in range(START_MAX_S * 5):
        try:
            with opener.open(url, timeout=60) as answer:
                found: bytes = answer.read()
                return found
        except URLError:
            time.sleep(0.2)
    raise AssertionError(f"nobody answers at {url}")


def announced(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(START_MAX_S * 5):
        found = re.search(r"(?:is running:|pages at) (http://[^\s,]+)", log.read_text("utf-8"))
        if found:
            return found.group(1)
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise AssertionError(f"the demo did not start:\n{log.read_text('utf-8')}")


def test_a_demo_that_there_is_not_names_the_nearest() -> None:
    assert example("two-pods").name == "two-pods.toml"
    with pytest.raises(ConfigError, match="two-pods"):
        example("two-pod")


def test_the_doctor_looks_at_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    run(["doctor", "--data", str(tmp_path), "--json"])
    found = {one["what"]: one for one in json.loads(capsys.readouterr().out)}
    assert {"Python", "memory", "disk", "logins", "data folder"} <= found.keys()
    assert found["Python"]["grade"] == "good"
    secrets = tmp_path / "mallee/secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text('bmc = "user:password"')
    secrets.chmod(0o644)
    assert run(["doctor", "--data", str(tmp_path)]) == 1
    text = capsys.readouterr().out
    assert "chmod 600" in text
    assert "password" not in text.replace("secrets.toml", "")
