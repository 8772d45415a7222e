"""What one more event, kind or protocol costs: added to a copy of the sources, tried, and counted.

Each test changes a copy of the package, proves in a fresh process that the addition works from one
end of the house to the other, and records how many files that were there before had to be edited.
`./run bench house` reports these numbers.
"""

import filecmp
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Record = Callable[[str, object], None]


class House:
    """A copy of the package that may be changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.copytree(
            ROOT / "src/mallee",
            folder / "mallee",
            ignore=shutil.ignore_patterns("__pycache__", "static"),
        )

    def edit(self, name: str, before: str, after: str) -> None:
        """Put something else in the one place where `before` stands."""
        path = self._folder / "mallee" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{name} is written in another way now"
        path.write_text(text.replace(before, after), encoding="utf-8")

    def add(self, name: str, text: str) -> None:
        """A file that was not there."""
        path = self._folder / "mallee" / name
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def try_out(self, script: str) -> None:
        """Run a script on the changed package; it fails the test where it fails."""
        done = subprocess.run(
            [sys.executable, "-c", script, str(self._folder), str(ROOT)],
            env={**os.environ, "PYTHONPATH": str(self._folder), "NUMBA_DISABLE_JIT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]

    def edited(self) -> int:
        """How many files of the package are not as they were."""
        originals = (path for path in (ROOT / "src/mallee").rglob("*.py"))
        copies = (
            (path, self._folder / "mallee" / path.relative_to(ROOT / "src/mallee"))
            for path in originals
        )
        return sum(not filecmp.cmp(one, other, shallow=False) for one, other in copies)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


EVENT = """
    EventKind(
        name="pump-worn",
        severity=WARNING,
        sentence="{source} needs {more:.0%} more power for its flow.",
        response="Change its bearings at the next service.",
        ended_by="pump-mended",
    ),
    EventKind(name="pump-mended", severity=INFO, sentence="{source} runs as new."),
)

EVENT_KINDS"""

TRY_EVENT = """
import contextlib, io, sys, time
from pathlib import Path
from mallee.catalogue import load_site
from mallee.cli import run
from mallee.core.event_kinds import describe_event_kinds, new_event
from mallee.history import EventStore
from mallee.runtime.board import Board

folder, root = Path(sys.argv[1]), Path(sys.argv[2])
site = load_site(root / "examples/sites/charging-site.toml")
board = Board.create(folder / "board", site)
board.post("control", new_event("pump-worn", 1.0, "pod1/cdu1", more=0.2))
(event,) = board.event_reader().read().events
with EventStore(folder / "data/history/events.sqlite") as store:
    store.append([event], time.time() - 2.0)
said = io.StringIO()
with contextlib.redirect_stdout(said):
    assert run(["events", "--data", str(folder / "data"), "--severity", "warning"]) == 0
assert "pod1/cdu1 needs 20% more power for its flow." in said.getvalue()
assert "Change its bearings" in describe_event_kinds()
"""


def test_one_more_event_is_one_more_row(house: House, record_property: Record) -> None:
    house.edit("core/event_kinds.py", "\n)\n\nEVENT_KINDS", EVENT)
    house.try_out(TRY_EVENT)
    record_property("files_new_event", house.edited())
    assert house.edited() == 1


KIND = '''"""Dehumidifiers: they keep the air of a hall above its dew point."""

from mallee.kinds.kind import DeviceKind, Drawing, PointKind

DEHUMIDIFIER = DeviceKind(
    name="dehumidifier",
    stands=("site",),
    order=90,
    table="dehumidifier",
    role="load",
    power="power_w",
    points=(PointKind(name="power_w", shown="sum"), PointKind(name="water_kg", shown="sum")),
    drawing=Drawing(symbol="dehumidifier", order=90, label="Dehumidifier"),
)
'''

MODEL = """
model = "dehumidifier-5kw"
kind = "dehumidifier"
vendor = "nobody"
product = "a dehumidifier"
power_max_w = 5000

[protocol.redfish]
port = 443

[[point]]
name = "power_w"
protocol = "redfish"
at = "Chassis/1/Sensors/Power#/Reading"

[[point]]
name = "water_kg"
protocol = "redfish"
at = "Chassis/1/Sensors/Water#/Reading"

[on_controller_loss]
behaviour = "hold"
"""

TRY_KIND = """
import sys
from pathlib import Path

import msgspec
import numpy as np

from mallee.catalogue.read import load_site
from mallee.console.live import Live
from mallee.control import limits_of
from mallee.history.layout import Layout
from mallee.site.checks import check_site
from mallee.twin.site_twin import SiteTwin

folder, root = Path(sys.argv[1]), Path(sys.argv[2])
text = (root / "examples/sites/charging-site.toml").read_text()
lines = ('[[dehumidifier]]', 'name = "dry1"', 'model = "dehumidifier-5kw"', 'fed_by = "tx1"')
(folder / "site.toml").write_text(text.replace("[[pod]]", "\\n".join((*lines, "[[pod]]")), 1))
site = load_site(folder / "site.toml")
assert [finding for finding in check_site(site) if finding.level == "error"] == []
(group,) = site.groups_of("dehumidifier")
assert group.names == ("dry1",)
info = Live(site).info
assert "dry1" in msgspec.json.encode(info).decode(), "it is drawn"
assert any("dry1" in signal.name for signal in info.signals), "its power is shown"
assert "dehumidifier" in Layout.of(site).kinds, "it has a table in history"
limits_of(site)
SiteTwin(site).advance(100)
"""


def test_one_more_kind_is_one_more_file(house: House, record_property: Record) -> None:
    house.add("kinds/dehumidifier.py", KIND)
    house.add("catalogue/models/dehumidifier-5kw.toml", MODEL)
    house.try_out(TRY_KIND)
    record_property("files_new_kind_shown", house.edited())
    assert house.edited() <= 1
