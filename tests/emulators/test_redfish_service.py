"""HTTP behaviour of the Redfish emulator that DSP0266 asks for, over TLS, as any client sees it."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import pytest

from mallee.core.device_model import PointSpec
from mallee.core.errors import ConfigError
from mallee.emulators.redfish.server import serve_redfish
from mallee.emulators.redfish.tree import Tree
from tests.drivers.loopback import CDU, HGX, LOGIN, NODE, make_device, tls

BASIC = "Basic " + b64encode(f"{LOGIN.user}:{LOGIN.password}".encode()).decode()
CONNECTOR = "/redfish/v1/ThermalEquipment/CDUs/1/SecondaryCoolantConnectors/1"
SET_POINT = {"SupplyTemperatureControlCelsius": {"SetPoint": 25.0}}

Story = Callable[[aiohttp.ClientSession], Awaitable[None]]


def serving(model: str, story: Story) -> dict[str, float]:
    """Run a story with a client of the served device; its values afterwards by point."""
    device = make_device(model)

    async def main() -> None:
        running = await serve_redfish(device, "127.0.0.1", 0, tls()[0], LOGIN)
        connector = aiohttp.TCPConnector(ssl=tls()[1])
        base = f"https://{running.address}"
        async with aiohttp.ClientSession(base, connector=connector) as client:
            await story(client)
        await running.close()

    asyncio.run(main())
    return {p.name: v for p, v in zip(device.model.point, device.values.tolist(), strict=True)}


async def ask(
    client: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, Any]:
    """Status, headers and JSON of an answer; with Basic credentials unless told otherwise."""
    sent = {"Authorization": BASIC} | {k.replace("_", "-"): v for k, v in headers.items()}
    async with client.request(method, path, json=body, headers=sent) as answer:
        content = await answer.json() if answer.content_type == "application/json" else None
        return answer.status, answer.headers, content


def message_id(content: Any) -> str:
    info = content["error"]["@Message.ExtendedInfo"][0]
    assert {"MessageId", "Message", "MessageArgs", "MessageSeverity", "Resolution"} <= info.keys()
    assert content["error"]["code"] == info["MessageId"]
    return str(info["MessageId"]).rpartition(".")[2]


def test_what_everybody_may_see() -> None:
    async def story(client: aiohttp.ClientSession) -> None:
        for path in ("/redfish", "/redfish/", "/redfish/v1", "/redfish/v1/", "/redfish/v1/odata"):
            status, headers, content = await ask(client, "GET", path, Authorization="")
            assert status == 200
            assert headers["OData-Version"] == "4.0"
            assert content
        status, headers, _ = await ask(client, "GET", "/redfish/v1/$metadata", Authorization="")
        assert (status, headers["Content-Type"]) == (200, "application/xml; charset=utf-8")
        status, headers, content = await ask(client, "GET", CONNECTOR, Authorization="")
        assert status == 401
        assert headers["WWW-Authenticate"].startswith("Basic")
        assert message_id(content) == "NoValidSession"

    serving(CDU, story)


def test_a_session_from_login_to_logout() -> None:
    async def story(client: aiohttp.ClientSession) -> None:
        sessions = "/redfish/v1/SessionService/Sessions"
        wrong = {"UserName": LOGIN.user, "Password": "guess"}
        status, _, content = await ask(client, "POST", sessions, wrong, Authorization="")
        assert (status, message_id(content)) == (401, "ResourceAtUriUnauthorized")
        status, _, content = await ask(client, "POST", sessions, {"UserName": "x"})
        assert (status, message_id(content)) == (400, "PropertyMissing")
        right = {"UserName": LOGIN.user, "Password": LOGIN.password}
        status, headers, content = await ask(client, "POST", sessions, right, Authorization="")
        token, location = headers["X-Auth-Token"], headers["Location"]
        assert (status, content["@odata.id"]) == (201, location)
        status, _, content = await ask(client, "GET", location, X_Auth_Token=token)
        assert (status, content["UserName"]) == (200, LOGIN.user)
        assert (await ask(client, "DELETE", location, X_Auth_Token=token))[0] == 204
        assert (await ask(client, "GET", CONNECTOR, X_Auth_Token=token))[0] == 401
        assert (await ask(client, "GET", location))[0] == 404

    serving(CDU, story)


def test_lost_clients_lock_nobody_out() -> None:
    async def story(client: aiohttp.ClientSession) -> None:
        sessions = "/redfish/v1/SessionService/Sessions"
        right = {"UserName": LOGIN.user, "Password": LOGIN.password}
        for _ in range(20):
            assert (await ask(client, "POST", sessions, right))[0] == 201
        assert (await ask(client, "GET", sessions))[2]["Members@odata.count"] == 16

    serving(CDU, story)


def test_etags_tell_settings_apart_not_readings() -> None:
    async def story(client: aiohttp.ClientSession) -> None:
        _, headers, _ = await ask(client, "GET", CONNECTOR)
        before = headers["ETag"]
        status, headers, content = await ask(client, "PATCH", CONNECTOR, SET_POINT, If_Match=before)
        assert status == 200
        assert headers["ETag"] != before
        assert content["SupplyTemperatureControlCelsius"]["SetPoint"] == 25.0
        status, _, content = await ask(client, "PATCH", CONNECTOR, SET_POINT, If_Match=before)
        assert (status, message_id(content)) == (412, "PreconditionFailed")

    assert serving(CDU, story)["supply_set_degc"] == 25.0


def test_a_write_that_takes_effect_late_is_not_somebody_elses() -> None:
    device = make_device(CDU)
    path = CONNECTOR.removeprefix("/redfish/v1/")
    tree = Tree(device.model, device.name)
    resource = tree.fill(path, device.values)
    assert resource is not None
    before = resource.etag
    device.values[device.model.index["supply_set_degc"]] += 1.0
    tree.fill(path, device.values)
    assert resource.etag == before


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"SupplyTemperatureControlCelsius": {"SetPoint": 60}}, 400, "PropertyValueOutOfRange"),
        ({"SupplyTemperatureControlCelsius": {"SetPoint": "25"}}, 400, "PropertyValueTypeError"),
        ({"SupplyTemperatureControlCelsius": {"SetPoint": True}}, 400, "PropertyValueTypeError"),
        ({"SupplyTemperatureCelsius": {"Reading": 25}}, 400, "PropertyNotWritable"),
        ({"Colour": "red"}, 400, "PropertyUnknown"),
        ([1, 2], 400, "MalformedJSON"),
    ],
)
def test_a_bad_patch_changes_nothing_and_says_why(body: Any, status: int, message: str) -> None:
    async def story(client: aiohttp.ClientSession) -> None:
        answer = await ask(client, "PATCH", CONNECTOR, body)
        assert (answer[0], message_id(answer[2])) == (status, message)

    assert serving(CDU, story)["supply_set_degc"] == 30.0


def test_methods_that_make_no_sense_here() -> None:
    async def story(client: aiohttp.ClientSession) -> None:
        status, headers, _ = await ask(client, "HEAD", CONNECTOR)
        assert (status, headers["Allow"]) == (200, "GET, HEAD, PATCH")
        for path, allow in (
            ("/redfish/v1/", "GET, HEAD"),
            ("/redfish/v1/Chassis", "GET, HEAD"),
            (CONNECTOR, "GET, HEAD, PATCH"),
            ("/redfish/v1/SessionService/Sessions", "GET, HEAD, POST"),
        ):
            status, headers, content = await ask(client, "PUT", path, {})
            assert (status, headers["Allow"]) == (405, allow)
            assert message_id(content) == "OperationNotAllowed"
        status, _, content = await ask(client, "GET", "/redfish/v1/Chassis?$expand=.")
        assert (status, message_id(content)) == (501, "QueryParameterUnsupported")
        status, _, content = await ask(client, "GET", "/redfish/v1/Nowhere")
        assert (status, message_id(content)) == (404, "ResourceMissingAtURI")

    serving(CDU, story)


def test_one_gpu_s_cap_moves_only_its_share() -> None:
    def cap_of(gpu: int) -> str:
        return f"/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_SXM_{gpu}/EnvironmentMetrics"

    async def story(client: aiohttp.ClientSession) -> None:
        limit = (await ask(client, "GET", cap_of(3)))[2]["PowerLimitWatts"]
        assert (limit["AllowableMin"], limit["AllowableMax"]) == (200.0, 700.0)
        assert limit["SetPoint"] == (6500.0 - 4600.0) / 8
        body = {"PowerLimitWatts": {"SetPoint": 600}}
        assert (await ask(client, "PATCH", cap_of(3), body))[0] == 200
        for gpu, expected in ((2, 237.5), (3, 600.0)):
            document = (await ask(client, "GET", cap_of(gpu)))[2]
            assert document["PowerLimitWatts"]["SetPoint"] == expected

    assert serving(HGX, story)["cap_w"] == 4600 + 7 * 237.5 + 600


def test_leak_detectors_and_sensors_show_the_same_device() -> None:
    async def story(client: aiohttp.ClientSession) -> None:
        detectors = "/redfish/v1/Chassis/Chassis_0/LeakDetectors/Chassis_0_LeakDetector_0_ColdPlate"
        assert (await ask(client, "GET", detectors))[2]["DetectorState"] == "OK"
        metrics = (await ask(client, "GET", "/redfish/v1/Chassis/Chassis_0/EnvironmentMetrics"))[2]
        assert metrics["PowerWatts"]["Reading"] == 4000.0
        sensor = (await ask(client, "GET", metrics["PowerWatts"]["DataSourceUri"]))[2]
        assert (sensor["Reading"], sensor["ReadingUnits"]) == (4000.0, "W")

    serving(NODE, story)


def test_a_model_with_an_unknown_resource_or_no_range_is_a_config_error() -> None:
    def tree_of(**changes: Any) -> Tree:
        point = PointSpec(name="odd_w", protocol="redfish", **changes)
        return Tree(msgspec.structs.replace(make_device(NODE).model, point=[point]), "n1")

    with pytest.raises(ConfigError, match="no known Redfish resource ends in 'Chassis/1/Oddity'"):
        tree_of(at="Chassis/1/Oddity#/Reading")
    with pytest.raises(ConfigError, match="needs odd_min_w and odd_max_w"):
        at = "Chassis/1/EnvironmentMetrics#/PowerLimitWatts/SetPoint"
        tree_of(at=at, access="readwrite")
