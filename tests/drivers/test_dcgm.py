"""DCGM: the driver reads what the emulator shows, blanks are no readings, faults have names."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from math import isnan

import msgspec
import numpy as np
import pytest

from mallee.catalogue import load_models
from mallee.core.errors import ConfigError, DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.drivers.dcgm.driver import DcgmCodec, DcgmDriver
from mallee.emulators.dcgm.server import exposition, serve_dcgm
from mallee.emulators.device import EmulatedDevice
from tests.drivers.loopback import HGX, NODE, expected, make_device

EXPORTER = b"""# HELP DCGM_FI_DEV_POWER_USAGE Power draw (in W).
# TYPE DCGM_FI_DEV_POWER_USAGE gauge
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1",modelName="NVIDIA GB200",Hostname="n1"} 1187.25
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-2",modelName="NVIDIA GB200",Hostname="n1"} 203.5
DCGM_FI_DEV_POWER_USAGE{gpu="2",UUID="GPU-3",modelName="x",Hostname="n1"} 9223372036854775794
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-1",modelName="x",Hostname="n1"} 7200000000
DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",modelName="x",Hostname="n1"} 61
DCGM_FI_DEV_GPU_TEMP{gpu="1",UUID="GPU-2",modelName="x",Hostname="n1"} 140737488355329
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",modelName="x",Hostname="n1"} 98
DCGM_FI_DEV_SM_CLOCK{gpu="0",UUID="GPU-1",modelName="x",Hostname="n1"} 1980
"""


def run_with(
    device: EmulatedDevice, story: Callable[[DcgmDriver], Awaitable[None]], timeout_s: float = 2.0
) -> None:
    """Run a story with a driver against the served device."""
    protocol = msgspec.structs.replace(device.model.protocol["dcgm"], timeout_s=timeout_s)
    model = msgspec.structs.replace(
        device.model, protocol={**device.model.protocol, "dcgm": protocol}
    )

    async def main() -> None:
        running = await serve_dcgm(device, "127.0.0.1", 0)
        driver = DcgmDriver(model, running.address)
        try:
            await story(driver)
        finally:
            await driver.close()
            await running.close()

    asyncio.run(main())


def test_fields_become_points_and_blanks_do_not() -> None:
    codec = DcgmCodec(p for p in load_models()[NODE].point if p.protocol == "dcgm")
    read = dict(zip((p.name for p in codec.points), codec.decode(EXPORTER), strict=True))
    assert read["gpu0_power_w"] == 1187.25
    assert read["gpu1_power_w"] == 203.5
    assert isnan(read["gpu2_power_w"])  # DCGM_INT64_NOT_SUPPORTED
    assert isnan(read["gpu3_power_w"])  # not exported
    assert read["gpu0_energy_wh"] == pytest.approx(2000.0)  # 7.2e9 mJ
    assert read["gpu0_temp_degc"] == 61
    assert isnan(read["gpu1_temp_degc"])  # DCGM_FP64_BLANK + 1
    assert read["gpu0_utilization_frac"] == pytest.approx(0.98)


def test_a_place_that_is_no_field_and_gpu_is_a_config_error() -> None:
    point = load_models()[NODE].point[4]
    with pytest.raises(ConfigError, match="is no DCGM field and GPU"):
        DcgmCodec([msgspec.structs.replace(point, at="DCGM_FI_DEV_POWER_USAGE")])


@pytest.mark.parametrize("model", [NODE, HGX])
def test_driver_reads_what_the_emulator_shows(model: str) -> None:
    device = make_device(model)
    utilization = [i for n, i in device.model.index.items() if n.endswith("utilization_frac")]
    device.values[utilization] = 0.37

    async def story(driver: DcgmDriver) -> None:
        await driver.open()
        for shift in (0.0, 3.0):
            device.values[0:30] += shift
            device.values[utilization] = 0.37
            read = dict(zip((p.name for p in driver.points), await driver.read(), strict=True))
            assert read == pytest.approx(expected(device, "dcgm"), abs=1e-6)
        device.values[:] = np.nan
        assert np.isnan(await driver.read()).all()
        with pytest.raises(Rejected):
            await driver.write("gpu0_power_w", 500.0, 0.0)

    run_with(device, story)


def test_the_text_is_shaped_as_the_exporter_s() -> None:
    device = make_device(NODE)
    lines = exposition(device)().decode().splitlines()
    assert lines[0].startswith("# HELP DCGM_FI_DEV_POWER_USAGE Power draw")
    assert lines[1] == "# TYPE DCGM_FI_DEV_POWER_USAGE gauge"
    assert re.fullmatch(
        r'DCGM_FI_DEV_POWER_USAGE\{gpu="0",UUID="GPU-[0-9a-f-]{36}",pci_bus_id="[0-9A-F:.]+",'
        r'device="nvidia0",modelName=".+",Hostname="pod1-r1-n01"\} 24\.000000',
        lines[2],
    )
    energy = [one for one in lines if one.startswith("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{")]
    assert energy[0].endswith("} 100800000")  # 28 Wh in mJ
    assert len([one for one in lines if not one.startswith("#")]) == 16


@pytest.mark.parametrize(
    ("state", "error"),
    [("silent", Unreachable), ("slow", Unreachable), ("garbage", Malformed), ("refuse", Refused)],
)
def test_faults_have_names_and_pass(state: str, error: type[DeviceError]) -> None:
    device = make_device(NODE)
    device.health.delay_s = 5.0

    async def story(driver: DcgmDriver) -> None:
        await driver.open()
        device.health.state = state  # type: ignore[assignment]
        for _ in range(2):  # garbage comes in two kinds
            with pytest.raises(error):
                await driver.read()
        device.health.state = "ok"
        assert np.isfinite(await driver.read()).all()

    run_with(device, story, timeout_s=0.1)


def test_slow_but_in_time_is_well() -> None:
    device = make_device(NODE)
    device.health.state, device.health.delay_s = "slow", 0.05

    async def story(driver: DcgmDriver) -> None:
        assert np.isfinite(await driver.read()).all()

    run_with(device, story)


def test_nobody_there_is_unreachable() -> None:
    device = make_device(NODE)

    async def main() -> None:
        running = await serve_dcgm(device, "127.0.0.1", 0)
        await running.close()
        driver = DcgmDriver(device.model, running.address)
        with pytest.raises(Unreachable, match=running.address):
            await driver.read()
        await driver.close()

    asyncio.run(main())


@pytest.mark.parametrize("address", ["", ":9400", "host:port", "host:99999", "a b:1", "u@h", "h?x"])
def test_what_is_no_address_is_a_config_error(address: str) -> None:
    model = make_device(NODE).model
    with pytest.raises(ConfigError, match="write host:port"):
        DcgmDriver(model, address)


@pytest.mark.parametrize("address", ["10.0.0.1:9400", "[::1]:9400", "node7.example", "node7:1"])
def test_what_is_an_address(address: str) -> None:
    assert DcgmDriver(make_device(NODE).model, address).address == address
