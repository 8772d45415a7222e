"""The emulated meter and battery, judged by pysunspec2 and read back by the driver."""

import asyncio
import math
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import msgspec
import numpy as np
import pytest
import sunspec2.device
import sunspec2.modbus.client

from mallee.catalogue import load_models
from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError, DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.drivers.driver import Driver
from mallee.drivers.modbus.gateway import Gateway, ModbusClient
from mallee.drivers.sunspec.driver import SunSpecDriver
from mallee.emulators.device import EmulatedDevice, HealthState
from mallee.emulators.sunspec.control import SunSpecControl
from mallee.emulators.sunspec.image import SunSpecImage
from mallee.emulators.sunspec.server import serve_sunspec

METER = {
    "import_w": 612_345.0,
    "reactive_var": -41_000.0,
    "apparent_va": 614_000.0,
    "voltage_v": 481.2,
    "current_a": 737.04,
    "frequency_hz": 59.98,
    "import_energy_wh": 4_000_000_123.0,
    "export_energy_wh": 0.0,
}
BATTERY = {
    "charge_w": -1_000_000.0,
    "reactive_var": 12_000.0,
    "voltage_v": 480.0,
    "frequency_hz": 60.011,
    "discharge_energy_wh": 9.87e12,
    "charge_energy_wh": 123_456_789.0,
    "inverter_state": 3.0,
    "cabinet_degc": 31.4,
    "charge_rated_w": 1_930_000.0,
    "discharge_rated_w": 1_930_000.0,
    "soc": 0.5234,
    "soh": 0.98,
    "capacity_wh": 3_850_000.0,
    "cell_max_v": 3.312,
    "charge_available_w": 1_930_000.0,
    "discharge_available_w": 1_800_000.0,
    "cell_max_degc": -4.3,
    "charge_set_w": 0.0,
    "heartbeat_count": 7.0,
    "mode": 2.0,
    "filter_import_max_w": 600_000.0,
    "filter_import_min_w": -50_000.0,
    "filter_ramp_up_w_per_s": 1000.5,
    "filter_ramp_down_w_per_s": 1000.0,
    "filter_time_s": 62.25,
    "filter_charge_bias_w": -12_340.0,
}


@dataclass
class Bench:
    """A device with a memory, and what was written to it."""

    device: EmulatedDevice
    writes: list[tuple[str, float, float]] = field(default_factory=list)
    declined: str = ""
    takes_over: bool = True

    def put(self, point: str, value: float) -> None:
        self.device.values[self.device.model.index[point]] = value

    def write(self, point: str, value: float, lease_s: float) -> None:
        if self.declined:
            raise Rejected(self.declined)
        self.writes.append((point, value, lease_s))
        if self.takes_over:
            self.put(point, value)


def bench_of(name: str, values: dict[str, float]) -> Bench:
    entry = load_models()[name]
    protocol = msgspec.structs.replace(entry.protocol["sunspec"], timeout_s=0.4)
    model = msgspec.structs.replace(entry, protocol={"sunspec": protocol})
    state = np.array([values[point.name] for point in model.point])
    bench = Bench(EmulatedDevice("site/dev1", model, state, lambda *_: None))
    bench.device.write = bench.write
    return bench


def run(bench: Bench, story: Callable[[Bench, str], Awaitable[None]]) -> None:
    async def main() -> None:
        running = await serve_sunspec(bench.device, "127.0.0.1", 0)
        try:
            await story(bench, running.address)
        finally:
            await running.close()

    asyncio.run(main())


def by_name(driver: SunSpecDriver, values: FloatArray) -> dict[str, float]:
    return dict(zip([point.name for point in driver.points], values.tolist(), strict=True))


def golden(work: Callable[[Any], None]) -> Callable[[Bench, str], Awaitable[None]]:
    """Let pysunspec2 work on the served device, in its own thread."""
    folder = str(resources.files("mallee.catalogue.sunspec"))

    def visit(address: str) -> None:
        host, port = address.split(":")
        sunspec2.device.set_model_defs_path([*sunspec2.device.get_model_defs_path(), folder])
        client = sunspec2.modbus.client.SunSpecModbusClientDeviceTCP(
            slave_id=1, ipaddr=host, ipport=int(port), timeout=5
        )
        client.scan()
        try:
            work(client)
        finally:
            client.close()

    async def story(_bench: Bench, address: str) -> None:
        await asyncio.to_thread(visit, address)

    return story


def test_pysunspec2_reads_the_meter() -> None:
    def work(client: Any) -> None:
        assert [key for key in client.models if isinstance(key, int)] == [1, 203]
        common, meter = client.models[1][0], client.models[203][0]
        assert common.Md.cvalue == "grid-meter-sunspec"
        assert common.SN.cvalue == "site/dev1"
        assert meter.W.cvalue == 612_300
        assert meter.W_SF.cvalue == 2
        assert meter.VAR.cvalue == -41_000
        assert meter.Hz.cvalue == pytest.approx(59.98)
        assert meter.TotWhImp.cvalue == 4_000_000_123
        phases = [meter.WphA.cvalue, meter.WphB.cvalue, meter.WphC.cvalue]
        assert sum(phases) == pytest.approx(meter.W.cvalue, abs=300)
        assert 3 * meter.AphA.cvalue == pytest.approx(meter.A.cvalue, abs=0.3)
        power_va = math.sqrt(3) * meter.PPV.cvalue * meter.AphA.cvalue
        assert power_va == pytest.approx(meter.VA.cvalue, rel=2e-3)
        missing = [
            n for n, p in meter.points.items() if p.pdef.get("mandatory") and p.cvalue is None
        ]
        assert missing == ["TotWhExp"]  # 0: pysunspec2 takes a fresh accumulator as not implemented

    run(bench_of("grid-meter-sunspec", METER), golden(work))


def test_pysunspec2_reads_the_battery() -> None:
    def work(client: Any) -> None:
        served = [key for key in client.models if isinstance(key, int)]
        assert served == [1, 701, 702, 704, 713, 715, 802, 64901]
        measured, storage, bank = (client.models[number][0] for number in (701, 713, 802))
        assert measured.W.cvalue == 1_000_000  # discharging
        assert measured.W_SF.cvalue == 2
        assert measured.Hz.cvalue == pytest.approx(60.011)
        assert measured.TotWhInj.cvalue == 9_870_000_000_000
        assert measured.TmpCab.cvalue == pytest.approx(31.4)
        assert client.models[702][0].WChaRteMax.cvalue == 1_930_000
        assert storage.SoC.cvalue == pytest.approx(52.34)
        assert storage.WHRtg.cvalue == 3_850_000
        assert bank.CellVMax.cvalue == pytest.approx(3.312)
        assert bank.V.cvalue * bank.A.cvalue == pytest.approx(measured.W.cvalue, rel=1e-3)
        block = client.models[64901][0]
        assert block.ImpMin.cvalue == -50_000
        assert block.FltTms.cvalue == 62.25
        assert block.CellTmpMax.cvalue == -4.3
        for models in client.models.values():
            for name, point in models[0].points.items():
                mandatory = point.pdef.get("mandatory") == "M"
                assert not mandatory or point.cvalue is not None, name

    run(bench_of("megapack-2h", BATTERY), golden(work))


def test_pysunspec2_limits_the_power_and_sees_the_limit_go() -> None:
    def work(client: Any) -> None:
        control = client.models[704][0]
        control.WMaxLimPct.cvalue = 55
        control.WMaxLimPctRvrtTms.cvalue = 1
        control.WMaxLimPctEna.cvalue = 1
        control.write()
        control.read()
        assert (control.WMaxLimPct.cvalue, control.WMaxLimPctEna.cvalue) == (55, 1)
        assert control.WMaxLimPctRvrtRem.cvalue == 1
        while control.WMaxLimPctRvrtRem.cvalue > 0:
            control.read()
        assert (control.WMaxLimPct.cvalue, control.WMaxLimPctEna.cvalue) == (100, 0)

    run(bench_of("megapack-2h", BATTERY), golden(work))


def test_pysunspec2_sets_the_power_and_sees_it_go() -> None:
    bench = bench_of("megapack-2h", BATTERY)

    def work(client: Any) -> None:
        control = client.models[704][0]
        control.WSetRvrtTms.cvalue = 1
        control.WSetMod.cvalue = 1
        control.WSet.cvalue = -250_000  # charge
        control.WSetRvrt.cvalue = 40_000
        control.WSetEnaRvrt.cvalue = 1
        control.WSetEna.cvalue = 1
        control.write()
        control.read()
        assert (control.WSet.cvalue, control.WSetEna.cvalue) == (-250_000, 1)
        assert control.WSetRvrtRem.cvalue == 1
        while control.WSetRvrtRem.cvalue > 0:
            control.read()
        assert (control.WSet.cvalue, control.WSetEna.cvalue) == (40_000, 1)

    run(bench, golden(work))
    # pysunspec2 writes value and enable first, the timer after them.
    assert bench.writes[:2] == [("charge_set_w", 250_000, 0), ("charge_set_w", 250_000, 1)]
    assert bench.writes[-1] == ("charge_set_w", -40_000, 0)


@pytest.mark.parametrize(
    ("name", "values"), [("grid-meter-sunspec", METER), ("megapack-2h", BATTERY)]
)
def test_the_driver_reads_what_the_device_has(name: str, values: dict[str, float]) -> None:
    async def story(bench: Bench, address: str) -> None:
        driver = SunSpecDriver(bench.device.model, address)
        readings = by_name(driver, await driver.read())
        for point, value in values.items():
            step = 100 if point in METER or point == "charge_w" else 10
            assert readings[point] == pytest.approx(value, rel=1e-4, abs=step / 2), point
        bench.device.values[:] = math.nan
        readings = by_name(driver, await driver.read())
        zeros = {point for point, value in readings.items() if value == 0}
        # A mandatory accumulator cannot say that it is not there.
        assert zeros <= {"import_energy_wh", "export_energy_wh"}
        assert all(math.isnan(value) for point, value in readings.items() if point not in zeros)
        await driver.close()

    run(bench_of(name, values), story)


def test_every_setpoint_reads_back_at_once_and_follows_the_device_again() -> None:
    targets = {
        "charge_set_w": 123_456.0,
        "heartbeat_count": 4_000_000_000.0,
        "mode": 1.0,
        "filter_import_max_w": 5_000_000_000.0,
        "filter_import_min_w": -600_000.0,
        "filter_ramp_up_w_per_s": 5000.5,
        "filter_ramp_down_w_per_s": 0.0,
        "filter_time_s": 0.25,
        "filter_charge_bias_w": 80_000.0,
    }

    async def story(bench: Bench, address: str) -> None:
        bench.takes_over = False  # the twin shows a new set point only after its next step
        driver = SunSpecDriver(bench.device.model, address)
        for point, value in targets.items():
            await driver.write(point, value, 4.2)
        assert by_name(driver, await driver.read()).items() >= targets.items()
        leases = [
            (point, value, 5.0 if point == "charge_set_w" else 0.0)
            for point, value in targets.items()
        ]
        assert bench.writes == leases
        for point, value in targets.items():
            bench.put(point, value)
        assert by_name(driver, await driver.read()).items() >= targets.items()
        bench.put("charge_set_w", 0.0)  # its lease ended
        assert by_name(driver, await driver.read())["charge_set_w"] == 0
        await driver.close()

    run(bench_of("megapack-2h", BATTERY), story)


def test_a_declined_setpoint_is_exception_3_and_leaves_the_old_value() -> None:
    async def story(bench: Bench, address: str) -> None:
        driver = SunSpecDriver(bench.device.model, address)
        bench.declined = "charge power is limited"
        with pytest.raises(Rejected, match=r"charge_set_w = 1000: declined .* exception 3"):
            await driver.write("charge_set_w", 1000, 10)
        with pytest.raises(Rejected, match="mode = 9: declined"):
            await driver.write("mode", 9, 10)
        readings = by_name(driver, await driver.read())
        assert (readings["charge_set_w"], readings["mode"]) == (0, 2)
        await driver.close()

    run(bench_of("megapack-2h", BATTERY), story)


def test_a_declined_setpoint_does_not_prolong_the_old_one() -> None:
    async def story(bench: Bench, address: str) -> None:
        driver: Driver = SunSpecDriver(bench.device.model, address)
        await driver.write("charge_set_w", 1000, 10)
        bench.declined = "charge power is limited"
        bench.writes.clear()
        with pytest.raises(Rejected):
            await driver.write("charge_set_w", 2000, 10)
        bench.declined = ""
        assert bench.writes == []
        await driver.close()

    run(bench_of("megapack-2h", BATTERY), story)


@pytest.mark.parametrize(
    ("state", "kind"),
    [("silent", Unreachable), ("slow", Unreachable), ("garbage", Malformed), ("refuse", Refused)],
)
def test_a_device_in_trouble_and_after(state: HealthState, kind: type[DeviceError]) -> None:
    async def story(bench: Bench, address: str) -> None:
        driver = SunSpecDriver(bench.device.model, address)
        await driver.open()
        health = bench.device.health
        health.state, health.delay_s = state, 0.7
        for _ in range(3 if state == "garbage" else 1):
            with pytest.raises(kind, match=address):
                await driver.read()
        with pytest.raises(kind, match=address):
            await driver.write("mode", 1, 10)
        if state != "slow":  # a slow one does it, only late
            assert bench.writes == []
        health.state = "ok"
        assert by_name(driver, await driver.read())["soc"] == pytest.approx(0.5234)
        health.state, health.delay_s = "slow", 0.01
        assert by_name(driver, await driver.read())["soc"] == pytest.approx(0.5234)
        await driver.close()

    run(bench_of("megapack-2h", BATTERY), story)


def test_the_meter_changes_range_and_stays_consistent() -> None:
    async def story(bench: Bench, address: str) -> None:
        driver = SunSpecDriver(bench.device.model, address)
        for value in (3_000_000.0, 130_000_000.0, -130_000_000.0, 500_000.0):
            bench.put("import_w", value)
            assert by_name(driver, await driver.read())["import_w"] == value
        await driver.close()

    run(bench_of("grid-meter-sunspec", METER), story)


def test_writes_that_touch_no_setpoint_or_half_of_one() -> None:
    bench = bench_of("megapack-2h", BATTERY)
    image = SunSpecImage(bench.device)
    control = SunSpecControl(bench.device, image)
    set_w = 40000 + image.slots["704.WSet"].start // 2
    before = bytes(image.data)
    for register, data in (
        (set_w, b"\0\1"),
        (set_w - 1, b"\0\1\0\1"),
        (40000 + image.slots["701.W"].start // 2, b"\0\1"),
        (40000, b"\0\1"),
    ):
        with pytest.raises(LookupError):
            control.write(register, data, 0.0)
    with pytest.raises(Rejected, match="not implemented"):
        control.write(set_w, b"\x80\0\0\0", 0.0)
    limit = 40000 + image.slots["704.WMaxLimPct"].start // 2
    with pytest.raises(Rejected, match="101 %"):
        control.write(limit, b"\0\x65", 0.0)
    assert image.data == before
    assert bench.writes == []


def test_a_wrong_unit_and_registers_that_are_not_there() -> None:
    async def story(_bench: Bench, address: str) -> None:
        host, port = address.split(":")
        wrong = ModbusClient(Gateway(host, int(port)), unit=7)
        with pytest.raises(Unreachable, match="gateway target does not respond"):
            await wrong.read(40000, 1)
        right = ModbusClient(Gateway(host, int(port)))
        with pytest.raises(Malformed, match="illegal data address"):
            await right.read(39_999, 2)
        await wrong.close()
        await right.close()

    run(bench_of("megapack-2h", BATTERY), story)


def test_a_port_that_is_taken() -> None:
    async def story(bench: Bench, address: str) -> None:
        with pytest.raises(ConfigError, match=f"{address} cannot be listened on"):
            await serve_sunspec(bench.device, "127.0.0.1", int(address.split(":")[1]))

    run(bench_of("megapack-2h", BATTERY), story)


def test_mbpoll_sees_the_marker_and_sets_the_mode() -> None:
    """libmodbus, an implementation in C, on the same registers."""
    program = shutil.which("mbpoll")
    if program is None:
        pytest.skip("NO MBPOLL: install the package mbpoll to let libmodbus judge, too")
    bench = bench_of("megapack-2h", BATTERY)
    mode = 40000 + SunSpecImage(bench.device).slots["64901.Mode"].start // 2

    async def poll(address: str, register: int, count: int, *values: str) -> str:
        host, port = address.split(":")
        words = ["-0", "-1", "-p", port, "-t", "4:hex", "-r", str(register)]
        words += [host, *values] if values else ["-c", str(count), host]
        process = await asyncio.create_subprocess_exec(
            program, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await process.communicate()
        return output.decode()

    async def story(bench: Bench, address: str) -> None:
        output = await poll(address, 40000, 2)
        assert "0x5375" in output
        assert "0x6E53" in output
        await poll(address, mode, 1, "0x0001")
        assert bench.writes == [("mode", 1, 0)]
        await poll(address, mode, 1, "0x0009")
        assert bench.writes == [("mode", 1, 0)]

    run(bench, story)
