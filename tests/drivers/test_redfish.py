"""The Redfish driver against the served twin over TLS: readings, setpoints, sessions, faults."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from math import isnan

import aiohttp
import msgspec
import numpy as np
import pytest
from aiohttp import web

from mallee.core.device_model import DeviceModel
from mallee.core.errors import DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.drivers.driver import Login
from mallee.drivers.redfish.driver import RedfishDriver
from mallee.emulators.device import EmulatedDevice, Place, Running
from mallee.emulators.http_service import listen
from mallee.emulators.redfish.server import serve_redfish
from tests.drivers.loopback import CDU, HGX, LOGIN, NODE, SHELF, SWITCH, expected, make_device, tls

Story = Callable[[RedfishDriver, Running], Awaitable[None]]


def impatient(model: DeviceModel, timeout_s: float) -> DeviceModel:
    """The model with a shorter time limit."""
    protocol = msgspec.structs.replace(model.protocol["redfish"], timeout_s=timeout_s)
    return msgspec.structs.replace(model, protocol={**model.protocol, "redfish": protocol})


def run_with(
    device: EmulatedDevice, story: Story, login: Login = LOGIN, timeout_s: float = 3.0
) -> None:
    """Run a story with a driver against the served device."""

    async def main() -> None:
        server_tls, client_tls = tls()
        running = await serve_redfish(device, "127.0.0.1", 0, server_tls, LOGIN)
        model = impatient(device.model, timeout_s)
        driver = RedfishDriver(model, running.address, login, client_tls)
        try:
            await story(driver, running)
        finally:
            await driver.close()
            await running.close()

    asyncio.run(main())


async def read(driver: RedfishDriver) -> dict[str, float]:
    return dict(zip((p.name for p in driver.points), await driver.read(), strict=True))


@pytest.mark.parametrize("model", [NODE, HGX, SWITCH, SHELF, CDU])
def test_every_point_arrives(model: str) -> None:
    device = make_device(model)

    async def story(driver: RedfishDriver, _running: Running) -> None:
        await driver.open()
        assert await read(driver) == pytest.approx(expected(device, "redfish"))
        device.values[:] += 10.0
        if "leak_count" in device.model.index:
            device.values[device.model.index["leak_count"]] = 1.0
        assert await read(driver) == pytest.approx(expected(device, "redfish"))
        device.values[:] = np.nan
        gone = await read(driver)
        assert all(isnan(value) for name, value in gone.items() if name != "leak_count")

    run_with(device, story)


@pytest.mark.parametrize(
    ("model", "point", "value", "outside", "allowed"),
    [
        (NODE, "cap_w", 5001.5, 1926.0, r"1927\.\.6667"),
        (HGX, "cap_w", 7001.0, 10201.0, r"6200\.\.10200"),
        (CDU, "supply_set_degc", 27.5, 46.0, r"17\.\.45"),
    ],
)
def test_setpoints_are_written_within_what_the_device_allows(
    model: str, point: str, value: float, outside: float, allowed: str
) -> None:
    device = make_device(model)

    async def story(driver: RedfishDriver, _running: Running) -> None:
        await driver.write(point, value, 0.0)  # before the first reading: looks first
        places = len(device.model.point[device.model.index[point]].places)
        whole = places if point.endswith("_w") else 0  # of each place, the next whole watt below
        for wanted in (value, value + 1.0):
            await driver.write(point, wanted, 0.0)
            held = device.values[device.model.index[point]]
            assert wanted - whole <= held <= wanted + 1e-6
            assert (await read(driver))[point] == pytest.approx(held)
        with pytest.raises(Rejected, match=f"{point} asked for {outside:g}, allowed {allowed}"):
            await driver.write(point, outside, 0.0)
        with pytest.raises(Rejected, match="power_w cannot be set"):
            await driver.write("power_w", 1.0, 0.0)

    run_with(device, story)


def test_a_device_that_declines_says_why() -> None:
    device = make_device(NODE)

    def decline(point: str, _value: float, _lease_s: float) -> None:
        raise Rejected(f"no {point} while updating")

    device.write = decline

    async def story(driver: RedfishDriver, _running: Running) -> None:
        with pytest.raises(Rejected, match="no cap_w while updating"):
            await driver.write("cap_w", 5000.0, 0.0)
        assert (await read(driver))["cap_w"] == 6500.0

    run_with(device, story)


def test_a_setpoint_that_somebody_else_changed_is_looked_at_again() -> None:
    device = make_device(CDU)

    async def story(driver: RedfishDriver, _running: Running) -> None:
        await driver.read()
        device.values[device.model.index["supply_set_degc"]] = 22.0  # a person at the panel
        await driver.write("supply_set_degc", 25.0, 0.0)
        assert (await read(driver))["supply_set_degc"] == 25.0

    run_with(device, story)


@pytest.mark.parametrize(
    ("state", "error"),
    [("silent", Unreachable), ("slow", Unreachable), ("garbage", Malformed), ("refuse", Refused)],
)
def test_faults_have_names_and_pass(state: str, error: type[DeviceError]) -> None:
    device = make_device(NODE)
    device.health.delay_s = 5.0

    async def story(driver: RedfishDriver, _running: Running) -> None:
        await driver.open()
        await driver.read()
        device.health.state = state  # type: ignore[assignment]
        for _ in range(2):  # garbage comes in two kinds
            with pytest.raises(error):
                await driver.read()
            with pytest.raises(error):
                await driver.write("cap_w", 5000.0, 0.0)
        device.health.state = "ok"
        assert (await read(driver))["cap_w"] == 6500.0

    run_with(device, story, timeout_s=0.12)


@pytest.mark.parametrize("state", ["silent", "garbage", "refuse"])
def test_faults_at_the_first_contact(state: str) -> None:
    device = make_device(NODE)
    device.health.state = state  # type: ignore[assignment]
    kinds = {"silent": Unreachable, "garbage": Malformed, "refuse": Refused}

    async def story(driver: RedfishDriver, _running: Running) -> None:
        with pytest.raises(kinds[state]):
            await driver.open()

    run_with(device, story, timeout_s=0.12)


def test_slow_but_in_time_is_well() -> None:
    device = make_device(SWITCH)
    device.health.state, device.health.delay_s = "slow", 0.03

    async def story(driver: RedfishDriver, _running: Running) -> None:
        assert (await read(driver))["power_w"] == 4000.0

    run_with(device, story)


def test_a_wrong_password_is_refused() -> None:
    async def story(driver: RedfishDriver, _running: Running) -> None:
        with pytest.raises(Refused, match="login of 'root' denied"):
            await driver.read()

    run_with(make_device(NODE), story, login=Login("root", "wrong"))
    assert "wrong" not in repr(Login("root", "wrong"))


def test_an_expired_session_is_replaced_and_the_last_one_closed() -> None:
    device = make_device(NODE)

    async def story(driver: RedfishDriver, running: Running) -> None:
        await driver.read()
        basic = b64encode(f"{LOGIN.user}:{LOGIN.password}".encode()).decode()
        base = f"https://{running.address}"
        headers = {"Authorization": f"Basic {basic}"}
        async with aiohttp.ClientSession(base, headers=headers) as other:

            async def sessions() -> list[str]:
                path = "/redfish/v1/SessionService/Sessions"
                async with other.get(path, ssl=tls()[1]) as answer:
                    return [m["@odata.id"] for m in (await answer.json())["Members"]]

            (first,) = await sessions()
            assert (await other.delete(first, ssl=tls()[1])).status == 204
            assert (await read(driver))["cap_w"] == 6500.0
            (second,) = await sessions()
            assert second != first
            await driver.close()
            assert await sessions() == []

    run_with(device, story)


def test_a_certificate_that_is_not_trusted_is_refused() -> None:
    device = make_device(SWITCH)

    async def main() -> None:
        running = await serve_redfish(device, "127.0.0.1", 0, tls()[0], LOGIN)
        strangers = ssl.create_default_context()
        driver = RedfishDriver(device.model, running.address, LOGIN, strangers)
        with pytest.raises(Refused, match="certificate is not trusted"):
            await driver.read()
        await driver.close()
        await running.close()
        with pytest.raises(Unreachable, match="cannot connect"):
            await driver.read()
        await driver.close()

    asyncio.run(main())


def test_a_peer_without_tls_is_malformed() -> None:
    device = make_device(SWITCH)

    async def main() -> None:
        running = await serve_redfish(device, "127.0.0.1", 0, None, LOGIN)
        driver = RedfishDriver(device.model, running.address, LOGIN, tls()[1])
        with pytest.raises(Malformed, match="does not speak TLS"):
            await driver.read()
        await driver.close()
        plain = RedfishDriver(device.model, running.address, LOGIN, None)
        assert (await plain.read())[0] == 4000.0
        await plain.close()
        await running.close()

    asyncio.run(main())


def test_an_old_service_without_sessions_resources_or_the_right_types() -> None:
    """No session service: Basic. No EnvironmentMetrics: Power. A string for a number: NaN."""
    patched: list[object] = []

    async def answer(request: web.BaseRequest, _path: str) -> web.StreamResponse:
        if request.path == "/redfish/v1/":
            return web.json_response({"Name": "Root"})
        if not request.headers.get("Authorization", "").startswith("Basic "):
            return web.Response(status=401 if request.method == "GET" else 404)
        if request.path.endswith("Chassis_0/EnvironmentMetrics"):
            return web.json_response({"PowerWatts": {"Reading": "much"}})
        if not request.path.endswith("/Power"):
            return web.Response(status=404)
        if request.method == "PATCH":
            patched.append(msgspec.json.decode(await request.read()))
            return web.Response(status=204)
        return web.json_response(
            {"PowerControl": [{"PowerConsumedWatts": 1, "PowerLimit": {"LimitInWatts": 2500}}]}
        )

    async def main() -> None:
        running = await listen({"": answer}, Place(host="127.0.0.1", port=0))
        driver = RedfishDriver(make_device(NODE).model, running.address, LOGIN, None)
        values = await read(driver)
        assert values["cap_w"] == 2 * 2500 + 1027
        assert isnan(values["power_w"])
        assert isnan(values["supply_degc"])
        assert isnan(values["leak_count"])
        await driver.write("cap_w", 3027.0, 0.0)
        assert patched == [{"PowerControl": [{"PowerLimit": {"LimitInWatts": 1000}}]}] * 2
        await driver.close()
        await running.close()

    asyncio.run(main())
