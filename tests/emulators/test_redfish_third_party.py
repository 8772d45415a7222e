"""DMTF's own command-line tools list the twin's equipment and see what the driver sees."""

import asyncio
import sys
from pathlib import Path

import pytest

from mallee.emulators.redfish.server import serve_redfish
from tests.drivers.loopback import CDU, LOGIN, SHELF, make_device


async def tool_says(model: str, name: str, *arguments: str) -> str:
    """What a tool prints about a served device."""
    program = Path(sys.executable).with_name(name)
    if not program.exists():
        pytest.skip(f"NO {name}: redfish_utilities is not installed; uv sync")
    running = await serve_redfish(make_device(model), "127.0.0.1", 0, None, LOGIN)
    service = ["-u", LOGIN.user, "-p", LOGIN.password, "-r", f"http://{running.address}"]
    process = await asyncio.create_subprocess_exec(
        program, *service, *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    await running.close()
    assert process.returncode == 0, output.decode()
    return " ".join(output.decode().split())


def test_cdu_and_power_shelf() -> None:
    async def main() -> tuple[str, ...]:
        cdu = ("--type", "CDU")
        return tuple(
            await asyncio.gather(
                tool_says(CDU, "rf_thermal_equipment.py", "status", *cdu),
                tool_says(CDU, "rf_thermal_equipment.py", "leakdetectors", *cdu),
                tool_says(SHELF, "rf_power_equipment.py", "status", "--type", "PowerShelf"),
            )
        )

    status, leaks, shelf = asyncio.run(main())
    assert "Model: cdu-1300kw" in status
    assert "Power: 4000.0 W" in status
    assert "1 | --- | 26.0 | --- | 27.0 | ---" in status  # primary: supply and return
    assert "Moisture | Moisture | OK" in leaks
    assert "EquipmentType: PowerShelf" in shelf
    assert "Power: 20.0 W" in shelf
