"""Alarms in the console: asked for and acted on over HTTP, and kept over a restart of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from mallee.cli import run
from mallee.console.access.door import Door, local_token
from mallee.console.alarms import AlarmWatch
from mallee.console.api.serving import Served
from mallee.console.client import Client
from mallee.console.hub import Hub
from mallee.console.live import Live
from mallee.console.self_check import SelfCheck
from mallee.console.server import make_app
from mallee.core.errors import Rejected
from mallee.core.event_kinds import new_event
from mallee.core.snapshot import Quality, Snapshot
from mallee.runtime.run_folder import RunFolder
from mallee.site.model import SiteModel

OPEN = "breaker-open@q-pod"


def trip(site: SiteModel, watch: AlarmWatch, seconds: int = 40) -> None:
    """The breaker of the pod opens, and everything behind it falls silent."""
    quality = np.full(site.point_count, Quality.GOOD, np.uint8)
    values = np.full(site.point_count, 500.0)
    for row, path in enumerate(site.point_paths()):
        if path.endswith("leak_count"):
            values[row] = 0.0
        if path.endswith("degc"):
            values[row] = 20.0
        if path.startswith("pod1/"):
            quality[row] = Quality.STALE
    events = [new_event("breaker-trip", 0.0, "q-pod", why="opened on overload")]
    began_s = time.time() - seconds
    for second in range(seconds):
        snapshot = Snapshot(
            time_s=float(second),
            values=values,
            times_s=np.full(site.point_count, float(second)),
            quality=quality,
            progress=np.zeros(site.point_count, np.uint8),
        )
        watch.look(snapshot, events, began_s + second)
        events = []


@asynccontextmanager
async def served(site: SiteModel, folder: Path) -> AsyncIterator[tuple[AlarmWatch, str]]:
    watch = AlarmWatch(site, folder, session=1)
    app = make_app(Served(live=Live(site), alarms=watch), Hub(), host="127.0.0.1", static=folder)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield watch, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def with_alarms(demo_site: SiteModel, tmp_path: Path) -> Callable[..., None]:
    def run_it(what: Callable[[AlarmWatch, str], Awaitable[None]]) -> None:
        async def inside() -> None:
            async with served(demo_site, tmp_path) as (watch, url):
                await what(watch, url)

        asyncio.run(inside())

    return run_it


def test_a_trip_is_one_alarm_that_says_what_to_do_and_what_it_explains(
    with_alarms: Callable[..., None], demo_site: SiteModel
) -> None:
    async def ask(watch: AlarmWatch, url: str) -> None:
        trip(demo_site, watch)
        client = Client(url, "anna")
        told = await asyncio.to_thread(client.get, "alarms")
        (one,) = told["alarms"]
        assert (one["id"], one["state"], one["first"]) == (OPEN, "unacknowledged", True)
        assert one["explains"] > 40
        assert one["text"] == "q-pod opened on overload."
        assert one["response"].startswith("Find the overload")
        assert told["summary"]["sounding"] == [0, 1, 0]
        explained = await asyncio.to_thread(client.get, "alarms", show="explained", cause=OPEN)
        assert "pod-dark@pod1" in {row["id"] for row in explained["alarms"]}
        reach = await asyncio.to_thread(client.get, "alarms/reach", branch="q-pod")
        assert reach["racks"] == ["pod1/r1", "pod1/r2"]
        with pytest.raises(Rejected, match="show=nothing: must be one of"):
            await asyncio.to_thread(client.get, "alarms", show="nothing")

    with_alarms(ask)


def test_what_people_do_is_kept_before_it_is_answered(
    with_alarms: Callable[..., None], demo_site: SiteModel
) -> None:
    async def act(watch: AlarmWatch, url: str) -> None:
        trip(demo_site, watch)
        client = Client(url, "anna")

        def ask() -> None:
            assert client.act("acknowledge", [OPEN]) == [OPEN]
            assert client.act("acknowledge", [OPEN]) == [], "it is so already"
            client.act("note", [OPEN], reason="Electrician is on the way.")
            assert client.act("shelve", ["node-silent@pod1/r1/n0*"], reason="test", for_s=600.0)
            assert client.act("take out", place="bess1", reason="service")
            shelved = client.get("alarms", show="shelved")["alarms"]
            assert len(shelved) == 9
            assert shelved[0]["hidden_until_utc_s"] == pytest.approx(time.time() + 600.0, abs=60.0)
            assert shelved[0]["hidden_why"]["actor"] == "anna"
            figures = client.get("alarms/kpi", hours=1)
            assert (figures["annunciated"], figures["priorities"]) == (1, {"2": 1.0})
            assert figures["ack_p50_s"] == pytest.approx(40.0, abs=30.0)
            last = client.get("alarms/journal", count=1)["lines"][0]
            assert (last["what"], last["actor"]) == ("out of service", "anna")

        await asyncio.to_thread(ask)

    with_alarms(act)

    async def again(_: AlarmWatch, url: str) -> None:
        told = await asyncio.to_thread(Client(url).get, "alarms")
        assert [one["state"] for one in told["alarms"]] == ["acknowledged"]
        assert told["alarms"][0]["notes"][0]["text"] == "Electrician is on the way."
        assert told["summary"]["shelved"] == 9

    with_alarms(again)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"what": "acknowledge", "actor": "a"}, "name alarms (kind@place), or a place"),
        ({"what": "acknowledge", "actor": "", "alarms": [OPEN]}, "give who does it"),
        ({"what": "shelve", "actor": "a", "alarms": [OPEN], "for_s": 60}, "give a reason"),
        ({"what": "shelve", "actor": "a", "alarms": [OPEN], "reason": "b", "for_s": 1e6}, "24 h"),
        ({"what": "reset", "actor": "a", "alarms": [OPEN]}, "still holds cannot be reset"),
        ({"what": "destroy", "actor": "a", "alarms": [OPEN]}, "Invalid"),
        ({"what": "acknowledge", "actor": "a", "alarms": ["x@y"]}, "no such alarm"),
        ({"what": "acknowledge", "actor": "a", "place": "moon"}, "no device, rack, pod or branch"),
    ],
)
def test_what_makes_no_sense_is_declined_in_words(
    with_alarms: Callable[..., None], demo_site: SiteModel, body: dict[str, Any], says: str
) -> None:
    async def ask(watch: AlarmWatch, url: str) -> None:
        trip(demo_site, watch, 2)
        with pytest.raises(Rejected) as caught:
            await asyncio.to_thread(Client(url).send, "alarms", body)
        assert says in str(caught.value)
        assert watch.summary().sounding == [0, 1, 0], "nothing was changed"

    with_alarms(ask)


def test_a_page_from_elsewhere_changes_nothing(
    with_alarms: Callable[..., None], demo_site: SiteModel
) -> None:
    async def ask(watch: AlarmWatch, url: str) -> None:
        trip(demo_site, watch, 2)
        asked = {"what": "acknowledge", "actor": "x", "alarms": [OPEN]}
        async with aiohttp.ClientSession() as session:
            where = f"{url}/api/v1/alarms"
            async with session.post(where, json=asked, headers={"Origin": "http://e.x"}) as told:
                assert told.status == 403
            async with session.post(where, data=str(asked)) as told:
                assert told.status == 415
        assert watch.summary().sounding == [0, 1, 0]

    with_alarms(ask)


def test_a_disk_that_fails_stops_nothing_and_loses_nothing(
    demo_site: SiteModel, tmp_path: Path
) -> None:
    folder = tmp_path / "history"
    folder.write_text("no folder")

    async def look() -> None:
        watch = AlarmWatch(demo_site, folder, session=1)
        running = asyncio.create_task(watch.run())
        trip(demo_site, watch, 2)
        while not watch.trouble:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        assert "alarms are not kept" in watch.trouble
        folder.unlink()
        await watch.save()
        assert not watch.trouble
        running.cancel()

    asyncio.run(look())
    assert len(list(folder.glob("alarms*"))) == 2


def test_the_console_tells_of_its_own_computer(tmp_path: Path) -> None:
    check = SelfCheck(tmp_path)
    names = [event.kind for event in check.look("", 0.0, 1e9)]
    assert names in ([], ["disk-filling"])
    assert [e.kind for e in check.look("no room", 1.0, 1e9 + 1.0)] == ["history-stopped"]
    assert check.look("no room", 2.0, 1e9 + 2.2) == []
    assert [e.kind for e in check.look("", 3.0, 1e9 + 3.0)] == ["history-written"]
    (stepped,) = check.look("", 4.0, 1e9 + 3604.0)
    assert (stepped.kind, stepped.text) == (
        "clock-stepped",
        "The computer's clock was set by +3600.0 s.",
    )


def test_the_command_line_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alarms", "ack"]) == 2
    assert "names none" in capsys.readouterr().err
    assert run(["alarms", "list", "--data", "/nowhere"]) == 4


def test_once_there_are_accounts_a_role_is_needed_and_names_the_actor(
    demo_site: SiteModel, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "data")
    folder.make()
    door = Door(folder)
    watch = AlarmWatch(demo_site)

    async def inside() -> None:
        served = Served(live=Live(demo_site), alarms=watch)
        app = make_app(served, Hub(), host="127.0.0.1", static=tmp_path, door=door)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            await asyncio.to_thread(ask, url)
        finally:
            await runner.cleanup()

    def ask(url: str) -> None:
        trip(demo_site, watch, 2)
        until_utc_s = time.time() + 3600.0
        viewer = door.accounts.add_token("screen", "viewer", ("*",), until_utc_s)
        tenant = door.accounts.add_token("pod", "operator", ("pod1",), until_utc_s)
        door.accounts.add_user("vera", "a long password", "viewer", ("*",))
        with pytest.raises(Rejected, match="log in, or bring a token"):
            Client(url, "mallory").act("acknowledge", [OPEN])
        with pytest.raises(Rejected, match="screen is viewer; this needs operator"):
            Client(url, "mallory", viewer).act("acknowledge", [OPEN])
        with pytest.raises(Rejected, match="may act on pod1 only, not on q-pod"):
            Client(url, "mallory", tenant).act("acknowledge", [OPEN])
        assert Client(url, "", tenant).act("shelve", ["die-hot@pod1/r1/n01"], reason="x", for_s=9)
        assert Client(url, "anna", local_token(folder)).act("acknowledge", [OPEN]) == [OPEN]

    asyncio.run(inside())
