"""DMTF's own validator judges every kind of device that the emulator serves."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mallee.catalogue import load_models
from mallee.core.device_model import PointSpec
from mallee.emulators.device import EmulatedDevice
from mallee.emulators.redfish import serve_redfish
from mallee.emulators.redfish.schema import MEMBERS, SINGLETONS
from tests.drivers.loopback import LOGIN, SHELF, make_device

VALIDATOR = Path(__file__).with_name("redfish_validator.py")


def rack_pdu() -> EmulatedDevice:
    """A kind that no catalogue model has yet, but that the emulator can serve."""
    metrics = "PowerEquipment/RackPDUs/1/Metrics#/PowerWatts/Reading"
    outlet = "PowerEquipment/RackPDUs/1/Outlets/A{}#/PowerWatts/Reading"
    places = {
        "power_w": metrics,
        **{f"outlet{i}_w": outlet.format(i) for i in range(3)},
        "inlet_v": "Chassis/PDU/Sensors/InletVoltage#/Reading",
    }
    points = [PointSpec(name=name, protocol="redfish", at=at) for name, at in places.items()]
    shelf = make_device(SHELF)
    shelf.model = msgspec.structs.replace(shelf.model, model="a-pdu", kind="pdu", point=points)
    shelf.values = 100.0 + np.arange(len(points), dtype=np.float64)
    return shelf


async def judge(devices: list[EmulatedDevice], schemas: Path, logs: Path) -> list[dict[str, Any]]:
    """Serve devices and have them all validated."""
    running = [await serve_redfish(device, "127.0.0.1", 0, None, LOGIN) for device in devices]
    urls = [f"http://{one.address}" for one in running]
    arguments = [str(VALIDATOR), str(schemas), str(logs), LOGIN.user, LOGIN.password, *urls]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    for one in running:
        await one.close()
    assert process.returncode == 0, errors.decode()
    return [json.loads(line) for line in output.splitlines()]


def one_of_each_shape() -> list[str]:
    """Models whose services differ in the kinds of resources, one of each."""
    found: dict[frozenset[str], str] = {}
    for name, model in load_models().items():
        places = [at for p in model.point if p.protocol == "redfish" for at in p.places]
        steps = [step for at in places for step in at.partition("#")[0].split("/")]
        kinds = frozenset(step for step in steps if step in MEMBERS or step in SINGLETONS)
        if places:
            found.setdefault(kinds, name)
    return list(found.values())


@pytest.mark.slow
def test_no_failure_and_no_warning(tmp_path: Path) -> None:
    pytest.importorskip("redfish_service_validator", reason="VALIDATOR NOT INSTALLED: uv sync")
    beside = Path(__file__).parents[3] / "shared"
    golden = Path(os.environ.get("MALLEE_SHARED", beside)) / "golden/redfish/csdl"
    if not golden.is_dir():
        pytest.skip(f"NO REDFISH SCHEMAS: {golden} is missing; set MALLEE_SHARED to judge with it")
    schemas = tmp_path / "csdl"  # the validator wants a folder that it may write to
    shutil.copytree(golden, schemas)
    devices = [make_device(name) for name in one_of_each_shape()]
    devices.append(rack_pdu())
    verdicts = asyncio.run(judge(devices, schemas, tmp_path / "logs"))
    for device, verdict in zip(devices, verdicts, strict=True):
        model = device.model.model
        assert verdict["exit_code"] == 0, (model, verdict)
        assert verdict["remarks"] == [], model
        assert verdict["failed"] == verdict["warned"] == 0, model
        assert verdict["passed"] > 150, model
        assert 10 <= verdict["resources"] <= 300, model
