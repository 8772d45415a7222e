"""SunSpec and Modbus as the field serves them. Kinds after public reports, inputs of our own."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import numpy as np
import pytest

from mallee.catalogue import load_models
from mallee.catalogue.sunspec import load_sunspec
from mallee.core.errors import Malformed, Unreachable
from mallee.drivers.sunspec import SunSpecDriver
from mallee.runtime.doubt import RESET_S, Doubt
from tests.field.registers import COMMON, Device, serving

NAMES = [p.name for p in load_models()["grid-meter-sunspec"].point if p.protocol == "sunspec"]


def meter_body(power_w: int = 5000, phases: tuple[int, int, int] = (1700, 1600, 1700)) -> list[int]:
    """Model 203 after its header: 400 V, 50 Hz, some energy; the rest not implemented."""
    definition = load_sunspec(203)
    assert definition is not None
    body = [0x8000] * (definition.registers - 2)
    values = {"PPV": 400, "V_SF": 0, "Hz": 50, "Hz_SF": 0, "W": power_w, "W_SF": 0, "TotWh_SF": 0}
    values |= dict(zip(("WphA", "WphB", "WphC"), phases, strict=True))
    for name, value in values.items():
        body[definition.points[name].offset - 2] = value & 0xFFFF
    return body


def played(
    device: Device,
    story: Callable[[SunSpecDriver], Awaitable[None]],
    name: str = "grid-meter-sunspec",
) -> None:
    """Run a story with the driver of a served device."""
    model = load_models()[name]
    protocol = msgspec.structs.replace(model.protocol["sunspec"], timeout_s=0.5)
    model = msgspec.structs.replace(model, protocol={"sunspec": protocol})

    async def main() -> None:
        async with serving(device) as address:
            driver = SunSpecDriver(model, address)
            try:
                await story(driver)
            finally:
                await driver.close()

    asyncio.run(main())


async def power_w(driver: SunSpecDriver) -> float:
    """What the meter reads."""
    return float((await driver.read())[NAMES.index("import_w")])


COMMON_BODY = [0x2020] * COMMON
"""A common model of blanks."""


def meter(**habits: object) -> Device:
    device = Device(**habits)  # type: ignore[arg-type]
    device.chain(40000, (1, COMMON_BODY), (203, meter_body()))
    return device


@pytest.mark.parametrize(
    "device",
    [meter(), meter(longest=50), meter(hangs_up=True)],
    ids=["well", "short reads only", "hangs up after each answer"],
)
def test_a_meter_is_read_whatever_its_habits(device: Device) -> None:
    async def story(driver: SunSpecDriver) -> None:
        assert [await power_w(driver) for _ in range(3)] == [5000.0] * 3

    played(device, story)


def test_a_map_at_0_of_a_device_that_is_silent_elsewhere() -> None:
    device = Device(silent_outside=True)
    device.chain(0, (1, COMMON_BODY), (203, meter_body()))

    async def story(driver: SunSpecDriver) -> None:
        assert await power_w(driver) == 5000.0

    played(device, story)


def test_a_chain_without_an_end() -> None:
    device = Device()
    device.chain(40000, (1, COMMON_BODY), (203, meter_body()), ends=False)

    async def story(driver: SunSpecDriver) -> None:
        assert await power_w(driver) == 5000.0

    played(device, story)


def test_models_that_move_under_a_standing_connection() -> None:
    device = meter()

    async def story(driver: SunSpecDriver) -> None:
        assert await power_w(driver) == 5000.0
        device.words.clear()
        device.chain(40000, (1, COMMON_BODY), (64999, [0] * 10), (203, meter_body(7000, (0, 0, 0))))
        assert await power_w(driver) == 7000.0

    played(device, story)


def test_rubbish_for_one_read_is_no_reading() -> None:
    device = meter()

    async def story(driver: SunSpecDriver) -> None:
        assert await power_w(driver) == 5000.0
        device.rubbish = frozenset(range(device.asked + 1, device.asked + 5))
        with pytest.raises(Malformed):
            await driver.read()
        device.rubbish = frozenset()
        assert await power_w(driver) == 5000.0

    played(device, story)


@pytest.mark.parametrize(
    ("total", "phases", "counts"),
    [
        (5000, (1700, 1600, 1700), True),
        (5000, (0, 0, 0), True),  # a meter that does not have them
        (-15536, (16700, 16600, 16700), False),  # 50 kW ran over 16 bits
    ],
)
def test_a_total_is_held_against_its_phases(
    total: int, phases: tuple[int, int, int], counts: bool
) -> None:
    device = Device()
    device.chain(40000, (1, COMMON_BODY), (203, meter_body(total, phases)))

    async def story(driver: SunSpecDriver) -> None:
        value = await power_w(driver)
        assert (value == total) is counts

    played(device, story)


def test_two_meters_in_one_chain_are_told() -> None:
    device = Device()
    device.chain(40000, (1, COMMON_BODY), (203, meter_body()), (203, meter_body(-7000)))

    async def story(driver: SunSpecDriver) -> None:
        await driver.read()
        assert "serves model 203 2 times" in driver.remarks[0]

    played(device, story)


def test_an_answer_to_another_transaction_is_said_to_be_one() -> None:
    async def story(driver: SunSpecDriver) -> None:
        with pytest.raises(Unreachable, match="only one to transaction 0 instead of"):
            await driver.read()

    played(meter(transaction=0), story)


def battery() -> Device:
    """Model 704 with all set points off, and 715; they may be written with function 16 alone."""
    device = Device(functions=(3, 16))
    controls = [0] * 65
    device.chain(40000, (1, COMMON_BODY), (704, controls), (715, [0] * 7))
    return device


def test_function_16_alone_and_a_set_point_that_the_device_drops() -> None:
    device = battery()
    names = [p.name for p in load_models()["megapack-2h"].point if p.protocol == "sunspec"]

    async def story(driver: SunSpecDriver) -> None:
        at = names.index("charge_set_w")
        await driver.write("charge_set_w", -1000.0, 30.0)
        assert (await driver.read())[at] == -1000.0
        # WSetEna goes to 0 while the value still stands there: it is not in force.
        enable = 40002 + 2 + COMMON + 22
        assert device.words[enable] == 1
        device.words[enable] = 0
        assert (await driver.read())[at] != -1000.0

    played(device, story, "megapack-2h")


def test_counters_never_fall_and_no_voltage_has_no_frequency() -> None:
    doubt = Doubt(["import_energy_wh", "voltage_v", "frequency_hz"])

    def judge(energy: float, volts: float, time_s: float) -> list[bool]:
        return [bool(one) for one in doubt.judge(readings(energy, volts, 50.0), time_s)]

    assert judge(1.2e6, 400.0, 0.0) == [False, False, False]
    assert judge(0.0, 0.0, 1.0) == [True, True, False]  # it woke up and knows nothing yet
    assert judge(1.2e6 + 5, 400.0, 2.0) == [False, False, False]
    assert judge(10.0, 400.0, 3.0)[0]  # a new meter begins anew
    assert judge(11.0, 400.0, 4.0)[0]
    assert judge(12.0, 400.0, 5.0 + RESET_S)[0] is False
    assert judge(13.0, 400.0, 6.0 + RESET_S)[0] is False


def readings(*values: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Readings as an array."""
    return np.array(values)
