"""DNP3: our outstation and our master on loopback, and each judged by a program of others."""

import asyncio
import csv
import importlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue import load_models
from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError, DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.core.protocols.dnp3 import Slot, parse_place
from mallee.drivers.dnp3 import Dnp3Driver
from mallee.drivers.dnp3.codec import decode_values
from mallee.drivers.dnp3.driver import Dnp3Channel
from mallee.drivers.driver import Target
from mallee.emulators.device import EmulatedDevice, Place
from mallee.emulators.dnp3 import serve_outstations

MODEL = load_models()["battery-dnp3-2h"]
SHOWN = {
    "charge_w": 120_000.0, "soc": 0.512, "voltage_v": 480.3, "frequency_hz": 59.98,
    "charge_available_w": 1_930_000.0, "discharge_available_w": 1_800_000.0,
    "discharge_energy_wh": 3_000_000_000.0, "charge_set_w": -40_000.0, "set_point_on": 1.0,
    "smoothing_time_s": 620.0, "smoothing_gain": 1.0, "smoothing_on": 1.0,
    "peak_limit_w": 588_000.0, "peak_ratio_frac": 1.0, "peak_on": 0.0,
}  # fmt: skip
POINTS = Path(os.environ.get("MALLEE_SHARED", "../shared")) / "golden/dnp3/an2018_points.csv"


class Bench:
    """A battery whose values stand at `SHOWN`, and what was written to it."""

    def __init__(self, model: DeviceModel = MODEL) -> None:
        self.values: FloatArray = np.full(len(model.point), 20.0)
        self.written: list[tuple[str, float, float]] = []
        self.device = EmulatedDevice("bess1", model, self.values, self._write)
        for name, value in SHOWN.items():
            self.values[model.index[name]] = value

    def _write(self, point: str, value: float, lease_s: float) -> None:
        if point == "charge_set_w" and abs(value) > 1.93e6:
            raise Rejected("beyond its rating")
        self.written.append((point, value, lease_s))
        self.values[self.device.model.index[point]] = value


def served(story: Callable[[Bench, str], Awaitable[None]], *links: int) -> None:
    async def main() -> None:
        bench = Bench()
        devices = {"1": bench.device, **{str(link): Bench().device for link in links}}
        running = await serve_outstations(Place(host="127.0.0.1", port=0), devices)
        try:
            await story(bench, running.address)
        finally:
            await running.close()

    asyncio.run(main())


def by_name(driver: Dnp3Driver, values: FloatArray) -> dict[str, float]:
    return {p.name: float(v) for p, v in zip(driver.points, values, strict=True)}


def test_what_is_shown_is_read() -> None:
    async def story(bench: Bench, address: str) -> None:
        driver = Dnp3Driver(MODEL, address)
        read = by_name(driver, await driver.read())
        assert {name: read[name] for name in SHOWN} == pytest.approx(SHOWN)
        bench.values[MODEL.index["soc"]] = np.nan
        assert np.isnan(by_name(driver, await driver.read())["soc"]), "flagged is no reading"
        await driver.close()

    served(story)


def test_what_is_written_stands_with_its_reversion_timer() -> None:
    async def story(bench: Bench, address: str) -> None:
        driver = Dnp3Driver(MODEL, address)
        await driver.write("charge_set_w", -250_000.4, 4.2)
        await driver.write("smoothing_on", 0.0, 60.0)
        await driver.write("smoothing_gain", 0.85, 60.0)
        assert bench.written == [
            ("charge_set_w", -250_000.0, 5.0),
            ("smoothing_on", 0.0, 0.0),
            ("smoothing_gain", pytest.approx(0.85), 0.0),
        ]
        assert by_name(driver, await driver.read())["charge_set_w"] == -250_000.0
        with pytest.raises(Rejected, match="AO:146 answers out of range"):
            await driver.write("charge_set_w", 2e6, 5.0)
        with pytest.raises(Rejected, match="takes -2147483648"):
            await driver.write("peak_limit_w", 3e9, 5.0)
        with pytest.raises(Rejected, match="no settable point; there are charge_set_w"):
            await driver.write("soc", 0.5, 5.0)
        await driver.close()

    served(story)


@pytest.mark.parametrize(
    ("state", "error"),
    [("silent", Unreachable), ("garbage", DeviceError), ("refuse", Refused)],
)
def test_faults_are_told_apart(state: Any, error: type[DeviceError]) -> None:
    async def story(bench: Bench, address: str) -> None:
        driver = Dnp3Driver(MODEL, address)
        await driver.read()
        bench.device.health.state = state
        with pytest.raises(error, match=address):
            await driver.read()
        bench.device.health.state = "ok"
        assert by_name(driver, await driver.read())["soc"] == pytest.approx(0.512)
        await driver.close()

    served(story)


def test_several_outstations_share_a_line_and_are_not_confused() -> None:
    async def story(bench: Bench, address: str) -> None:
        channel = Dnp3Channel(*_place(address))
        first, other = (
            channel.driver(Target(name=f"bess{link}", model=MODEL, part=str(link)))
            for link in (1, 7)
        )
        bench.values[MODEL.index["soc"]] = 0.25
        read = await asyncio.gather(first.read(), other.read())
        assert by_name(first, read[0])["soc"] == pytest.approx(0.25)
        assert by_name(other, read[1])["soc"] == pytest.approx(0.512)
        absent = channel.driver(Target(name="bess9", model=MODEL, part="9"))
        with pytest.raises(Unreachable):
            await absent.read()
        for driver in (first, other, absent):
            await driver.close()

    served(story, 7)


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


@pytest.mark.parametrize(
    ("at", "what"),
    [("AI537", "no DNP3 point"), ("AI:70000", "at most 65535"), ("AO:120/BI:3", "not read back"),
     ("AI:3/AI:4", "not read back")],
)  # fmt: skip
def test_places_that_are_none_are_refused(at: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_place(at)


def test_a_set_point_at_an_input_is_refused() -> None:
    point = next(point for point in MODEL.point if point.name == "peak_limit_w")
    wrong = msgspec.structs.replace(point, at="AI:182")
    model = msgspec.structs.replace(MODEL, point=[wrong])
    with pytest.raises(ConfigError, match=r"peak_limit_w.*it is an input"):
        Dnp3Driver(model, "127.0.0.1/1")


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=80))
def test_no_answer_breaks_the_master(data: bytes) -> None:
    try:
        values = decode_values([data])
    except (Malformed, Refused):
        return
    assert all(isinstance(slot, Slot) for slot in values)


def test_the_model_is_an2018s() -> None:
    """Indices, tables and read-backs after EPRI's table; null case: one index moved is found."""
    if not POINTS.exists():
        pytest.skip(f"LOUD SKIP: no table of AN2018 points at {POINTS}; set MALLEE_SHARED")
    with POINTS.open(newline="") as file:
        rows = {(row["type"], int(row["index"])): row for row in csv.DictReader(file)}
    words = {
        "smoothing_time_s": "Smoothing Filter Time", "smoothing_gain": "Smoothing Gradient",
        "smoothing_on": "Active Power Smoothing", "peak_limit_w": "Mode #1 Power Threshold",
        "peak_ratio_frac": "Mode #1 Ratio", "peak_on": "Active Power Response Mode #1",
        "charge_set_w": "AGC Active Power Target", "set_point_on": "Automatic Generation Control",
        "charge_w": "System Meter Active Power", "soc": "State of Charge",
        "charge_available_w": "Available Active Charging", "soh": "State of Health",
        "discharge_available_w": "Available Active Generation", "frequency_hz": "Frequency",
    }  # fmt: skip
    own = {point.name: point.at for point in MODEL.point if isinstance(point.at, str)}

    def wrong(at: dict[str, str]) -> list[str]:
        found = []
        for name, text in words.items():
            read = parse_place(at[name]).read
            row = rows.get((read.table, read.index))
            if row is None or text.lower() not in row["name"].lower():
                found.append(name)
        return found

    assert wrong(own) == []
    assert wrong({**own, "peak_limit_w": "AO:120/AI:181"}) == ["peak_limit_w"]


class Foreign:
    """Points of py1815's outstation: what is read, and what was operated."""

    def __init__(self, objects: Any, application: Any, control: Any) -> None:
        self._objects, self._application, self._control = objects, application, control
        self.operated: list[tuple[int, float]] = []

    def read(self, headers: Any) -> bytes:
        """The one point of each header, its value ten times its index; odd ones are not online."""
        out = b""
        for header in headers:
            for index in range(header.start, header.stop + 1):
                out += self._application.object_header(
                    header.group, {30: 5, 20: 1}.get(header.group, 2), start=index, stop=index
                )
                out += self._one(header.group, index)
        return out

    def _one(self, group: int, index: int) -> bytes:
        objects, online = self._objects, int(index % 2 == 0)
        if group == 30:
            point = objects.AnalogPoint(10.0 * index, flags=online)
            return bytes(objects.encode_analog(point, objects.AnalogVariation(5)))
        if group == 20:
            return bytes(objects.encode_counter(objects.CounterPoint(10 * index, flags=1)))
        return bytes(objects.encode_binary(objects.BinaryPoint(True, flags=0x81)))

    def select(self, controls: Any) -> Any:
        return [self._control.CommandStatus.SUCCESS for _ in controls]

    def operate(self, controls: Any) -> Any:
        for one in controls:
            self.operated.append((one.index, getattr(one.command, "value", 1.0)))
        declined = self._control.CommandStatus.AUTOMATION_INHIBIT
        return [declined if one.index == 120 else self._control.CommandStatus.SUCCESS
                for one in controls]  # fmt: skip


def test_somebody_elses_outstation_is_read_and_operated() -> None:
    """py1815's outstation behind our master: float analogs, flags, statuses of its own."""
    server, session = _judge("py1815.server"), _judge("py1815.session")
    foreign = Foreign(
        _judge("py1815.objects"), _judge("py1815.application"), _judge("py1815.control")
    )

    async def main() -> None:
        serving = server.OutstationServer(
            session.Session(
                foreign, control_provider=foreign, outstation_address=1, master_address=100
            ),
            bind="127.0.0.1:0",
        )
        await serving.start()
        driver = Dnp3Driver(MODEL, f"127.0.0.1:{serving.port}")
        read = by_name(driver, await driver.read())
        assert read["charge_available_w"] == -440.0, "AI44, discharge counted positive"
        assert np.isnan(read["soc"]), "AI47 is not online"
        assert read["smoothing_on"] == 1.0
        assert read["charge_energy_wh"] == 10.0
        await driver.write("smoothing_time_s", 620.0, 5.0)
        await driver.write("charge_set_w", 5_000.0, 5.0)
        assert foreign.operated == [(163, 620.0), (145, 5.0), (146, -5_000.0)]
        with pytest.raises(Rejected, match="AO:120 answers automation inhibit"):
            await driver.write("peak_limit_w", 5e5, 5.0)
        await driver.close()
        await serving.stop()

    asyncio.run(main())


def test_somebody_elses_master_reads_and_operates_our_outstation() -> None:
    api = _judge("py1815.master.api")

    async def story(bench: Bench, address: str) -> None:
        host, port = _place(address)
        other = api.Outstation(
            "bess1", host=host, port=port, outstation_address=1, master_address=100, manual=True
        )
        await other.connect()
        await other.integrity_poll()
        assert other.store.analog_input(537).value == -120_000
        assert other.store.analog_input(47).value == 512
        assert other.store.binary_input(76).value is True
        assert other.store.counter(0).value == 3_000_000_000
        done = await other.operate(binary_outputs={24: False}, analog_outputs={163: 300})
        assert done.accepted, done
        done = await other.operate(analog_outputs={145: 30, 146: 250_000}, mode="select")
        assert done.accepted, done
        assert ("charge_set_w", -250_000.0, 30.0) in bench.written
        assert ("smoothing_time_s", 300.0, 0.0) in bench.written
        done = await other.operate(analog_outputs={146: 2_500_000})
        assert not done.accepted, "beyond its rating"
        await other.close()

    served(story)


def _judge(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"LOUD SKIP: {name} is not installed (it is in locks/dev.txt)")
