"""The central system against the charge point class of the ``ocpp`` package and raw WebSockets."""

import asyncio
import base64
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import msgspec
import pytest
from ocpp.exceptions import SecurityError
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from mallee.catalogue import load_models
from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError, DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.core.identity import Identity
from mallee.drivers.driver import Login
from mallee.drivers.ocpp import OcppCentral, OcppDriver
from mallee.drivers.ocpp.session import ODD_MAX

Handler = TypeVar("Handler", bound=Callable[..., Any])


def handles(action: str) -> Callable[[Handler], Handler]:
    return cast(Callable[[Handler], Handler], on(action))


def model(timeout_s: float = 5.0) -> DeviceModel:
    entry = load_models()["charger-cabinet-8x250kw"]
    protocol = msgspec.structs.replace(entry.protocol["ocpp"], timeout_s=timeout_s)
    return msgspec.structs.replace(entry, protocol={"ocpp": protocol})


class Peer(ChargePoint):  # type: ignore[misc]  # the package has no types
    """A station with one profile slot a stack level, as somebody else would write it."""

    def __init__(self, identity: str, socket: ClientConnection) -> None:
        super().__init__(identity, socket, response_timeout=2)
        self.profiles: dict[int, dict[str, Any]] = {}
        self.limits: list[float] = []
        self.deny = False

    @handles("SetChargingProfile")
    def set_profile(self, evse_id: int, charging_profile: dict[str, Any], **_: Any) -> Any:
        if self.deny:
            raise SecurityError
        limit = charging_profile["charging_schedule"][0]["charging_schedule_period"][0]["limit"]
        if evse_id != 0 or limit > 900e3:
            info = {"reason_code": "TooMuch", "additional_info": "cable"}
            return call_result.SetChargingProfile(status="Rejected", status_info=info)
        self.profiles[charging_profile["stack_level"]] = charging_profile
        self.limits.append(limit)
        return call_result.SetChargingProfile(status="Accepted")

    @handles("GetCompositeSchedule")
    def composite(self, duration: int, evse_id: int, **_: Any) -> Any:
        now = datetime.now(UTC)
        valid = [
            profile
            for _, profile in sorted(self.profiles.items())
            if "valid_to" not in profile or datetime.fromisoformat(profile["valid_to"]) > now
        ]
        if not valid:
            return call_result.GetCompositeSchedule(status="Rejected")
        schedule = {
            "evse_id": evse_id,
            "duration": duration,
            "schedule_start": now.isoformat(),
            "charging_rate_unit": "W",
            "charging_schedule_period": valid[-1]["charging_schedule"][0][
                "charging_schedule_period"
            ],
        }
        return call_result.GetCompositeSchedule(status="Accepted", schedule=schedule)

    async def say(self, request: Any) -> Any:
        return await self.call(request, suppress=False)

    async def boot(self) -> Any:
        station = {"model": "M", "vendor_name": "Acme", "firmware_version": "7"}
        return await self.say(call.BootNotification(charging_station=station, reason="PowerUp"))

    async def status(self, evse: int, status: str) -> None:
        now = datetime.now(UTC).isoformat()
        await self.say(
            call.StatusNotification(
                timestamp=now, connector_status=status, evse_id=evse, connector_id=1
            )
        )

    async def meter(self, evse: int, **readings: float) -> None:
        units = {"SoC": "Percent", "Energy.Active.Import.Register": "Wh"}
        samples = [
            {
                "value": value,
                "measurand": name.replace("_", "."),
                "unit_of_measure": {"unit": units.get(name.replace("_", "."), "W")},
            }
            for name, value in readings.items()
        ]
        value = {"timestamp": datetime.now(UTC).isoformat(), "sampled_value": samples}
        await self.say(call.MeterValues(evse_id=evse, meter_value=[value]))


@contextlib.asynccontextmanager
async def dialled(
    central: OcppCentral, identity: str = "ev1", password: str = "", protocol: str = "ocpp2.0.1"
) -> AsyncIterator[Peer]:
    token = base64.b64encode(f"{identity}:{password}".encode()).decode()
    async with connect(
        f"ws://{central.address}/{identity}",
        subprotocols=[Subprotocol(protocol)],
        additional_headers={"Authorization": f"Basic {token}"} if password else {},
        proxy=None,
    ) as socket:
        peer = Peer(identity, socket)
        listening = asyncio.create_task(peer.start())
        try:
            yield peer
        finally:
            await socket.close()
            with contextlib.suppress(ConnectionClosed):
                await listening


def run(
    story: Callable[[OcppCentral, OcppDriver], Awaitable[None]],
    timeout_s: float = 5.0,
    login: Login | None = None,
    standing_limit_w: float | None = None,
) -> None:
    async def main() -> None:
        central = OcppCentral("127.0.0.1", 0)
        driver = central.charger("ev1", model(timeout_s), login, standing_limit_w)
        await driver.open()
        try:
            await story(central, driver)
        finally:
            await central.close()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition is in another protocol's hands
            await asyncio.sleep(0.01)


async def named(driver: OcppDriver) -> dict[str, float]:
    values = await driver.read()
    return dict(zip([point.name for point in driver.points], values.tolist(), strict=True))


def test_what_a_station_says_becomes_readings() -> None:
    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        with pytest.raises(Unreachable, match=f"ev1: not dialled in to ws://{central.address}/ev1"):
            await driver.read()
        async with dialled(central) as peer:
            answer = await peer.boot()
            assert answer.status == "Accepted"
            assert answer.interval == 2
            for evse in range(1, 9):
                await peer.status(evse, "Occupied" if evse == 3 else "Available")
            await peer.meter(0, Power_Active_Import=120e3, Energy_Active_Import_Register=5e6)
            await peer.meter(3, Power_Active_Import=119e3, SoC=45)
            readings = await named(driver)
            wanted = Identity(manufacturer="Acme", model="M", firmware="7")
            assert await driver.identify() == wanted
            assert readings["power_w"] == 120e3
            assert readings["energy_wh"] == 5e6
            assert readings["occupied_count"] == 1
            assert readings["evse3_power_w"] == 119e3
            assert readings["evse3_soc"] == pytest.approx(0.45)
            assert readings["evse4_power_w"] == 0
            assert math.isnan(readings["evse4_soc"])
            assert math.isnan(readings["offered_w"])
        await until(lambda: driver._session is None)
        with pytest.raises(Unreachable, match="not dialled in"):
            await driver.read()

    run(story)


def test_a_station_without_a_meter_of_its_own_is_the_sum_of_its_evses() -> None:
    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        async with dialled(central) as peer:
            for evse in range(1, 8):
                await peer.status(evse, "Available")
            await peer.status(8, "Occupied")
            assert math.isnan((await named(driver))["power_w"])
            now = datetime.now(UTC).isoformat()
            sampled = {"value": 80, "measurand": "Power.Active.Import"}
            sampled["unit_of_measure"] = {"unit": "kW"}
            await peer.say(
                call.TransactionEvent(
                    event_type="Updated",
                    timestamp=now,
                    trigger_reason="MeterValuePeriodic",
                    seq_no=1,
                    transaction_info={"transaction_id": "t"},
                    evse={"id": 8},
                    meter_value=[{"timestamp": now, "sampled_value": [sampled]}],
                )
            )
            assert (await named(driver))["power_w"] == 80e3

    run(story)


def test_the_standing_limit_is_installed_and_a_leased_one_ends_by_itself() -> None:
    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        async with dialled(central) as peer:
            await peer.boot()
            await until(lambda: peer.limits == [90e3])
            await driver.write("limit_w", 300e3, 0.7)
            assert peer.limits == [90e3, 300e3]
            assert (await named(driver))["limit_w"] == 300e3
            peer.profiles[1]["valid_to"] = datetime.now(UTC).isoformat()  # time flies
            await driver.write("limit_w", 80e3, 0)
            assert (await named(driver))["limit_w"] == 80e3
        async with dialled(central) as again:
            await again.boot()  # it comes back empty
            await until(lambda: again.limits[-1:] == [80e3])  # after what is left of the lease

    run(story, standing_limit_w=90e3)


def test_declined_limits() -> None:
    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        with pytest.raises(Unreachable, match="not dialled in"):
            await driver.write("limit_w", 1, 10)
        async with dialled(central) as peer:
            await peer.boot()
            with pytest.raises(Rejected, match=r"ev1: limit_w = 950000: .*TooMuch cable.* 0\.\.1e"):
                await driver.write("limit_w", 950e3, 10)
            for value in (-1.0, math.nan, math.inf):
                with pytest.raises(Rejected, match=r"outside 0\.\.1e\+06"):
                    await driver.write("limit_w", value, 10)
            with pytest.raises(Rejected, match="no settable point; there are limit_w"):
                await driver.write("power_w", 1, 10)
            assert peer.limits == []
            peer.deny = True
            with pytest.raises(Refused, match="SetChargingProfile fails with SecurityError"):
                await driver.write("limit_w", 100e3, 10)
            with pytest.raises(Refused):
                await driver.read()
            peer.deny = False
            await driver.write("limit_w", 100e3, 10)
            assert (await named(driver))["limit_w"] == 100e3

    run(story)


def test_silence_is_noticed_and_forgiven() -> None:
    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        async with dialled(central) as peer:
            await peer.boot()
            await peer.meter(0, Power_Active_Import=1e3)
            assert (await named(driver))["power_w"] == 1e3
            await asyncio.sleep(0.6)
            with pytest.raises(Unreachable, match=r"ev1: silent for 0\.\d s"):
                await driver.read()
            await peer.say(call.Heartbeat())
            assert math.isnan((await named(driver))["power_w"])  # heard, but the reading is old

    run(story, timeout_s=0.5)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ("nonsense", "a frame is not JSON"),
        ('[2,"1","MeterValues",{"evseId":1}]', "ev1: MeterValues: payload"),
    ],
)
def test_garbage_marks_the_charger_until_it_makes_sense_again(frame: str, message: str) -> None:
    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        async with dialled(central) as peer:
            await peer.boot()
            for _ in range(ODD_MAX):
                await peer._connection.send(frame)
            await until(lambda: driver.memory.trouble is not None)
            with pytest.raises(Malformed, match=message):
                await driver.read()
            await peer.say(call.Heartbeat())
            await driver.read()

    run(story)


def test_passwords_strangers_and_other_protocols() -> None:
    login = Login("ev1", "correct horse")

    async def attempt(central: OcppCentral, status: int, **how: str) -> None:
        with pytest.raises(InvalidStatus) as caught:
            async with dialled(central, **how):
                pass
        assert caught.value.response.status_code == status

    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        kinds: list[tuple[int, dict[str, str], type[DeviceError], str]] = [
            (401, {"password": "wrong"}, Refused, "wrong password"),
            (401, {}, Refused, "wrong password"),
            (400, {"protocol": "ocpp1.6"}, Malformed, "speaks ocpp1.6, not ocpp2.0.1"),
        ]
        for status, how, kind, message in kinds:
            await attempt(central, status, **how)
            with pytest.raises(kind, match=message):
                await driver.read()
        await attempt(central, 404, identity="ev9")
        assert central.strangers == {"ev9"}
        async with dialled(central, password=login.password) as peer:
            await peer.boot()
            await attempt(central, 401, password="wrong")
            await driver.read()

    run(story, login=login)


def test_a_charger_that_dials_in_twice_is_the_newer_one() -> None:
    async def story(central: OcppCentral, driver: OcppDriver) -> None:
        async with dialled(central) as old:
            await old.boot()
            async with dialled(central) as new:
                await new.boot()
                await driver.write("limit_w", 50e3, 10)
                assert (old.limits, new.limits) == ([], [50e3])
                await driver.read()

    run(story)


def test_a_port_that_is_taken() -> None:
    async def story(central: OcppCentral, _driver: OcppDriver) -> None:
        port = int(central.address.split(":")[1])
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}: cannot listen for chargers"):
            await OcppCentral("127.0.0.1", port).open()

    run(story)
