"""The emulated charging station, judged by the ``ocpp`` package as its central system."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import msgspec
import numpy as np
import pytest
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from mallee.catalogue import load_models
from mallee.core.errors import Malformed, Refused, Rejected, Unreachable
from mallee.drivers.driver import Driver, Login
from mallee.drivers.ocpp import OcppCentral, OcppDriver
from mallee.emulators.device import EmulatedDevice
from mallee.emulators.ocpp.charger import run_charger

Handler = TypeVar("Handler", bound=Callable[..., Any])
VALUES = {
    "power_w": 402_000.0,
    "energy_wh": 1e9,
    "occupied_count": 2.0,
    "evse1_power_w": 250_000.0,
    "evse1_soc": 0.31,
    "evse2_power_w": 0.0,
    "evse2_soc": 1.0,
    "offered_w": 500_000.0,
}


def handles(action: str) -> Callable[[Handler], Handler]:
    return cast(Callable[[Handler], Handler], on(action))


@dataclass
class Bench:
    """A station with a memory."""

    device: EmulatedDevice
    writes: list[tuple[str, float, float]] = field(default_factory=list)
    declined: str = ""

    def put(self, point: str, value: float) -> None:
        self.device.values[self.device.model.index[point]] = value

    def write(self, point: str, value: float, lease_s: float) -> None:
        if self.declined:
            raise Rejected(self.declined)
        self.writes.append((point, value, lease_s))
        self.put(point, value)


def bench_of(timeout_s: float = 5.0) -> Bench:
    entry = load_models()["charger-cabinet-8x250kw"]
    protocol = msgspec.structs.replace(entry.protocol["ocpp"], timeout_s=timeout_s)
    model = msgspec.structs.replace(entry, protocol={"ocpp": protocol})
    values = np.array([VALUES.get(point.name, math.nan) for point in model.point])
    bench = Bench(EmulatedDevice("ev1", model, values, lambda *_: None))
    bench.device.write = bench.write
    return bench


class Judge(ChargePoint):  # type: ignore[misc]  # the package has no types
    """The package's own side of a central system; it checks every message by its schema."""

    def __init__(self, identity: str, socket: ServerConnection) -> None:
        super().__init__(identity, socket, response_timeout=2)
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def _note(self, name: str, fields: dict[str, Any]) -> None:
        self.seen.append((name, fields))

    @handles("BootNotification")
    def boot(self, **fields: Any) -> Any:
        self._note("boot", fields)
        now = datetime.now(UTC).isoformat()
        return call_result.BootNotification(current_time=now, interval=10, status="Accepted")

    @handles("StatusNotification")
    def status(self, **fields: Any) -> Any:
        self._note("status", fields)
        return call_result.StatusNotification()

    @handles("TransactionEvent")
    def transaction(self, **fields: Any) -> Any:
        self._note("transaction", fields)
        return call_result.TransactionEvent()

    @handles("MeterValues")
    def meter(self, **fields: Any) -> Any:
        self._note("meter", fields)
        return call_result.MeterValues()

    def of(self, name: str, **match: Any) -> list[dict[str, Any]]:
        found = [fields for kind, fields in self.seen if kind == name]
        return [f for f in found if all(f[key] == value for key, value in match.items())]

    async def ask(self, request: Any) -> Any:
        return await self.call(request, suppress=False)


@contextlib.asynccontextmanager
async def judged(bench: Bench) -> AsyncIterator[Judge]:
    arrived: asyncio.Future[Judge] = asyncio.get_running_loop().create_future()

    async def welcome(socket: ServerConnection) -> None:
        judge = Judge("ev1", socket)
        arrived.set_result(judge)
        with contextlib.suppress(ConnectionClosed):
            await judge.start()

    subprotocols = [Subprotocol("ocpp2.0.1")]
    async with serve(welcome, "127.0.0.1", 0, subprotocols=subprotocols) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        charger = await run_charger(bench.device, f"ws://127.0.0.1:{port}", "ev1")
        try:
            judge = await asyncio.wait_for(arrived, 5)
            await until(lambda: bool(judge.of("meter", evse_id=2)))
            yield judge
        finally:
            await charger.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition is in another protocol's hands
            await asyncio.sleep(0.01)


def limit(number: int, level: int, limit_w: float, **changes: Any) -> Any:
    schedule = {
        "id": number,
        "start_schedule": datetime.now(UTC).isoformat(),
        "charging_rate_unit": "W",
        "charging_schedule_period": [{"start_period": 0, "limit": limit_w}],
    }
    profile = {
        "id": number,
        "stack_level": level,
        "charging_profile_purpose": "ChargingStationMaxProfile",
        "charging_profile_kind": "Absolute",
        "charging_schedule": [schedule],
    }
    return call.SetChargingProfile(evse_id=0, charging_profile=profile | changes)


def judge(bench: Bench, story: Callable[[Judge], Awaitable[None]]) -> None:
    async def main() -> None:
        async with judged(bench) as central:
            await story(central)

    asyncio.run(main())


def readings(fields: dict[str, Any]) -> dict[str, float]:
    return {s["measurand"]: s["value"] for s in fields["meter_value"][0]["sampled_value"]}


def test_what_it_reports() -> None:
    async def story(central: Judge) -> None:
        assert central.seen[0][0] == "boot"
        assert central.of("boot")[0]["charging_station"]["model"] == "charger-cabinet-8x25"
        states = {s["evse_id"]: s["connector_status"] for s in central.of("status")}
        assert states == {n: "Occupied" if n in {1, 2} else "Available" for n in range(1, 9)}
        started = central.of("transaction", event_type="Started")
        assert [event["evse"]["id"] for event in started] == [1, 2]
        assert readings(central.of("meter", evse_id=0)[0]) == {
            "Power.Active.Import": 402_000,
            "Energy.Active.Import.Register": 1e9,
            "Power.Offered": 500_000,
        }
        assert readings(central.of("meter", evse_id=1)[0]) == {
            "Power.Active.Import": 250_000,
            "SoC": 31,
        }

    judge(bench_of(), story)


def test_a_car_that_leaves() -> None:
    bench = bench_of()

    async def story(central: Judge) -> None:
        bench.put("evse2_soc", math.nan)
        await until(lambda: bool(central.of("transaction", event_type="Ended")))
        event = central.of("transaction", event_type="Ended")[0]
        started = central.of("transaction", event_type="Started")[1]
        assert (
            event["transaction_info"]["transaction_id"]
            == (started["transaction_info"]["transaction_id"])
        )
        assert event["seq_no"] == 1
        assert central.of("status", evse_id=2)[-1]["connector_status"] == "Available"

    judge(bench, story)


def test_profiles_are_obeyed_within_one_message_and_end_by_themselves() -> None:
    bench = bench_of()

    async def story(central: Judge) -> None:
        assert (await central.ask(limit(1, 0, 90e3))).status == "Accepted"
        assert bench.writes == [("limit_w", 90e3, 0.0)]
        end = datetime.now(UTC) + timedelta(seconds=1.0)
        assert (
            await central.ask(limit(2, 1, 300e3, valid_to=end.isoformat()))
        ).status == "Accepted"
        name, value, lease_s = bench.writes[-1]
        assert (name, value) == ("limit_w", 300e3)
        assert 0 < lease_s <= 1.0
        schedule = (await central.ask(call.GetCompositeSchedule(duration=60, evse_id=0))).schedule
        assert [p["limit"] for p in schedule["charging_schedule_period"]] == [300e3, 90e3]
        await until(lambda: bench.writes[-1] == ("limit_w", 90e3, 0.0))
        criteria = {"charging_profile_purpose": "ChargingStationMaxProfile", "stack_level": 0}
        clear = call.ClearChargingProfile(charging_profile_criteria=criteria)
        assert (await central.ask(clear)).status == "Accepted"
        assert (await central.ask(clear)).status == "Unknown"

    judge(bench, story)


def test_nonsense_and_what_the_station_declines() -> None:
    bench = bench_of()

    async def story(central: Judge) -> None:
        answer = await central.ask(limit(1, 0, -5.0))
        assert (answer.status, answer.status_info["reason_code"]) == ("Rejected", "InvalidSchedule")
        assert (await central.ask(limit(1, 0, 90e3))).status == "Accepted"
        bench.declined = "station is locked"
        answer = await central.ask(limit(2, 1, 100e3))
        assert (answer.status, answer.status_info["reason_code"]) == ("Rejected", "InvalidProfile")
        assert "station is locked" in answer.status_info["additional_info"]
        answer = await central.ask(call.GetCompositeSchedule(duration=60, evse_id=0))
        assert answer.schedule["charging_schedule_period"] == [{"start_period": 0, "limit": 90e3}]
        answer = await central.ask(call.GetCompositeSchedule(duration=60, evse_id=3))
        assert answer.status == "Rejected"

    judge(bench, story)


def test_variables() -> None:
    def of(component: str, variable: str, **value: str) -> dict[str, Any]:
        return {"component": {"name": component}, "variable": {"name": variable}, **value}

    async def story(central: Judge) -> None:
        wanted = [
            of("AlignedDataCtrlr", "Interval", attribute_value="2"),
            of("AlignedDataCtrlr", "Interval", attribute_value="0"),
            of("SmartChargingCtrlr", "RateUnit", attribute_value="A"),
            of("SmartChargingCtrlr", "Nothing", attribute_value="1"),
            of("Nothing", "Nothing", attribute_value="1"),
        ]
        answer = await central.ask(call.SetVariables(set_variable_data=wanted))
        assert [result["attribute_status"] for result in answer.set_variable_result] == [
            "Accepted",
            "Rejected",
            "Rejected",
            "UnknownVariable",
            "UnknownComponent",
        ]
        names = [("AlignedDataCtrlr", "Interval"), ("SmartChargingCtrlr", "RateUnit"), ("No", "No")]
        request = call.GetVariables(get_variable_data=[of(*name) for name in names])
        results = (await central.ask(request)).get_variable_result
        assert [result.get("attribute_value") for result in results] == ["2", "W", None]

    judge(bench_of(), story)


def both(
    bench: Bench,
    story: Callable[[OcppCentral, OcppDriver], Awaitable[None]],
    password: str = "",
    login: Login | None = None,
) -> None:
    """The station and Mallee's own central system."""

    async def main() -> None:
        central = OcppCentral("127.0.0.1", 0)
        driver = central.charger("ev1", bench.device.model, login, standing_limit_w=90e3)
        await driver.open()
        url = f"ws://{central.address}"
        charger = await run_charger(bench.device, url, "ev1", password)
        try:
            await story(central, driver)
        finally:
            await charger.close()
            await central.close()

    asyncio.run(main())


async def reading(driver: OcppDriver) -> dict[str, float]:
    """The first reading that is complete."""
    async with asyncio.timeout(5):
        while True:
            with contextlib.suppress(Unreachable, Refused, Malformed):
                values = await driver.read()
                named = dict(zip([p.name for p in driver.points], values.tolist(), strict=True))
                if not math.isnan(named["evse2_soc"] + named["limit_w"]):
                    return named
            await asyncio.sleep(0.02)


async def failing(driver: Driver, kind: type[Exception]) -> None:
    """Wait until reading fails in one way."""
    async with asyncio.timeout(5):
        while True:
            try:
                await driver.read()
            except kind:
                return
            except (Unreachable, Refused, Malformed):
                pass
            await asyncio.sleep(0.02)


def test_the_driver_reads_and_limits_it() -> None:
    bench = bench_of()

    async def story(_central: OcppCentral, driver: OcppDriver) -> None:
        named = await reading(driver)
        assert {name: named[name] for name in VALUES} == pytest.approx(VALUES)
        assert named["limit_w"] == 90e3
        assert named["evse5_power_w"] == 0
        await driver.write("limit_w", 250e3, 0.5)  # whole seconds: 1 s
        assert (await reading(driver))["limit_w"] == 250e3
        assert bench.writes[-1][:2] == ("limit_w", 250e3)
        await until(lambda: bench.writes[-1] == ("limit_w", 90e3, 0.0))
        await until(lambda: driver._limit.value_w == 90e3)
        bench.declined = "station is locked"
        with pytest.raises(Rejected, match=r"limit_w = 100000: the charger declines.*is locked"):
            await driver.write("limit_w", 100e3, 10)

    both(bench, story)


def test_trouble_and_after() -> None:
    bench = bench_of(timeout_s=0.6)
    health = bench.device.health

    async def story(_central: OcppCentral, driver: OcppDriver) -> None:
        await reading(driver)
        health.state = "silent"
        await failing(driver, Unreachable)
        with pytest.raises(Unreachable, match=r"no answer to SetChargingProfile within 0\.6 s"):
            await driver.write("limit_w", 1e5, 10)
        health.state = "garbage"
        await failing(driver, Malformed)
        health.state = "refuse"
        with pytest.raises(Refused, match="SecurityError"):
            await driver.write("limit_w", 1e5, 10)
        with pytest.raises(Refused):
            await driver.read()
        health.state, health.delay_s = "slow", 0.9
        with pytest.raises(Unreachable):
            await driver.write("limit_w", 1e5, 10)
        health.state = "ok"
        await reading(driver)
        await driver.write("limit_w", 1e5, 10)

    both(bench, story)


def test_the_central_system_restarts() -> None:
    bench = bench_of()

    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        await reading(driver)
        central._port = int(central.address.split(":")[1])
        await central.close()
        await asyncio.sleep(0.3)
        assert (await reading(driver))["power_w"] == 402_000

    both(bench, story)


@pytest.mark.slow
def test_a_wrong_password_and_the_right_one() -> None:
    async def denied(_central: OcppCentral, driver: OcppDriver) -> None:
        await failing(driver, Refused)

    async def admitted(_central: OcppCentral, driver: OcppDriver) -> None:
        await reading(driver)

    login = Login("ev1", "secret")
    both(bench_of(), denied, "guess", login)
    both(bench_of(), admitted, "secret", login)
