"""OCPP 1.6 against the charge point class of the ``ocpp`` package, and habits of 1.6 stations."""

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar, cast

import msgspec
import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from mallee.catalogue import load_models
from mallee.core.device_model import DeviceModel
from mallee.core.errors import DeviceError, Malformed, Unreachable
from mallee.drivers.ocpp import OcppCentral, OcppDriver
from mallee.drivers.ocpp.codec import limit_profile
from mallee.drivers.ocpp.v16 import profile_16, to_201

Handler = TypeVar("Handler", bound=Callable[..., Any])
NOW = "2026-11-20T09:30:00Z"


def handles(action: str) -> Callable[[Handler], Handler]:
    return cast(Callable[[Handler], Handler], on(action))


def model() -> DeviceModel:
    entry = load_models()["charger-post-150kw"]
    options = {"version": "1.6", "evses": 1}
    protocol = msgspec.structs.replace(entry.protocol["ocpp"], options=options)
    return msgspec.structs.replace(entry, protocol={"ocpp": protocol})


class Post(ChargePoint):  # type: ignore[misc]  # the package has no types
    """A 1.6 post; `unit` is the only one that it knows for limits."""

    def __init__(self, socket: ClientConnection, unit: str) -> None:
        super().__init__("post", socket, response_timeout=5)
        self.unit = unit
        self.profiles: dict[int, dict[str, Any]] = {}
        self.settings: dict[str, str] = {}

    @handles("SetChargingProfile")
    def set_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        schedule = cs_charging_profiles["charging_schedule"]
        if schedule["charging_rate_unit"] != self.unit or connector_id != 0:
            return call_result.SetChargingProfile(status="Rejected")
        plain = json.loads(json.dumps(cs_charging_profiles, default=float))  # Decimal limits
        self.profiles[plain["stack_level"]] = plain
        return call_result.SetChargingProfile(status="Accepted")

    @handles("GetCompositeSchedule")
    def composite(self, connector_id: int, duration: int, charging_rate_unit: str = "W") -> Any:
        if charging_rate_unit != self.unit or not self.profiles:
            return call_result.GetCompositeSchedule(status="Rejected")
        schedule = self.profiles[max(self.profiles)]["charging_schedule"]
        return call_result.GetCompositeSchedule(
            status="Accepted",
            connector_id=connector_id,
            schedule_start=NOW,
            charging_schedule=schedule | {"duration": duration},
        )

    @handles("ChangeConfiguration")
    def change(self, key: str, value: str) -> Any:
        self.settings[key] = value
        return call_result.ChangeConfiguration(status="Accepted")

    async def report(self, power_w: float) -> None:
        boot = call.BootNotification(charge_point_model="P150", charge_point_vendor="Acme")
        assert (await self.call(boot)).status == "Accepted"
        status = call.StatusNotification(connector_id=1, error_code="NoError", status="Charging")
        await self.call(status)
        start = call.StartTransaction(connector_id=1, id_tag="x", meter_start=0, timestamp=NOW)
        begun = await self.call(start)
        assert begun.id_tag_info["status"] == "Accepted"
        phases = [
            {"value": str(power_w / 3), "measurand": "Power.Active.Import", "unit": "W", "phase": p}
            for p in ("L1", "L2", "L3")
        ]
        for connector in (0, 1):
            values = call.MeterValues(
                connector_id=connector,
                transaction_id=begun.transaction_id if connector else None,
                meter_value=[{"timestamp": NOW, "sampled_value": phases}],
            )
            await self.call(values)


@contextlib.asynccontextmanager
async def connected(unit: str = "W") -> AsyncIterator[tuple[OcppDriver, Post]]:
    central = OcppCentral("127.0.0.1", 0)
    driver = central.charger("post", model(), standing_limit_w=100e3)
    await central.open()
    offered = [Subprotocol("ocpp2.0.1"), Subprotocol("ocpp1.6")]
    async with connect(f"ws://{central.address}/post", subprotocols=offered) as socket:
        assert socket.subprotocol == "ocpp1.6", "what the model says, not what is offered first"
        post = Post(socket, unit)
        task = asyncio.create_task(post.start())
        try:
            yield driver, post
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await task
    await central.close()


def told(unit: str, story: Callable[[OcppDriver, Post], Awaitable[None]]) -> None:
    async def main() -> None:
        async with connected(unit) as (driver, post):
            await story(driver, post)

    asyncio.run(main())


def reading(driver: OcppDriver, values: Any, name: str) -> float:
    return float(values[[point.name for point in driver.points].index(name)])


async def until(driver: OcppDriver, name: str, wanted: float, rel: float = 1e-6) -> None:
    async with asyncio.timeout(20.0):
        while True:
            with contextlib.suppress(DeviceError):
                if reading(driver, await driver.read(), name) == pytest.approx(wanted, rel=rel):
                    return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("unit", "periods"), [("W", 60e3), ("A", 86.9)])
def test_a_limit_is_set_in_the_unit_that_the_station_knows(unit: str, periods: float) -> None:
    async def story(driver: OcppDriver, post: Post) -> None:
        await post.report(45e3)
        await until(driver, "power_w", 45e3)
        assert (await driver.identify()).model == "P150"
        await until(driver, "limit_w", 100e3, 1e-3)  # the standing one, installed after it booted
        await driver.write("limit_w", 60e3, 30.0)
        await until(driver, "limit_w", 60e3)
        lease = post.profiles[1]
        assert lease["charging_schedule"]["duration"] == 30
        assert lease["charging_profile_purpose"] == "ChargePointMaxProfile"
        (period,) = lease["charging_schedule"]["charging_schedule_period"]
        assert period["limit"] == periods
        assert post.profiles[0]["stack_level"] == 0, "what it falls back to"
        assert post.settings["MeterValueSampleInterval"] == "1"

    told(unit, story)


def test_a_limit_in_amperes_is_never_more_than_what_was_wanted() -> None:
    from datetime import UTC, datetime

    for limit_w in (0.0, 1.0, 11e3, 60e3, 149_999.0):
        request = profile_16(limit_profile(limit_w, 30.0, datetime.now(UTC)), "A")
        schedule = request["csChargingProfiles"]["chargingSchedule"]
        amperes = schedule["chargingSchedulePeriod"][0]["limit"]
        assert amperes * 3 * 230.0 <= limit_w + 1e-6
        assert amperes * 3 * 230.0 >= limit_w - 69.0 - 1e-6


@pytest.mark.parametrize(
    ("status", "occupied"),
    [("Available", 0.0), ("Preparing", 1.0), ("SuspendedEV", 1.0), ("charging", 1.0),
     ("Finishing", 1.0), ("Faulted", 0.0), ("Unavailable", 0.0)],
)  # fmt: skip
def test_states_of_a_connector(status: str, occupied: float) -> None:
    """Some stations leave out the error code and the time, or write states in small letters."""
    _, payload = to_201("StatusNotification", {"connectorId": 1, "status": status})
    assert (payload["connectorStatus"] == "Occupied") == bool(occupied)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StatusNotification", {"connectorId": 1}),
        ("StatusNotification", {"connectorId": "one", "status": "Charging"}),
        ("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": NOW}]}),
        ("MeterValues", {"connectorId": 1, "meterValue": 7}),
        ("BootNotification", {}),
    ],
)
def test_a_message_that_lacks_what_is_needed_is_malformed(action: str, payload: Any) -> None:
    with pytest.raises(Malformed, match=action):
        to_201(action, payload)


def test_signed_and_odd_samples_are_no_readings() -> None:
    sampled = [
        {"value": "8a7f", "format": "SignedData"},
        {"value": "7.2", "unit": "kWh"},
        {"value": 41, "measurand": "SoC"},
    ]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": NOW, "sampledValue": sampled}]}
    _, found = to_201("MeterValues", payload)
    (value,) = found["meterValue"]
    units = [one["unitOfMeasure"]["unit"] for one in value["sampledValue"]]
    assert units == ["kWh", "Percent"]


def test_one_odd_message_does_not_blind_the_station() -> None:
    async def story(driver: OcppDriver, post: Post) -> None:
        await post.report(45e3)
        await post._connection.send(json.dumps([2, "odd", "MeterValues", {"connectorId": None}]))
        await until(driver, "power_w", 45e3)

    told("W", story)


def test_a_station_of_another_version_is_turned_away_with_words() -> None:
    async def main() -> None:
        central = OcppCentral("127.0.0.1", 0)
        driver = central.charger("post", model())
        await central.open()
        url = f"ws://{central.address}/post"
        with pytest.raises(InvalidStatus):
            async with connect(url, subprotocols=[Subprotocol("ocpp2.0.1")]):
                pass
        with pytest.raises(Malformed, match=r"speaks ocpp2\.0\.1, not ocpp1\.6"):
            await driver.read()
        await central.close()

    asyncio.run(main())


def test_a_station_that_never_dialled_in_is_unreachable() -> None:
    async def main() -> None:
        driver = OcppCentral("127.0.0.1", 0).charger("post", model())
        with pytest.raises(Unreachable):
            await driver.identify()
        assert math.isnan(driver.memory.heard_s)

    asyncio.run(main())


def test_the_twin_s_post_dials_in_and_obeys() -> None:
    import numpy as np

    from mallee.emulators.device import EmulatedDevice, Place
    from mallee.emulators.ocpp import SERVE

    entry = load_models()["charger-post-150kw-16"]
    written: list[tuple[str, float, float]] = []
    values = np.full(len(entry.point), np.nan)
    for name, value in (("power_w", 72e3), ("evse1_power_w", 72e3), ("evse1_soc", 0.4)):
        values[entry.index[name]] = value
    device = EmulatedDevice("post", entry, values, lambda *one: written.append(one))

    async def main() -> None:
        central = OcppCentral("127.0.0.1", 0)
        driver = central.charger("post", entry, standing_limit_w=150e3)
        await central.open()
        port = int(central.address.rpartition(":")[2])
        running = await SERVE(Place(host="127.0.0.1", port=port), {"post": device})
        await until(driver, "evse1_power_w", 72e3)
        await until(driver, "occupied_count", 1.0)
        await until(driver, "limit_w", 150e3)
        await driver.write("limit_w", 80e3, 30.0)
        await until(driver, "limit_w", 80e3)
        name, limit_w, lease_s = written[-1]
        assert (name, limit_w) == ("limit_w", 80e3)
        assert 20.0 < lease_s <= 30.0
        await running.close()
        await central.close()

    asyncio.run(main())
