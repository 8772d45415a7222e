"""`mallee discover`: a device that no model describes, listed for people and for programs."""

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest

from mallee.cli import run
from mallee.emulators.redfish.server import serve_redfish
from tests.drivers.loopback import CDU, LOGIN, make_device


@pytest.fixture
def cdu_address() -> Iterator[str]:
    """A served CDU, in a thread of its own because commands run their own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving = serve_redfish(make_device(CDU), "127.0.0.1", 0, None, LOGIN)
    running = asyncio.run_coroutine_threadsafe(serving, loop).result()
    yield running.address
    asyncio.run_coroutine_threadsafe(running.close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_people_see_a_table_and_programs_json(
    cdu_address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MALLEE_SECRET_CDU_ROW_1", f"{LOGIN.user}:{LOGIN.password}")
    words = ["discover", cdu_address, "--plain-http", "--credentials", "cdu-row-1"]
    assert run(words) == 0
    place = "ThermalEquipment/CDUs/1/EnvironmentMetrics#/PowerWatts/Reading"
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith(place)]
    assert line.split() == [place, "4000", "W", "excerpt"]
    assert run([*words, "--json"]) == 0
    signals = json.loads(capsys.readouterr().out)["signals"]
    (power,) = [signal for signal in signals if signal["at"] == place]
    assert (power["value"], power["unit"], power["kind"]) == (4000.0, "W", "excerpt")


def test_what_is_wrong_is_one_line(cdu_address: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        ([cdu_address, "--plain-http"], "no valid session"),
        ([cdu_address], "does not speak TLS"),
        (["nowhere:port"], "write host:port"),
        ([cdu_address, "--tls-ca", "missing.pem"], "give a PEM file"),
        ([cdu_address, "--credentials", "nobody"], "no such login"),
    ):
        assert run(["discover", *words]) != 0
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
