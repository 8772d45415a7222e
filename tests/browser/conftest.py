"""A Chromium, and a running demo site for it to look at."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

expect.set_options(timeout=60_000)  # only ends what would never come

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples/sites/charging-site.toml"
STATIC = ROOT / "src/mallee/console/static/index.html"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]
START_MAX_S = 600.0
"""Ends a start that hangs; a loaded machine takes its time."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; its absence is a failure, as these tests were asked for."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.fail("no Chromium found; install it with: sudo apt install chromium")
    if not STATIC.exists():
        pytest.fail("the pages are not built; in the folder web: npm ci && npm run build")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo site, started as a user starts it; gives the address of its page."""
    folder = tmp_path_factory.mktemp("demo")
    compile_twin()
    mallee = Path(sys.executable).with_name("mallee")
    with (folder / "up.log").open("w") as log:
        process = subprocess.Popen(
            [mallee, "up", DEMO, "--data", folder / "data"], stdout=log, stderr=log
        )
    try:
        yield _announced_url(process, folder / "up.log")
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def compile_twin() -> None:
    """So that the site starts in seconds also where nothing is compiled yet."""
    code = "import sys, pathlib, mallee.catalogue as c, mallee.twin.site_twin as t; "
    code += "t.SiteTwin(c.load_site(pathlib.Path(sys.argv[1]))).advance(2000)"
    subprocess.run([sys.executable, "-c", code, DEMO], check=True)


def _announced_url(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(int(START_MAX_S * 10)):
        # on a slow machine it says where the pages are before there is anything on them
        found = re.search(r"(?:is running:|pages at) (http://[^\s,]+)", log.read_text("utf-8"))
        if found:
            return found.group(1)
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the demo site did not start:\n{log.read_text('utf-8')}")


class FakeConsole:
    """A console on a board that a script fills: for states that a healthy site does not have."""

    def __init__(self, excess: float) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._excess = excess
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Address of its page."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, or start it again."""
        script = ROOT / "tests/console/fake_board.py"
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(self.port), "--excess", str(self._excess)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
        for _ in range(int(START_MAX_S * 10)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        self.kill()
        raise AssertionError("the console with a fake board does not listen")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def overloaded() -> Iterator[FakeConsole]:
    """A site whose import is a quarter too high."""
    console = FakeConsole(1.26)
    yield console
    console.kill()
