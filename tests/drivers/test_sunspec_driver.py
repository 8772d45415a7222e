"""The SunSpec driver against a server whose map is built here, by hand, from the specification."""

import asyncio
import contextlib
import itertools
import math
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mallee.catalogue import load_models
from mallee.core.device_model import DeviceModel, Protocol
from mallee.core.errors import DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.core.identity import Identity
from mallee.drivers.modbus.codec import READ_MAX
from mallee.drivers.sunspec import SunSpecDriver
from mallee.drivers.sunspec.layout import plan_blocks

END = [0xFFFF, 0]
NO_INT16, NO_UINT16 = 0x8000, 0xFFFF


def text(value: str, registers: int) -> list[int]:
    data = value.encode().ljust(2 * registers, b"\0")
    return list(struct.unpack(f">{registers}H", data))


def words(layout: str, *values: float | bytes) -> list[int]:
    data = struct.pack(f">{layout}", *values)
    return list(struct.unpack(f">{len(data) // 2}H", data))


COMMON = [1, 66, *text("Acme", 16), *text("M-9", 16), *text("", 8), *text("2.1", 8)]
COMMON += [*text("SN-42", 16), 1, 0]


def meter() -> list[int]:
    """Model 203 of a fictional meter, register by register."""
    body = [0] * 105
    body[0:4] = words("4h", 3609, 1203, 1203, 1203)  # A, phases
    body[4] = 0xFFFF  # A_SF = -1
    body[5:13] = words("8h", 277, 277, 277, 277, 480, 480, 480, 480)
    body[13] = 0  # V_SF
    body[14], body[15] = 5997, 0xFFFE  # Hz, Hz_SF = -2
    body[16] = words("h", -2995)[0]  # W
    body[20] = 2  # W_SF
    body[21], body[25] = 3001, 2  # VA, VA_SF
    body[26], body[30] = NO_INT16, 2  # VAR not implemented
    body[36:38] = words("I", 0)  # TotWhExp: a fresh counter
    body[44:46] = words("I", 70_001)  # TotWhImp
    body[52] = 1  # TotWh_SF
    return [203, 105, *body]


@dataclass
class Bench:
    """A plain Modbus server and what it was asked."""

    address: str
    reads: list[tuple[int, int]] = field(default_factory=list)
    writes: list[tuple[int, list[int]]] = field(default_factory=list)
    decline: ExcCodes | None = None


@contextlib.asynccontextmanager
async def serving(base: int, registers: list[int]) -> AsyncIterator[Bench]:
    bench = Bench("")

    async def watch(
        _function: int,
        _start: int,
        address: int,
        count: int,
        _words: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if values is None:
            bench.reads.append((address, count))
            return None
        bench.writes.append((address, [int(v) for v in values]))
        return bench.decline

    block = SimData(base, values=registers, datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(1, block, action=watch), address=("127.0.0.1", 0))
    assert await server.listen()
    port = cast(asyncio.Server, server.transport).sockets[0].getsockname()[1]
    bench.address = f"127.0.0.1:{port}"
    try:
        yield bench
    finally:
        server.close()


def model(name: str, **changes: float) -> DeviceModel:
    """A catalogue model with a short timeout."""
    entry = load_models()[name]
    protocol = msgspec.structs.replace(entry.protocol["sunspec"], **({"timeout_s": 0.4} | changes))
    protocols: dict[str, Protocol] = {"sunspec": protocol}
    return msgspec.structs.replace(entry, protocol=protocols)


def run(
    name: str,
    registers: list[int],
    story: Callable[[SunSpecDriver, Bench], Awaitable[None]],
    base: int = 40000,
) -> None:
    async def main() -> None:
        async with serving(base, [*words("4s", b"SunS"), *registers]) as bench:
            driver = SunSpecDriver(model(name), bench.address)
            await story(driver, bench)
            await driver.close()

    asyncio.run(main())


@pytest.mark.parametrize("base", [40000, 0, 50000])
def test_a_meter(base: int) -> None:
    async def story(driver: SunSpecDriver, bench: Bench) -> None:
        await driver.open()
        wanted = Identity(manufacturer="Acme", model="M-9", firmware="2.1", serial="SN-42")
        assert await driver.identify() == wanted
        assert driver.absent == ()
        bench.reads.clear()
        values = await driver.read()
        readings = dict(zip([point.name for point in driver.points], values, strict=True))
        assert math.isnan(readings.pop("reactive_var"))
        assert readings == {
            "import_w": -299_500,
            "apparent_va": 300_100,
            "voltage_v": 480,
            "current_a": pytest.approx(120.3),
            "frequency_hz": 59.97,
            "import_energy_wh": 700_010,
            "export_energy_wh": 0,
        }
        assert len(bench.reads) == 1

    run("grid-meter-sunspec", [*COMMON, *meter(), *END], story, base)


def battery_controls() -> list[int]:
    """Models 704, an unknown vendor model, and 715."""
    controls = [0] * 65
    controls[53] = 2  # WSet_SF
    return [*COMMON, 704, 65, *controls, 64999, 3, 1, 2, 3, 715, 7, *[0] * 7, *END]


WSET_ENA = 40000 + 2 + 68 + 22  # marker, common model, place in 704
HEARTBEAT = 40000 + 2 + 68 + 67 + 5 + 5


def test_a_set_point_is_written_with_its_timer_first_and_value_and_enable_together() -> None:
    async def story(driver: SunSpecDriver, bench: Bench) -> None:
        await driver.write("charge_set_w", 1_234_567.0, 4.2)
        # 5 s; then enabled, in watts, discharge positive in hundreds of watts
        assert bench.writes == [
            (WSET_ENA + 9, [0, 5]),
            (WSET_ENA, [1, 1, *words("i", -12_346)]),
        ]
        bench.writes.clear()
        await driver.write("heartbeat_count", 70_000, 10)
        assert bench.writes == [(HEARTBEAT, [1, 70_000 - 65_536])]

    run("megapack-2h", battery_controls(), story)


def test_a_set_point_without_a_timer_is_written_all_the_same() -> None:
    registers = battery_controls()
    timer = WSET_ENA + 9 - 40_002
    registers[timer : timer + 2] = [0xFFFF, 0xFFFF]  # WSetRvrtTms is not implemented

    async def story(driver: SunSpecDriver, bench: Bench) -> None:
        await driver.write("charge_set_w", 5000, 10)
        assert bench.writes == [(WSET_ENA, [1, 1, *words("i", -50)])]

    run("megapack-2h", registers, story)


def test_points_that_a_device_lacks_are_nan_and_cannot_be_written() -> None:
    async def story(driver: SunSpecDriver, bench: Bench) -> None:
        values = await driver.read()
        present = [p.name for p, v in zip(driver.points, values, strict=True) if not math.isnan(v)]
        assert present == ["charge_set_w", "heartbeat_count"]
        assert "soc" in driver.absent
        with pytest.raises(Rejected, match=r"mode = 1: the device does not serve 64901\.Mode"):
            await driver.write("mode", 1, 10)
        with pytest.raises(Rejected, match="soc = 1: no settable point; there are charge_set_w"):
            await driver.write("soc", 1, 10)
        assert bench.writes == []

    run("megapack-2h", battery_controls(), story)


def test_declined_values() -> None:
    async def story(driver: SunSpecDriver, bench: Bench) -> None:
        with pytest.raises(Rejected, match=r"charge_set_w = 1e\+12: 704\.WSet cannot carry it"):
            await driver.write("charge_set_w", 1e12, 10)
        with pytest.raises(Rejected, match="charge_set_w = nan"):
            await driver.write("charge_set_w", math.nan, 10)
        assert bench.writes == []
        bench.decline = ExcCodes.ILLEGAL_VALUE
        expected = rf"{bench.address}: megapack-2h charge_set_w = 5000: declined by the device.*3,"
        with pytest.raises(Rejected, match=expected):
            await driver.write("charge_set_w", 5000, 10)
        bench.decline = ExcCodes.DEVICE_BUSY
        with pytest.raises(Unreachable, match="busy"):
            await driver.write("charge_set_w", 5000, 10)

    run("megapack-2h", battery_controls(), story)


@pytest.mark.parametrize(
    ("registers", "message"),
    [
        ([*COMMON, *END], "serves models 1, none of the points of grid-meter-sunspec"),
        ([*COMMON, 203, 0, *END], "model chain is broken at model 203, length 0"),
        ([*COMMON, 203, 0xF000, *END], "model chain is broken at model 203, length 61440"),
        ([*COMMON, 203], "serves models 1, none of the points"),
    ],
)
def test_a_map_that_makes_no_sense(registers: list[int], message: str) -> None:
    async def story(driver: SunSpecDriver, _bench: Bench) -> None:
        with pytest.raises(Malformed, match=message):
            await driver.open()

    run("grid-meter-sunspec", registers, story)


def test_modbus_without_sunspec() -> None:
    async def main() -> None:
        async with serving(100, [1, 2, 3]) as bench:
            driver = SunSpecDriver(model("grid-meter-sunspec"), bench.address)
            with pytest.raises(Malformed, match="no SunSpec marker at registers 40000, 0, 50000"):
                await driver.open()
            await driver.close()

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", Unreachable),
        (None, Unreachable),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Malformed),
        (bytes.fromhex("0001 0000 0003 01 83 01"), Refused),
        (bytes.fromhex("0009 0000 0003 01 83 02"), Unreachable),
    ],
    ids=["silent", "hangs up", "not Modbus", "denied", "answers something else"],
)
def test_what_a_stranger_may_answer(answer: bytes | None, kind: type[DeviceError]) -> None:
    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(12)
        if answer is not None:
            writer.write(answer)
            await reader.read(1)
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(stranger, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        driver = SunSpecDriver(model("grid-meter-sunspec"), f"127.0.0.1:{port}")
        with pytest.raises(kind, match=f"127.0.0.1:{port}"):
            await driver.read()
        with pytest.raises(DeviceError, match=f"127.0.0.1:{port}"):
            await driver.read()
        await driver.close()
        server.close()
        with pytest.raises(Unreachable):
            await driver.read()

    asyncio.run(main())


def test_a_device_that_comes_back_with_another_map_is_read_anew() -> None:
    async def main() -> None:
        async with serving(40000, [*words("4s", b"SunS"), *COMMON, *meter(), *END]) as bench:
            driver = SunSpecDriver(model("grid-meter-sunspec"), bench.address)
            before = await driver.read()
        with pytest.raises(Unreachable):
            await driver.read()
        async with serving(0, [*words("4s", b"SunS"), *meter(), *END]) as other:
            host, port = other.address.split(":")
            gateway = driver._client._gateway
            gateway.host, gateway.port = host, int(port)
            after = await driver.read()
            assert list(after[:1]) == list(before[:1])
            await driver.close()

    asyncio.run(main())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 16)), min_size=1, max_size=40))
def test_blocks_cover_everything_and_are_never_too_large(ranges: list[tuple[int, int]]) -> None:
    blocks = plan_blocks(ranges)
    assert all(1 <= count <= READ_MAX for _, count in blocks)
    for start, count in ranges:
        assert any(a <= start and start + count <= a + n for a, n in blocks)
    assert all(a + n <= b + m and a < b for (a, n), (b, m) in itertools.pairwise(blocks))
