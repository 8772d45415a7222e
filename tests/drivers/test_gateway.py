"""Several units behind one Modbus gateway: told apart, served in turn, one's silence its own."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from mallee.catalogue import load_models
from mallee.core.arrays import FloatArray
from mallee.core.errors import Unreachable
from mallee.core.protocol import parse_address
from mallee.core.protocols import PROTOCOLS
from mallee.drivers import DRIVERS
from mallee.drivers.driver import Driver, Target
from mallee.drivers.modbus.gateway import Gateway, ModbusClient
from mallee.emulators import EMULATORS
from mallee.emulators.device import EmulatedDevice, Place

METER = load_models()["grid-meter-sunspec"]


def meter(unit: str) -> EmulatedDevice:
    """A meter whose every reading is its unit id, in thousands."""
    values: FloatArray = np.full(len(METER.point), 1000.0 * int(unit))
    return EmulatedDevice(f"meter{unit}", METER, values, lambda *_: None)


def behind_one_gateway(
    units: list[str], story: Callable[[list[EmulatedDevice], list[Driver]], Awaitable[None]]
) -> None:
    """Run `story` with emulated meters and their drivers, all at one host and port."""

    async def main() -> None:
        devices = [meter(unit) for unit in units]
        place = Place(host="127.0.0.1", port=0)
        running = await EMULATORS["sunspec"](place, dict(zip(units, devices, strict=True)))
        at = parse_address(running.address, 502, PROTOCOLS["sunspec"].part)
        channel = DRIVERS["sunspec"](at.host, at.port)
        await channel.open()
        drivers = [channel.driver(Target(name=u, model=METER, part=u)) for u in units]
        try:
            await story(devices, drivers)
        finally:
            for driver in drivers:
                await driver.close()
            await channel.close()
            await running.close()

    asyncio.run(main())


def test_each_unit_reads_its_own() -> None:
    async def story(devices: list[EmulatedDevice], drivers: list[Driver]) -> None:
        readings = await asyncio.gather(*(driver.read() for driver in drivers for _ in range(5)))
        for index, values in enumerate(readings):
            own = devices[index // 5].values[0]
            assert values[0] == pytest.approx(own, rel=1e-3)
        client = drivers[0]._client  # type: ignore[attr-defined]
        assert client.connections == 1  # one connection carries them all
        serials = {(await driver.identify()).serial for driver in drivers}
        assert len(serials) == len(drivers)

    behind_one_gateway(["1", "3", "247"], story)


async def first_value(driver: Driver) -> float | None:
    """What the first point reads; None while the device is out of reach."""
    try:
        return float((await driver.read())[0])
    except Unreachable:
        return None


def test_a_silent_unit_does_not_blind_the_others() -> None:
    async def story(devices: list[EmulatedDevice], drivers: list[Driver]) -> None:
        bad, good = drivers
        await bad.read()
        await good.read()
        devices[0].health.state = "silent"
        with pytest.raises(Unreachable, match="/1: no answer within"):
            await bad.read()
        assert (await good.read())[0] == pytest.approx(2000.0)
        with pytest.raises(Unreachable, match="/1: silent, asked again in"):
            await bad.read()  # at once: the gateway is not kept waiting
        assert good._client.connections == 1  # type: ignore[attr-defined]
        devices[0].health.state = "ok"
        async with asyncio.timeout(10.0):
            while (value := await first_value(bad)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert value == pytest.approx(1000.0)

    behind_one_gateway(["1", "2"], story)


def asked(clients: list[ModbusClient], units: list[int]) -> list[int | str]:
    """What clients make of a gateway that puts these unit ids into its answers, one by one."""

    async def ask() -> list[int | str]:
        found: list[int | str] = []
        for client in clients:
            try:
                found.append(int.from_bytes(await client.read(0, 1), "big"))
            except Unreachable as error:
                found.append(str(error))
        return found

    async def main() -> list[int | str]:
        queue = iter(units)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while frame := await reader.read(12):
                unit = next(queue)
                writer.write(frame[:4] + bytes([0, 5, unit, 3, 2, 0, unit]))
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            gateway = clients[0]._gateway
            gateway.port = port
            found = await ask()
            for client in clients:
                await client.close()
            return found

    return asyncio.run(main())


def test_an_answer_of_another_unit_is_not_taken() -> None:
    client = ModbusClient(Gateway("127.0.0.1", 0), unit=1)
    found = asked([client] * 3, [1, 2, 1])
    assert found[::2] == [1, 1]
    assert "unit 2 answers in its place" in str(found[1])


def test_a_device_that_always_answers_as_another_unit_is_usable_while_it_is_alone() -> None:
    alone = ModbusClient(Gateway("127.0.0.1", 0), unit=1)
    assert asked([alone] * 2, [255, 255]) == [255, 255]
    gateway = Gateway("127.0.0.1", 0)
    first, second = ModbusClient(gateway, unit=1), ModbusClient(gateway, unit=2)
    found = asked([first, second], [1, 1])
    assert found[0] == 1
    assert "unit 1 answers in its place" in str(found[1])
