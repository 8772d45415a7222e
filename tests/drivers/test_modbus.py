"""Plain register maps: places as makers print them, both framings, judged by pymodbus."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from mallee.core.device_model import ControllerLoss, DeviceModel, PointSpec, Protocol
from mallee.core.errors import ConfigError, Malformed, Refused, Rejected, Unreachable
from mallee.core.registers import parse_place
from mallee.drivers.modbus import CHANNEL, ModbusDriver
from mallee.drivers.modbus.driver import plan_blocks
from mallee.drivers.modbus.framing import crc16
from mallee.emulators.device import EmulatedDevice, Place
from mallee.emulators.modbus import serve_units
from tests.field.registers import Device, serving

MAP = {
    "power_w": ("input:52:float32", 1.0),
    "energy_wh": ("input:72:float32:low-first", 1000.0),
    "voltage_v": ("holding:0:uint16:none=0xFFFF", 0.1),
    "flow_kgps": ("holding:1:int32:low-first", 0.001),
    "alarm_count": ("holding:3:bit5", 1.0),
    "supply_set_degc": ("holding:10:int16", 0.1),
    "pump_on_count": ("coil:17", 1.0),
    "leak_count": ("discrete:3", 1.0),
}
SETTABLE = ("supply_set_degc", "pump_on_count")
VALUES = [1234.5, 5e6, 401.2, -12.345, 1.0, 21.5, 0.0, 1.0]


def model(framing: str = "tcp", **options: Any) -> DeviceModel:
    points = [
        PointSpec(
            name=name,
            protocol="modbus",
            at=at,
            scale=scale,
            access="readwrite" if name in SETTABLE else "read",
        )
        for name, (at, scale) in MAP.items()
    ]
    return DeviceModel(
        model="plain",
        kind="cdu",
        vendor="Acme",
        product="A map",
        power_max_w=0.0,
        protocol={"modbus": Protocol(timeout_s=0.5, options={"framing": framing, **options})},
        point=points,
        on_controller_loss=ControllerLoss(behaviour="hold"),
    )


def emulated(framing: str = "tcp") -> EmulatedDevice:
    values = np.array(VALUES)
    device_model = model(framing)

    def write(point: str, value: float, lease_s: float) -> None:
        del lease_s
        if value > 60.0:
            raise Rejected("too warm")
        values[device_model.index[point]] = value

    return EmulatedDevice("cdu1", device_model, values, write)


def served(
    framing: str, story: Callable[[EmulatedDevice, ModbusDriver, str], Awaitable[None]]
) -> None:
    async def main() -> None:
        device = emulated(framing)
        running = await serve_units(Place(host="127.0.0.1", port=0), {"7": device})
        driver = ModbusDriver(device.model, f"{running.address}/7")
        try:
            await story(device, driver, running.address)
        finally:
            await driver.close()
            await running.close()

    asyncio.run(main())


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
def test_every_kind_of_place_is_read_and_set(framing: str) -> None:
    async def story(device: EmulatedDevice, driver: ModbusDriver, _: str) -> None:
        assert await driver.read() == pytest.approx(VALUES, rel=1e-6)
        await driver.write("supply_set_degc", 24.5, 0.0)
        await driver.write("pump_on_count", 1.0, 0.0)
        assert (await driver.read())[5:7].tolist() == pytest.approx([24.5, 1.0])
        assert device.values[5] == pytest.approx(24.5)
        for value, message in ((70.0, "declined by the device"), (9e9, "cannot carry")):
            with pytest.raises(Rejected, match=message):
                await driver.write("supply_set_degc", value, 0.0)
        with pytest.raises(Rejected, match="no settable point; there are supply_set_degc"):
            await driver.write("power_w", 1.0, 0.0)
        device.values[2] = np.nan
        assert math.isnan((await driver.read())[2])

    served(framing, story)


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
def test_faults_have_names_and_pass(framing: str) -> None:
    async def story(device: EmulatedDevice, driver: ModbusDriver, _: str) -> None:
        await driver.read()
        for state, error in (("silent", Unreachable), ("refuse", Refused)):
            device.health.state = state  # type: ignore[assignment]
            with pytest.raises(error):
                await driver.read()
        device.health.state = "garbage"
        with pytest.raises((Malformed, Unreachable)):
            await driver.read()
        device.health.state = "ok"
        assert (await driver.read())[0] == pytest.approx(1234.5)

    served(framing, story)


@pytest.mark.parametrize(
    ("framing", "framer"), [("tcp", FramerType.SOCKET), ("rtu", FramerType.RTU)]
)
def test_a_third_party_reads_the_emulated_map(framing: str, framer: FramerType) -> None:
    async def story(_: EmulatedDevice, __: ModbusDriver, address: str) -> None:
        client = AsyncModbusTcpClient("127.0.0.1", port=int(address[-5:]), framer=framer)
        await client.connect()
        words = (await client.read_input_registers(52, count=2, device_id=7)).registers
        assert client.convert_from_registers(words, client.DATATYPE.FLOAT32) == 1234.5
        assert (await client.read_holding_registers(10, count=1, device_id=7)).registers == [215]
        assert (await client.read_coils(17, count=1, device_id=7)).bits[0] is False
        assert (await client.read_discrete_inputs(3, count=1, device_id=7)).bits[0] is True
        client.close()

    served(framing, story)


def test_a_device_that_denies_one_register_keeps_the_others() -> None:
    device = Device(functions=(3, 6, 16))
    device.put(0, 4012, 0, 1, 0)  # and nothing at 10

    async def main() -> None:
        async with serving(device) as address:
            one = model()
            one.point[:] = [p for p in one.point if str(p.at).startswith("holding")]
            driver = ModbusDriver(one, address)
            values = dict(zip([p.name for p in driver.points], await driver.read(), strict=True))
            assert math.isnan(values["supply_set_degc"])
            values = dict(zip([p.name for p in driver.points], await driver.read(), strict=True))
            assert values["voltage_v"] == pytest.approx(401.2)
            assert math.isnan(values["supply_set_degc"])
            await driver.close()

    asyncio.run(main())


def test_one_place_speaks_one_framing() -> None:
    from mallee.drivers.driver import Target

    channel = CHANNEL("127.0.0.1", 502)
    channel.driver(Target(name="a", model=model(), part="1"))
    with pytest.raises(ConfigError, match="b: wants rtu frames, a at the same place others"):
        channel.driver(Target(name="b", model=model("rtu"), part="2"))


def test_reads_are_few_and_no_longer_than_allowed() -> None:
    places = [parse_place(f"holding:{at}:float32") for at in (0, 2, 40, 44, 100)]
    assert [(b.start, b.count) for b in plan_blocks(places, 125, 16)] == [(0, 4), (40, 6), (100, 2)]
    assert [(b.start, b.count) for b in plan_blocks(places, 125, 124)] == [(0, 102)]
    assert [b.count for b in plan_blocks(places, 2, 0)] == [2] * 5


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("register:4:int16", "does not begin with one of coil"),
        ("holding", "and an address"),
        ("holding:x:int16", "'x' is no address"),
        ("holding:4", "'' is no type"),
        ("holding:4:float16", "'float16' is no type"),
        ("holding:4:int16:high", "'high' is no option"),
        ("coil:4:low-first", "is no option here"),
        ("holding:65535:int32", "outside 0..65534"),
    ],
)
def test_what_is_no_place(at: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_place(at)


@given(
    st.floats(-1e6, 1e6), st.sampled_from(["int32", "float32", "float64", "int64"]), st.booleans()
)
def test_what_is_encoded_is_decoded(value: float, kind: str, low_first: bool) -> None:
    place = parse_place(f"holding:0:{kind}" + (":low-first" if low_first else ""))
    wanted = value if kind.startswith("float") else round(value)
    assert place.decode(place.encode(value)) == pytest.approx(wanted, rel=1e-6, abs=1e-30)


def test_the_checksum_of_the_specification() -> None:
    # MODBUS over Serial Line V1.02, appendix B: 02 07 -> 41 12.
    assert crc16(bytes([2, 7])) == bytes([0x41, 0x12])
