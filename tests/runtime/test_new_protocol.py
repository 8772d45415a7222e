"""One more protocol is a facts file and two folders; nothing else is edited."""

import asyncio
import importlib
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mallee.catalogue.read import load_model, load_models
from mallee.core.by_folder import ByFolder
from mallee.core.protocols import PROTOCOLS
from mallee.core.snapshot import Quality
from mallee.drivers import DRIVERS
from mallee.emulators import EMULATORS
from mallee.runtime.addresses import choose_addresses
from mallee.runtime.board import Board
from mallee.runtime.collector import make_links
from mallee.runtime.drivers_of import connect
from mallee.runtime.emulated import by_place, emulated_devices, serve
from mallee.runtime.notices import Notices
from mallee.runtime.run_folder import Run, RunFolder
from mallee.runtime.secrets import make_simulated
from mallee.site.build import build_site
from mallee.site.checks import check_site
from mallee.site.model import SiteModel
from mallee.twin.site_twin import SiteTwin

FACTS = '''
"""Lines of text: a name in, its number out."""
import msgspec
from mallee.core.protocol import Part, ProtocolFacts

class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    greeting: str = ""

FACTS = ProtocolFacts(
    direction="polled", transport="tcp", port=7007, part=Part(words="a drawer", pattern="[a-z]+"),
    options=Options,
)
'''
DRIVER = """
import asyncio
import numpy as np
from mallee.core.errors import Unreachable
from mallee.core.identity import Identity

class Channel:
    def __init__(self, host, port):
        self.place = (host, port)
    def driver(self, target):
        return Driver(self.place, target)
    async def open(self): ...
    async def close(self): ...

class Driver:
    def __init__(self, place, target):
        self.place = place
        self.points = tuple(p for p in target.model.point if p.protocol == "toy")
        self.greeting = target.model.protocol["toy"].options["greeting"]
    async def open(self): ...
    async def close(self): ...
    async def identify(self):
        return Identity(model=self.greeting)
    async def write(self, point, value, lease_s): ...
    async def read(self):
        try:
            reader, writer = await asyncio.open_connection(*self.place)
        except OSError as error:
            raise Unreachable(str(error)) from None
        writer.write("".join(p.at + "\\n" for p in self.points).encode())
        values = [p.to_point(float(await reader.readline())) for p in self.points]
        writer.close()
        await writer.wait_closed()
        return np.array(values)

CHANNEL = Channel
"""
EMULATOR = """
import asyncio
from mallee.emulators.device import Running

async def serve(place, devices):
    (device,) = devices.values()
    async def handle(reader, writer):
        while name := (await reader.readline()).decode().strip():
            (point,) = [p for p in device.model.point if p.at == name]
            value = point.to_device(device.values[device.model.index[point.name]])
            writer.write(f"{value}\\n".encode())
        writer.close()
    server = await asyncio.start_server(handle, place.host, place.port)
    async def stop():
        server.close()
    return Running("", stop)

SERVE = serve
"""
MODEL = """
model = "toy-meter"
kind = "meter"
vendor = "Toy"
product = "Meter"
power_max_w = 0
[protocol.toy]
poll_s = 0.02
options = { greeting = "hello" }
[on_controller_loss]
behaviour = "hold"
"""
POINT = """
[[point]]
name = "{name}"
protocol = "toy"
at = "{name}"
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three places of a new protocol, in a folder of their own."""
    for package, files in (
        ("core.protocols", {"toy.py": FACTS}),
        ("drivers", {"toy/__init__.py": DRIVER}),
        ("emulators", {"toy/__init__.py": EMULATOR}),
    ):
        folder = tmp_path / package
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        module = importlib.import_module(f"mallee.{package}")
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(folder)])
        monkeypatch.setitem(sys.modules, f"mallee.{package}.toy", None)
        monkeypatch.delitem(sys.modules, f"mallee.{package}.toy")
    for table in (PROTOCOLS, DRIVERS, EMULATORS):
        assert isinstance(table, ByFolder)
        monkeypatch.setattr(table, "_rows", dict(table._rows))


def site_with_toy_meter(site: SiteModel, folder: Path) -> SiteModel:
    """The same site, its meter speaking the new protocol."""
    names = [p.name for p in next(site.groups_of("meter")).model.point]
    path = folder / "toy-meter.toml"
    path.write_text(MODEL + "".join(POINT.format(name=name) for name in names))
    model = load_model(path)
    grid = site.grid
    meter = msgspec.structs.replace(grid.meter, model="toy-meter")
    file = msgspec.structs.replace(site.file, grid=msgspec.structs.replace(grid, meter=meter))
    return build_site(file, {**load_models(), "toy-meter": model}, "site.toml")


@pytest.mark.usefixtures("toy")
def test_a_new_protocol_is_found_checked_served_and_read_into_the_board(
    site: SiteModel, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    assert set(DRIVERS) == set(EMULATORS) == set(PROTOCOLS) >= {"toy", "sunspec"}
    site = site_with_toy_meter(site, tmp_path)
    assert [f for f in check_site(site) if f.level == "error"] == []
    folder = RunFolder(tmp_path / "data")
    folder.make()
    make_simulated(folder)
    addresses = choose_addresses(site, "site.toml")
    assert list(addresses["toy"]) == ["meter"]
    run = Run(site=site.file, source="", pid=0, console="127.0.0.1:1", addresses=addresses)
    board, twin = Board.create(folder.board, site), SiteTwin(site)
    twin.advance(2000)
    meter = next(site.groups_of("meter"))
    rows = meter.first_row + np.arange(meter.stride)

    async def story() -> None:
        meters = [device for device in emulated_devices(site, twin) if device.name == "meter"]
        async with (
            AsyncExitStack() as stack,
            connect(site, run, folder, frozenset({"meter"})) as connections,
        ):
            await serve(folder, by_place(run, meters, dial_in=False), stack)
            mine = [one for one in connections if one.protocol == "toy"]
            links = make_links(site, board, mine, Notices(board))
            tasks = [asyncio.create_task(link.run()) for link in links]
            async with asyncio.timeout(20.0):
                while (board.snapshot(0.0).quality[rows] == Quality.NEVER).any():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(story())
    snapshot = board.snapshot(0.0)
    assert (snapshot.quality[rows] == Quality.GOOD).all()
    assert snapshot.values[rows] == pytest.approx(twin.reported[rows])
    record_property("files_new_protocol", 0)  # all three places are new; the package is as it was
