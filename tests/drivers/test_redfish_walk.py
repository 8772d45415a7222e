"""Any Redfish service becomes typed signals: DMTF's mock-ups through somebody else's server."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiohttp import web

from mallee.core.errors import Unreachable
from mallee.drivers.redfish.client import RedfishClient
from mallee.drivers.redfish.walk import Signal, find_signals, read_everything, walk
from mallee.emulators.device import Place
from mallee.emulators.http_service import listen
from mallee.emulators.redfish.server import serve_redfish
from tests.drivers.loopback import CDU, LOGIN, make_device, tls

# Sensors, excerpts and legacy readings of release 2025.4.
COUNTS = {
    "public-acd": (25, 37, 9),
    "public-bladed": (0, 0, 17),
    "public-catfish": (0, 0, 7),
    "public-cooling-unit": (18, 23, 0),
    "public-expansion-box": (0, 0, 9),
    "public-iiot": (12, 21, 0),
    "public-liquid-cooled-server": (31, 60, 0),
    "public-oem-examples": (0, 0, 0),
    "public-pdu": (167, 173, 0),
    "public-power-shelf": (31, 42, 0),
    "public-rackmount1": (31, 56, 9),
    "public-telemetry": (0, 0, 48),
}

# On disk, but no collection or property of the mock-up leads to it.
ORPHANS = {"PowerEquipment/TransferSwitches/1/Sensors/PDUPower#/Reading"}


def mockups() -> Path:
    beside = Path(__file__).parents[3] / "shared"
    folder = Path(os.environ.get("MALLEE_SHARED", beside)) / "golden/redfish/mockups"
    if not folder.is_dir():
        pytest.skip(f"NO REDFISH MOCK-UPS: {folder} is missing; set MALLEE_SHARED to read them")
    return folder


def readings_on_disk(folder: Path) -> dict[str, float]:
    """Every number called Reading that is no threshold, by file and pointer; no driver involved."""

    def dig(content: Any, pointer: str) -> Iterator[tuple[str, float]]:
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in items:
            if "Thresholds" in str(key):
                continue
            if isinstance(value, dict | list):
                yield from dig(value, f"{pointer}/{key}")
            elif key == "Reading" and type(value) in (int, float):
                yield f"{pointer}/Reading", value

    found = {}
    for file in folder.rglob("index.json"):
        resource = file.parent.relative_to(folder).as_posix()
        for pointer, value in dig(json.loads(file.read_text()), ""):
            found[f"{resource}#{pointer}"] = value
    return found


@contextmanager
def served_by_sushy(folder: Path) -> Iterator[str]:
    """Address of a mock-up behind the server of OpenStack's sushy-tools (HTTP/1.0, no login)."""
    static = pytest.importorskip("sushy_tools.static.main", reason="NO SUSHY-TOOLS: uv sync")
    static.REDFISH_MOCKUP_FILES = str(folder)
    server = HTTPServer(("127.0.0.1", 0), static.RequestHandler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", COUNTS)
def test_every_mockup_is_read_in_full(name: str) -> None:
    folder = mockups() / name
    with served_by_sushy(folder) as address:
        signals, omissions = asyncio.run(read_everything(address, None, None))
    assert omissions == []
    kinds = Counter(signal.kind for signal in signals)
    assert (kinds["sensor"], kinds["excerpt"], kinds["legacy"]) == COUNTS[name]
    read = {one.at: one.value for one in signals if one.at.endswith("/Reading")}
    on_disk = readings_on_disk(folder)
    assert {at: value for at, value in on_disk.items() if at not in ORPHANS} == read
    assert [one.at for one in signals if not one.unit] == []


UNITS = {
    "public-cooling-unit": {
        "ThermalEquipment/CDUs/1/SecondaryCoolantConnectors/1#/HeatRemovedkW/Reading": "kW",
        "ThermalEquipment/CDUs/1/PrimaryCoolantConnectors/1#/FlowLitersPerMinute/Reading": "L/min",
        "ThermalEquipment/CDUs/1/SecondaryCoolantConnectors/1#/SupplyPressurekPa/Reading": "kPa",
        "ThermalEquipment/CDUs/1/Pumps/1#/PumpSpeedPercent/Reading": "%",
        "Chassis/CDU/Sensors/PrimaryHeatLoad#/Reading": "kW",
    },
    "public-pdu": {
        "PowerEquipment/RackPDUs/1/Metrics#/EnergykWh/Reading": "kW.h",
        "PowerEquipment/RackPDUs/1/Mains/AC1#/PolyPhaseCurrentAmps/Line1/Reading": "A",
        "PowerEquipment/RackPDUs/1/Mains/AC1#/FrequencyHz/Reading": "Hz",
    },
    "public-iiot": {
        "Chassis/Node5/Controls/Thermostat#/Sensor/Reading": "degrees",  # its sensor's own word
        "Chassis/Conveyor/Controls/Output#/Sensor/Reading": "m/s",
        "AutomationNodes/XAxisMover/AutomationInstrumentation#/NodeControl/Reading": "m",
    },
    "public-rackmount1": {
        "Chassis/1U/Thermal#/Fans/0/Reading": "RPM",
        "Chassis/1U/Power#/PowerControl/0/PowerConsumedWatts": "W",
    },
}


@pytest.mark.parametrize("name", UNITS)
def test_units_follow_the_schema(name: str) -> None:
    folder = mockups() / name
    documents = {
        file.parent.relative_to(folder).as_posix(): json.loads(file.read_text())
        for file in folder.rglob("index.json")
    }
    units = {signal.at: signal.unit for signal in find_signals(documents)}
    assert {at: units[at] for at in UNITS[name]} == UNITS[name]


def test_the_twin_s_cdu_is_read_without_its_model() -> None:
    device = make_device(CDU)

    async def main() -> list[Signal]:
        running = await serve_redfish(device, "127.0.0.1", 0, tls()[0], LOGIN)
        signals, _ = await read_everything(running.address, LOGIN, tls()[1])
        await running.close()
        return signals

    found = {one.at: (one.value, one.unit) for one in asyncio.run(main())}
    connector = "ThermalEquipment/CDUs/1/SecondaryCoolantConnectors/1"
    assert found[f"{connector}#/SupplyTemperatureCelsius/Reading"] == (21.0, "Cel")
    assert found["ThermalEquipment/CDUs/1/EnvironmentMetrics#/PowerWatts/Reading"] == (4000.0, "W")
    assert all(unit for _, unit in found.values())


def test_dead_links_errors_and_nonsense_do_not_stop_the_walk() -> None:
    root = {
        "Chassis": {"@odata.id": "/redfish/v1/Chassis"},
        "Loop": {"@odata.id": "/redfish/v1/"},
        "Elsewhere": {"@odata.id": "https://example.invalid/redfish/v1/X"},
        "Fragment": {"@odata.id": "/redfish/v1/Chassis#/Members/0"},
        "Number": {"@odata.id": 7},
    }
    names = ("Gone", "Closed", "Broken", "Text", "Good")
    members = [{"@odata.id": f"/redfish/v1/Chassis/{name}"} for name in names]
    pages = {
        "": root,
        "Chassis": {"Members": members[:3], "Members@odata.nextLink": "/redfish/v1/Chassis?page=2"},
        "Chassis?page=2": {
            "Members": [{"@odata.id": f"/redfish/v1/Chassis/{n}"} for n in names[3:]]
        },
        "Chassis/Good": {
            "@odata.type": "#Sensor.v1_12_0.Sensor",
            "Reading": 5,
            "ReadingType": "Power",
            "Thresholds": {"UpperCritical": {"Reading": 9}},
            "Oem": {"Odd/Name~": {"TemperatureCelsius": {"Reading": 6.5}}, "T": {"Reading": "hot"}},
        },
    }

    async def answer(request: web.BaseRequest, _path: str) -> web.StreamResponse:
        path = request.path_qs.removeprefix("/redfish/v1/")
        if path in pages:
            return web.json_response(pages[path])
        status = {"Chassis/Closed": 403, "Chassis/Broken": 500, "Chassis/Text": 200}.get(path, 404)
        return web.Response(status=status, text="no JSON")

    async def main() -> None:
        running = await listen({"": answer}, Place(host="127.0.0.1", port=0))
        client = RedfishClient(running.address, None, None, 2.0)
        inventory = await walk(client)
        await client.close()
        await running.close()
        assert inventory.missing == ["Chassis/Gone"]
        assert set(inventory.unreadable) == {f"Chassis/{n}" for n in names[1:4]}
        assert find_signals(inventory.documents) == [
            Signal(at="Chassis/Good#/Reading", value=5.0, unit="W", kind="sensor"),
            Signal(
                at="Chassis/Good#/Oem/Odd~1Name~0/TemperatureCelsius/Reading",
                value=6.5,
                unit="Cel",
                kind="excerpt",
            ),
        ]
        with pytest.raises(Unreachable):
            await read_everything(running.address, None, None, 0.5)

    asyncio.run(main())
