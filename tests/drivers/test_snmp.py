"""SNMP: places, recordings of real agents, their bad habits, both versions, net-snmp as judge."""

import asyncio
import math
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysnmp.smi import error as smi_error

from mallee.catalogue.device_models import load_models
from mallee.core.errors import ConfigError, Malformed, Refused, Rejected, Unreachable
from mallee.core.oids import Value, maker_of, number_of, parse_place
from mallee.drivers.driver import Login, Target
from mallee.drivers.snmp import CHANNEL, SnmpDriver
from mallee.emulators.device import EmulatedDevice, Health, Place
from mallee.emulators.snmp import objects, serve_agents
from tests.drivers.snmp_agents import agent, recorded

RECORDINGS = Path(os.environ.get("MALLEE_SHARED", Path(__file__).parents[3] / "shared"))
RECORDINGS = RECORDINGS / "golden/snmp"
needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"SNMP RECORDINGS NOT READ: no {RECORDINGS}"
)
PDU = load_models()["apc-rpdu2-single-phase"]
POWER = "1.3.6.1.4.1.318.1.1.26.4.3.1.5.1"
WHOLE = {
    POWER: 121,
    "1.3.6.1.4.1.318.1.1.26.4.3.1.9.1": 19516,
    "1.3.6.1.4.1.318.1.1.26.4.3.1.16.1": 131,
    "1.3.6.1.4.1.318.1.1.26.4.3.1.17.1": 94,
    "1.3.6.1.4.1.318.1.1.26.6.3.1.5.1": 65,
    "1.3.6.1.4.1.318.1.1.26.6.3.1.6.1": 201,
}
Story = Callable[[SnmpDriver], Awaitable[None]]


def told(
    values: dict[str, Value], story: Story, login: Login | None = None, health: Health | None = None
) -> None:
    async def main() -> None:
        async with agent(values, login, health) as address:
            driver = driver_at(address, login)
            await story(driver)
            await driver.close()

    asyncio.run(main())


def driver_at(address: str, login: Login | None = None, unit: str = "1") -> SnmpDriver:
    host, _, port = address.rpartition(":")
    return CHANNEL(host, int(port)).driver(Target(name="pdu", model=PDU, part=unit, login=login))


@needs_recordings
def test_a_recorded_pdu_reads_as_its_display_did() -> None:
    async def story(driver: SnmpDriver) -> None:
        power_w, energy_wh, apparent_va, factor, current_a, voltage_v = await driver.read()
        assert (power_w, energy_wh, apparent_va) == (1210.0, 1951600.0, 1310.0)
        assert power_w / apparent_va == pytest.approx(factor, abs=0.02)
        assert current_a * voltage_v == pytest.approx(apparent_va, rel=0.01)
        identity = await driver.identify()
        assert (identity.manufacturer, identity.model) == ("APC", "AP8641")

    told(recorded(RECORDINGS / "apc-8641.snmprec"), story)


@needs_recordings
def test_minus_one_is_no_reading() -> None:
    async def story(driver: SnmpDriver) -> None:
        values = await driver.read()
        names = [point.name for point in driver.points]
        assert {n for n, v in zip(names, values, strict=True) if not math.isnan(v)} == {"current_a"}
        assert values[names.index("current_a")] == pytest.approx(1.6)

    told(recorded(RECORDINGS / "apc-7902b.snmprec"), story)


@pytest.mark.parametrize("missing", sorted(WHOLE))
def test_an_object_that_is_not_there_costs_only_its_point(missing: str) -> None:
    async def story(driver: SnmpDriver) -> None:
        assert np.isnan(await driver.read()).sum() == 1

    told({oid: value for oid, value in WHOLE.items() if oid != missing}, story)


def test_an_object_that_fails_its_request_costs_only_its_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Agents answer genErr to the whole request for one object that they cannot get."""
    get, asked = objects.ObjectTable.get, []

    def broken(self: objects.ObjectTable, oid: tuple[int, ...]) -> Value:
        asked.append(oid)
        if oid == objects.numbers(POWER):
            raise smi_error.GenError(name=oid, idx=0)
        return get(self, oid)

    monkeypatch.setattr(objects.ObjectTable, "get", broken)

    async def story(driver: SnmpDriver) -> None:
        for _ in range(2):
            values = await driver.read()
            assert math.isnan(values[0])
            assert np.isfinite(values[1:]).all()
        assert asked.count(objects.numbers(POWER)) < 5, "it is not asked for each time"

    told(dict(WHOLE), story)


def test_a_request_that_is_too_long_is_made_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small agents drop what does not fit into one datagram of theirs, without a word."""
    from mallee.emulators.snmp import server

    read = server._Shared.read_variables
    health = Health()

    def short(self: server._Shared, *asked: object, **about: object) -> object:
        health.state = "silent" if len(asked) > 3 else "ok"
        return read(self, *asked, **about)

    monkeypatch.setattr(server._Shared, "read_variables", short)

    async def story(driver: SnmpDriver) -> None:
        driver._client._timeout_s = 0.15
        with pytest.raises(Unreachable, match="no answer within"):
            await driver.read()
        assert np.isfinite(await driver.read()).all()

    told(dict(WHOLE), story, health=health)


@pytest.mark.parametrize(
    "login", [None, Login("community", "s3cret"), Login("operator", "a long password")]
)
def test_both_versions_and_every_fault(login: Login | None) -> None:
    health = Health()

    async def story(driver: SnmpDriver) -> None:
        assert (await driver.read())[0] == 1210.0
        driver._client._timeout_s = 0.3
        for state, error in (
            ("silent", Unreachable), ("garbage", Malformed), ("refuse", Refused),
        ):  # fmt: skip
            health.state = state  # type: ignore[assignment]
            with pytest.raises(error):
                await driver.read()
        health.state = "ok"
        assert (await driver.read())[0] == 1210.0, "it comes back by itself"
        with pytest.raises(Rejected, match="only read over SNMP"):
            await driver.write("input_w", 1.0, 0.0)

    told(dict(WHOLE), story, login, health)


def test_wrong_passwords_are_told_from_silence() -> None:
    async def main() -> None:
        right = Login("operator", "a long password")
        async with agent(WHOLE, right) as address:
            for wrong, error, words in (
                (Login("operator", "another password"), Refused, "login of 'operator' denied"),
                (Login("nobody", "a long password"), Refused, "login of 'nobody' denied"),
                (Login("operator", "short"), Refused, "less than 8 characters"),
                (Login("community", "private"), Unreachable, "no answer within"),
            ):
                driver = driver_at(address, wrong)
                driver._client._timeout_s = 0.3
                with pytest.raises(error, match=words):
                    await driver.read()
            for place in ("127.0.0.1:1", "nowhere.invalid:161"):
                driver = driver_at(place)
                driver._client._timeout_s = 0.2
                with pytest.raises(Unreachable, match=place.split(":")[0]):
                    await driver.read()

    asyncio.run(main())


def test_units_of_a_chain_stand_behind_one_address() -> None:
    async def main() -> None:
        devices = {}
        for unit, power_w in (("1", 1000.0), ("3", 3000.0)):
            values = np.full(len(PDU.point), power_w)
            devices[unit] = EmulatedDevice(f"pdu{unit}", PDU, values, lambda *_: None)
        running = await serve_agents(Place(host="127.0.0.1", port=0), devices)
        for unit, power_w in (("1", 1000.0), ("3", 3000.0)):
            driver = driver_at(running.address, unit=unit)
            assert (await driver.read())[0] == power_w
            assert (await driver.identify()).serial == f"SIM-pdu{unit}"
        await running.close()

    asyncio.run(main())


SNMP_MODELS = sorted(name for name, one in load_models().items() if "snmp" in one.protocol)


@pytest.mark.parametrize("name", SNMP_MODELS)
def test_the_twin_serves_every_model(name: str) -> None:
    model = load_models()[name]

    async def main() -> None:
        values = np.full(len(model.point), 24.0)
        device = EmulatedDevice("d1", model, values, lambda *_: None)
        running = await serve_agents(Place(host="127.0.0.1", port=0), {"1": device})
        host, _, port = running.address.rpartition(":")
        driver = CHANNEL(host, int(port)).driver(Target(name="d1", model=model, part="1"))
        read = await driver.read()
        steps = [abs(p.scale) * len(p.places) if ":is=" not in p.places[0] else 23.0
                 for p in driver.points]  # fmt: skip
        assert np.all(np.abs(read - 24.0) <= np.array(steps) / 2 + 23.0 * (np.array(steps) == 23.0))
        values[:] = np.nan
        assert np.isnan(await driver.read()).all()
        await running.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("at", "values", "expected"),
    [
        ("1.3.6.1.4", {"1.3.6.1.4": 7}, 7.0),
        (".1.3.6.1.4", {"1.3.6.1.4": b" 12.5\x00"}, 12.5),
        ("1.3.6.1.4", {"1.3.6.1.4": b"notsupported"}, math.nan),
        ("1.3.6.1.4", {"1.3.6.1.4": -1}, math.nan),
        ("1.3.6.1.4:none=0", {"1.3.6.1.4": 0}, math.nan),
        ("1.3.6.1.4:none=0xFFFFFFFF", {"1.3.6.1.4": 4294967295}, math.nan),
        ("1.3.6.1.4:digits=1.3.6.1.5", {"1.3.6.1.4": 10021, "1.3.6.1.5": 3}, 10.021),
        ("1.3.6.1.4:digits=1.3.6.1.5", {"1.3.6.1.4": 10021}, math.nan),
        ("1.3.6.1.4:si=1.3.6.1.5", {"1.3.6.1.4": 5, "1.3.6.1.5": 10}, 5000.0),
        ("1.3.6.1.4:si=1.3.6.1.5", {"1.3.6.1.4": 5, "1.3.6.1.5": 99}, math.nan),
        ("1.3.6.1.4:ok=1.3.6.1.5/1", {"1.3.6.1.4": 5, "1.3.6.1.5": 1}, 5.0),
        ("1.3.6.1.4:ok=1.3.6.1.5/1", {"1.3.6.1.4": 5, "1.3.6.1.5": 3}, math.nan),
        ("1.3.6.1.4:ok=1.3.6.1.5/1", {"1.3.6.1.4": 5}, math.nan),
        ("1.3.6.1.4:is=5", {"1.3.6.1.4": 5}, 1.0),
        ("1.3.6.1.4:is=5", {"1.3.6.1.4": 3}, 0.0),
        ("1.3.6.1.4:is=5", {}, math.nan),
    ],
)
def test_places(at: str, values: dict[str, Value], expected: float) -> None:
    assert parse_place(at).value(values, (-1,)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("sysUpTime", "no object identifier"),
        ("1.3.6.1:scale=10", "no option here"),
        ("1.3.6.1:ok=1.3.6.2", "names no value"),
        ("1.3.6.1:none=x", "no whole number"),
        ("1.3.6.1:digits=abc", "no object identifier"),
    ],
)
def test_a_place_that_is_none_is_told(at: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_place(at)


def test_a_model_with_a_wrong_place_is_told() -> None:
    import msgspec

    wrong = msgspec.structs.replace(PDU.point[0], at="power")
    model = msgspec.structs.replace(PDU, point=[wrong])
    with pytest.raises(ConfigError, match=r"point\.input_w: 'power' is no object identifier"):
        CHANNEL("127.0.0.1", 161).driver(Target(name="pdu", model=model))


@given(st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary()))
def test_any_value_is_a_number_or_none(value: Value) -> None:
    number = number_of(value)
    assert math.isnan(number) or math.isfinite(number)


def test_makers_by_enterprise_number() -> None:
    assert maker_of("1.3.6.1.4.1.318.1.3.4.6") == "APC"
    assert maker_of("1.3.6.1.4.1.99999.1") == "enterprise 99999"
    assert maker_of("1.3.6.1.2.1") == ""


def snmpwalk(*words: str) -> str:
    command = ["snmpwalk", "-On", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(
    shutil.which("snmpwalk") is None,
    reason="NET-SNMP HAS NOT JUDGED THE AGENT: install Debian's package `snmp`",
)
@pytest.mark.parametrize("version", ["2c", "3"])
def test_net_snmp_walks_our_agent(version: str) -> None:
    """Somebody else's client sees every object once, in order, with its value."""
    login = Login("operator", "a long password") if version == "3" else None
    access = ["-v2c", "-c", "public"]
    if login is not None:
        keys = ["-a", "SHA", "-A", login.password, "-x", "AES", "-X", login.password]
        access = ["-v3", "-u", login.user, "-l", "authPriv", *keys]

    async def main() -> None:
        values = np.array([1210.0, 1951600.0, 1310.0, 0.94, 6.5, 201.0])
        device = EmulatedDevice("pod1/pdu1", PDU, values, lambda *_: None)
        place = Place(host="127.0.0.1", port=0, login=login)
        running = await serve_agents(place, {"1": device})
        text = await asyncio.to_thread(snmpwalk, *access, running.address, "1.3.6.1")
        lines = [line for line in text.splitlines() if " = " in line and "No more" not in line]
        said = dict(line.split(" = ", 1) for line in lines)
        assert len(said) == len(lines) == 3 + 3 + 6, "system, identity, points"
        for oid, raw in WHOLE.items():
            assert said[f".{oid}"] == f"INTEGER: {raw}"
        assert said[".1.3.6.1.2.1.1.5.0"] == 'STRING: "pod1/pdu1"'
        await running.close()

    asyncio.run(main())
