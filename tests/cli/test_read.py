"""`mallee read`, `record` and `replay`: devices that no model describes, over four protocols."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from mallee.catalogue.samples import SAMPLES_FOLDER, load_sample
from mallee.cli import run
from mallee.cli.read import without_secrets
from mallee.emulators.replay import replay_sample


@contextmanager
def replayed(path: Path) -> Iterator[dict[str, str]]:
    """A sample that is served in a thread of its own, because commands run their own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = AsyncExitStack()
    serving = replay_sample(load_sample(path), "127.0.0.1", stack)
    try:
        yield asyncio.run_coroutine_threadsafe(serving, loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


CASES = [
    ("apc-rpdu2-single-phase", "snmp", "1.3.6.1.4.1.318.1.1.26.4.3.1.5.1", 870.0, "W"),
    ("nvidia-hgx-b200-node", "dcgm", "DCGM_FI_DEV_POWER_USAGE/0", 412.5, "W"),
    ("grid-meter-sunspec", "sunspec", "203.W", 72000.0, "W"),
]


@pytest.mark.parametrize(("name", "protocol", "at", "value", "unit"), CASES)
def test_a_device_is_read_recorded_and_replayed(
    name: str,
    protocol: str,
    at: str,
    value: float,
    unit: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with replayed(SAMPLES_FOLDER / f"{name}.json") as addresses:
        place = [addresses[protocol], "--protocol", protocol]
        assert run(["read", *place]) == 0
        assert at in capsys.readouterr().out
        out = tmp_path / "device.json"
        assert run(["record", place[0], str(out), *place[1:]]) == 0
        assert run(["record", place[0], str(out), *place[1:]]) == 2, "nothing is written over"
        capsys.readouterr()
    with replayed(out) as addresses:
        assert run(["read", addresses[protocol], "--protocol", protocol, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    (found,) = [one for one in said["readings"] if one["at"] == at]
    assert (found["value"], found["unit"]) == (value, unit)
    assert "X00000000001" not in out.read_text(), "its serial number"


def test_a_redfish_device_without_links_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with replayed(SAMPLES_FOLDER / "nvidia-gh200-node.json") as addresses:
        words = [addresses["redfish"], "--protocol", "redfish", "--plain-http"]
        assert run(["read", *words]) == 0
    assert capsys.readouterr().out.startswith("redfish: ")


def test_what_is_wrong_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words, status, said in (
        (["127.0.0.1:1", "--protocol", "snmp", "--timeout-s", "0.2"], 4, "no answer"),
        (["127.0.0.1:1", "--timeout-s", "0.2"], 4, "nothing answers as any protocol"),
        (["127.0.0.1:1", "--protocol", "telnet"], 2, "redfish, snmp, dcgm or sunspec"),
        (["127.0.0.1:1", "--protocol", "modbus"], 2, "do not say what they have"),
        (["a b", "--protocol", "snmp"], 2, "write host:port"),
    ):
        assert run(["read", *words]) == status
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1


def test_secrets_are_replaced_and_readings_are_not() -> None:
    content = {
        "SerialNumber": "1584424000011",
        "UUID": "4c4c4544-0044-3010-8053-b7c04f4c4e33",
        "MACAddress": "b0:7b:25:aa:00:01",
        "Reading": 84.8,
        "Message": "login of SN: ABC123 at b0:7b:25:aa:00:01",
        "@odata.id": "/redfish/v1/Chassis/1",
        "Oem": {"Dell": {"HostName": "gpu-17.example"}},
    }
    found = without_secrets(content)
    for secret in ("1584424000011", "b7c04f4c4e33", "b0:7b:25", "ABC123", "gpu-17"):
        assert secret not in json.dumps(found)
    assert found["Reading"] == 84.8
    assert found["@odata.id"] == "/redfish/v1/Chassis/1"
