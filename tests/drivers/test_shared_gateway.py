"""SunSpec and plain Modbus units behind one gateway: one place, one connection."""

import asyncio
from typing import cast

import msgspec
import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mallee.catalogue.device_models import load_models
from mallee.catalogue.samples import sample_of
from mallee.core.protocol import Address
from mallee.drivers import DRIVERS
from mallee.drivers.driver import Target
from mallee.site.addresses import AddressBook


def test_two_protocols_are_read_over_one_connection() -> None:
    meter = load_models()["grid-meter-sunspec"]
    plain = load_models()["eastron-sdm630-meter"]
    over_tcp = msgspec.structs.replace(plain.protocol["modbus"], options={})
    plain = msgspec.structs.replace(plain, protocol={"modbus": over_tcp})
    samples = [sample_of("grid-meter-sunspec"), sample_of("eastron-sdm630-meter")]
    assert samples[0] is not None
    assert samples[1] is not None
    ((first, words),) = samples[0].content["sunspec"].items()
    ((start, inputs),) = samples[1].content["modbus"]["input"].items()
    chain = SimData(int(first), values=words, datatype=DataType.REGISTERS)
    nothing = SimData(0xFFFF, datatype=DataType.REGISTERS)
    bits = SimData(0xFFF0, datatype=DataType.BITS)
    table = SimData(int(start), values=inputs, datatype=DataType.REGISTERS)
    units = [SimDevice(1, chain), SimDevice(2, ([bits], [bits], [nothing], [table]))]

    async def main() -> None:
        connections: list[bool] = []
        server = ModbusTcpServer(
            units, address=("127.0.0.1", 0), trace_connect=lambda up: connections.append(up)
        )
        assert await server.listen()
        port = cast(asyncio.Server, server.transport).sockets[0].getsockname()[1]
        channels = [DRIVERS[name]("127.0.0.1", port) for name in ("sunspec", "modbus")]
        one = channels[0].driver(Target(name="a", model=meter, part="1"))
        other = channels[1].driver(Target(name="b", model=plain, part="2"))
        found = await asyncio.gather(*(driver.read() for driver in (one, other) * 3))
        for values, sample in zip(found, samples * 3, strict=True):
            assert sample is not None
            assert list(sample.readings.values()) == pytest.approx(values, rel=1e-6)
        assert connections == [True]
        await one.close()
        await other.close()
        server.close()

    asyncio.run(main())


def test_the_address_book_lets_them_share_a_place_and_no_unit() -> None:
    book = AddressBook(mixed=True)
    assert not book.add("sunspec", "a", Address("10.0.0.9", 502, "1"))
    assert not book.add("modbus", "b", Address("10.0.0.9", 502, "2"))
    assert book.add("modbus", "c", Address("10.0.0.9", 502, "1")) == "a"
    assert book.add("redfish", "d", Address("10.0.0.9", 502)) in ("a", "b")
    alone = AddressBook(mixed=False)
    assert not alone.add("sunspec", "a", Address("10.0.0.9", 502, "1"))
    assert alone.add("modbus", "b", Address("10.0.0.9", 502, "2")) == "a"
