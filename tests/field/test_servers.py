"""Redfish services as the field has them. Kinds of failure after public reports; own inputs."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from math import isnan
from typing import Any

import pytest
from aiohttp import web

from mallee.core.device_model import ControllerLoss, DeviceModel, PointSpec, Protocol
from mallee.core.errors import Rejected, Unreachable
from mallee.drivers.driver import Login
from mallee.drivers.redfish import RedfishDriver
from mallee.drivers.redfish.walk import find_signals
from mallee.emulators.device import Place
from mallee.emulators.http_service import listen

METRICS = "Chassis/{}/EnvironmentMetrics#/{}"
MODEL = DeviceModel(
    model="two-modules",
    kind="node",
    vendor="Acme",
    product="Node with two capped modules",
    power_max_w=6000.0,
    protocol={"redfish": Protocol(timeout_s=2.0)},
    point=[
        PointSpec(
            name="power_w", protocol="redfish", at=METRICS.format("Top", "PowerWatts/Reading")
        ),
        PointSpec(name="supply_degc", protocol="redfish", at="Chassis/Top/Sensors/In#/Reading"),
        PointSpec(
            name="cap_w",
            protocol="redfish",
            at=[METRICS.format(m, "PowerLimitWatts/SetPoint") for m in ("A", "B")],
            access="readwrite",
        ),
    ],
    on_controller_loss=ControllerLoss(behaviour="hold"),
)


class Service:
    """A service that keeps resources and has one odd habit, told by `instead`."""

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {
            "Chassis/Top/EnvironmentMetrics": {"PowerWatts": {"Reading": 4000}},
            "Chassis/Top/Sensors/In": {"Reading": 31.5, "ReadingUnits": "Cel"},
        } | {
            f"Chassis/{m}/EnvironmentMetrics": {"PowerLimitWatts": {"SetPoint": 2500}} for m in "AB"
        }
        self.instead: Callable[[web.BaseRequest, str], web.Response | None] = lambda *_: None
        self.asked: list[str] = []

    async def answer(self, request: web.BaseRequest, full: str) -> web.StreamResponse:
        path = full.removeprefix("/redfish/v1").strip("/")
        self.asked.append(f"{request.method} {path}")
        odd = self.instead(request, path)
        if odd is not None:
            return odd
        if path not in self.resources:
            return web.json_response({}, status=404 if path else 200)
        if request.method == "PATCH":
            _merge(self.resources[path], await request.json())
            return web.Response(status=204)
        return web.json_response(self.resources[path])


def _merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def played(
    service: Service, story: Callable[[RedfishDriver], Awaitable[None]], login: Login | None = None
) -> None:
    """Run a story with the driver of a served service."""

    async def main() -> None:
        running = await listen({"": service.answer}, Place(host="127.0.0.1", port=0))
        driver = RedfishDriver(MODEL, running.address, login, None)
        try:
            await story(driver)
        finally:
            await driver.close()
            await running.close()

    asyncio.run(main())


async def read(driver: RedfishDriver) -> dict[str, float]:
    values = await driver.read()
    return dict(zip([p.name for p in driver.points], values.tolist(), strict=True))


def caps(service: Service) -> list[Any]:
    return [service.resources[f"Chassis/{m}/EnvironmentMetrics"]["PowerLimitWatts"] for m in "AB"]


@pytest.mark.parametrize(
    "odd",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(status=403),
        lambda: web.Response(status=404),
        lambda: web.Response(text="<html>not found</html>", content_type="text/html"),
    ],
    ids=["500", "403", "404", "a web page"],
)
def test_one_bad_resource_costs_its_own_points(odd: Callable[[], web.Response]) -> None:
    service = Service()
    service.instead = lambda _, path: odd() if "Sensors/In" in path else None

    async def story(driver: RedfishDriver) -> None:
        values = await read(driver)
        assert values["power_w"] == 4000.0
        assert values["cap_w"] == 5000.0
        assert isnan(values["supply_degc"])

    played(service, story)


@pytest.mark.parametrize(
    ("sensor", "degc"),
    [
        ({"Reading": 88.7, "ReadingUnits": "[degF]"}, 31.5),
        ({"Reading": 88.7, "ReadingUnits": "Fahrenheit"}, 31.5),
        ({"Reading": 31.5, "ReadingUnits": "CELSIUS"}, 31.5),
        ({"Reading": 31.5, "ReadingUnits": "%"}, None),
        ({"Reading": 0, "Status": {"State": "Absent"}}, None),
        ({"Reading": 20, "Status": {"State": "UnavailableOffline"}}, None),
        ({"Reading": "31.5"}, None),
        ({"Reading": None}, None),
    ],
)
def test_what_a_sensor_says_beside_its_reading(sensor: dict[str, Any], degc: float | None) -> None:
    service = Service()
    service.resources["Chassis/Top/Sensors/In"] = sensor

    async def story(driver: RedfishDriver) -> None:
        value = (await read(driver))["supply_degc"]
        assert isnan(value) if degc is None else value == pytest.approx(degc, abs=0.01)

    played(service, story)


def test_a_limit_that_is_disabled_is_none_until_it_is_switched_on() -> None:
    service = Service()
    for cap in caps(service):
        cap["ControlMode"] = "Disabled"

    async def story(driver: RedfishDriver) -> None:
        assert isnan((await read(driver))["cap_w"])
        await driver.write("cap_w", 4001.0, 0.0)
        assert caps(service) == [{"SetPoint": 2000, "ControlMode": "Automatic"}] * 2
        assert (await read(driver))["cap_w"] == 4000.0

    played(service, story)


def test_a_part_that_fails_does_not_keep_the_cap_from_the_other() -> None:
    service = Service()

    def gone(request: web.BaseRequest, path: str) -> web.Response | None:
        return web.Response(status=404) if request.method == "PATCH" and "/A/" in path else None

    service.instead = gone

    async def story(driver: RedfishDriver) -> None:
        with pytest.raises(Rejected, match="1 of 2 parts failed"):
            await driver.write("cap_w", 4000.0, 0.0)
        assert [cap["SetPoint"] for cap in caps(service)] == [2500, 2000]

    played(service, story)


def test_etags_in_the_body_that_change_with_every_look() -> None:
    service, looks = Service(), iter(range(1000))

    def odd(request: web.BaseRequest, path: str) -> web.Response | None:
        if "EnvironmentMetrics" not in path:
            return None
        if request.method == "GET":
            tag = {"@odata.etag": f'W/"{next(looks)}"'}
            return web.json_response(service.resources[path] | tag)
        wanted = request.headers.get("If-Match", "")
        return None if wanted == "*" else web.Response(status=412 if wanted else 428)

    service.instead = odd

    async def story(driver: RedfishDriver) -> None:
        await driver.write("cap_w", 4000.0, 0.0)
        assert [cap["SetPoint"] for cap in caps(service)] == [2000, 2000]

    played(service, story)


def test_a_limit_that_is_set_in_the_control_it_comes_from() -> None:
    service = Service()
    for module in "AB":
        control = f"Chassis/{module}/Controls/Limit"
        service.resources[control] = {"SetPoint": 2500}
        shown = service.resources[f"Chassis/{module}/EnvironmentMetrics"]["PowerLimitWatts"]
        shown["DataSourceUri"] = f"/redfish/v1/{control}"

    def read_only(request: web.BaseRequest, path: str) -> web.Response | None:
        closed = request.method == "PATCH" and path.endswith("EnvironmentMetrics")
        return web.Response(status=405) if closed else None

    service.instead = read_only

    async def story(driver: RedfishDriver) -> None:
        await driver.write("cap_w", 4000.0, 0.0)
        assert service.resources["Chassis/B/Controls/Limit"]["SetPoint"] == 2000

    played(service, story)


def test_redirects_within_the_service_are_followed_and_others_are_not() -> None:
    service = Service()

    def slash(request: web.BaseRequest, _path: str) -> web.Response | None:
        if request.path.endswith("/"):
            return None
        return web.Response(status=308, headers={"Location": request.path + "/"})

    service.instead = slash

    async def story(driver: RedfishDriver) -> None:
        assert (await read(driver))["power_w"] == 4000.0
        await driver.write("cap_w", 4000.0, 0.0)
        assert [cap["SetPoint"] for cap in caps(service)] == [2000, 2000]

    played(service, story)

    def away(_request: web.BaseRequest, path: str) -> web.Response | None:
        elsewhere = {"Location": "http://127.0.0.2:1/redfish/v1/"}
        return web.Response(status=308, headers=elsewhere) if path else None

    service.instead = away

    async def other(driver: RedfishDriver) -> None:
        with pytest.raises(Exception, match="status 308"):
            await driver.read()

    played(service, other)


def test_sessions_without_location_and_none_left() -> None:
    service = Service()
    own = "/redfish/v1/SessionService/Sessions/7"

    def sessions(request: web.BaseRequest, _path: str) -> web.Response | None:
        if request.method != "POST":
            return None
        body = json.dumps({"@odata.id": own})
        return web.Response(status=201, text=body, headers={"X-Auth-Token": "t"})

    service.instead = sessions

    async def story(driver: RedfishDriver) -> None:
        await driver.read()

    played(service, story, Login("u", "p"))
    assert "DELETE SessionService/Sessions/7" in service.asked
    full = Service()

    def taken(request: web.BaseRequest, _path: str) -> web.Response | None:
        if request.method == "POST":
            said = {"error": {"@Message.ExtendedInfo": [{"Message": "Too many sessions."}]}}
            return web.json_response(said, status=503)
        basic = request.headers.get("Authorization", "").startswith("Basic ")
        return None if basic and "deny" not in full.resources else web.Response(status=401)

    full.instead = lambda request, path: taken(request, path) if path else None

    async def with_basic(driver: RedfishDriver) -> None:
        assert (await read(driver))["power_w"] == 4000.0
        full.resources["deny"] = {}
        with pytest.raises(Unreachable, match="Too many sessions"):
            await driver.read()

    played(full, with_basic, Login("u", "p"))


def test_older_lists_are_listed_and_what_is_absent_is_marked() -> None:
    documents = {
        "Chassis/1/Power": {
            "@odata.type": "#Power.v1_5_0.Power",
            "PowerControl": [
                {
                    "@odata.id": "/redfish/v1/Chassis/1/Power#/PowerControl/0",
                    "@odata.type": "#Power.v1_5_0.PowerControl",
                    "PowerConsumedWatts": 232,
                }
            ],
            "PowerSupplies": [
                {
                    "PowerInputWatts": 120.0,
                    "LastPowerOutputWatts": 345,
                    "Status": {"State": "Absent"},
                }
            ],
        }
    }
    found = {one.at.rpartition("/")[2]: (one.value, one.state) for one in find_signals(documents)}
    assert found == {
        "PowerConsumedWatts": (232.0, ""),
        "PowerInputWatts": (120.0, "away"),
        "LastPowerOutputWatts": (345.0, "away"),
    }
