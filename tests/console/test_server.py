"""The HTTP side over real sockets: what it answers, whom it answers, and the stream of frames."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from mallee.console.api.serving import Served
from mallee.console.hub import Hub
from mallee.console.live import Live
from mallee.console.server import make_app
from mallee.core.event import Event
from mallee.site.model import SiteModel


class Client:
    """A console on a free port and a session to it."""

    def __init__(self, live: Live, hub: Hub, url: str, session: aiohttp.ClientSession) -> None:
        self.live, self.hub, self.url, self.session = live, hub, url, session

    async def json(self, path: str) -> dict[str, object]:
        async with self.session.get(self.url + path) as answer:
            assert answer.status == 200
            found: dict[str, object] = await answer.json()
            return found

    async def status(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def console(site: SiteModel, static: Path) -> AsyncIterator[Client]:
    live, hub = Live(site), Hub()
    runner = web.AppRunner(
        make_app(Served(live=live), hub, host="127.0.0.1", static=static), shutdown_timeout=0.1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as session:
            yield Client(live, hub, url, session)
    finally:
        await runner.cleanup()


Try = Callable[[Client], Awaitable[None]]


@pytest.fixture
def with_console(demo_site: SiteModel, tmp_path: Path) -> Callable[[Try], None]:
    """Runs a coroutine against a console that serves a stand-in for the built pages."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "assets/index-1a2b.js").write_text("0")

    def run(what: Try) -> None:
        async def inside() -> None:
            async with console(demo_site, tmp_path) as client:
                await what(client)

        asyncio.run(inside())

    return run


def test_what_programs_can_ask(with_console: Callable[[Try], None]) -> None:
    async def ask(client: Client) -> None:
        site = await client.json("/api/v1/site")
        assert (site["name"], site["timezone"], site["twin"]) == (
            *("charging-site", "America/Chicago", True),
        )
        points = await client.json("/api/v1/points?first=0&count=2")
        assert points["paths"] == ["meter/import_w", "meter/reactive_var"]
        assert points["total"] == client.live.site.point_count
        assert (await client.json("/api/v1/status"))["status"] is None
        assert (await client.json("/api/v1/trend"))["time_utc_s"] == []
        client.live.add_event(Event(time_s=0.0, kind="mode", source="control", text="x"), 1.7e9)
        events = await client.json("/api/v1/events")
        assert events["events"] == [
            {
                "time_utc_s": 1.7e9,
                "kind": "mode",
                "source": "control",
                "text": "x",
                "severity": 0,
            }
        ]

    with_console(ask)


def test_wrong_questions_say_what_would_be_right(with_console: Callable[[Try], None]) -> None:
    async def ask(client: Client) -> None:
        status, text = await client.status("/api/v1/events?count=lots")
        assert (status, text) == (400, "count=lots: must be a whole number of 0 to 1000")
        assert (await client.status("/api/v1/points?count=99999999"))[0] == 400
        assert (await client.status("/api/v1/nothing"))[0] == 404
        assert (await client.status("/assets/../../server.py"))[0] == 404

    with_console(ask)


def test_pages_carry_the_security_headers(with_console: Callable[[Try], None]) -> None:
    async def ask(client: Client) -> None:
        for path, cache in (
            *(("/", "no-cache"), ("/api/v1/site", "no-store")),
            ("/assets/index-1a2b.js", "public, max-age=31536000, immutable"),
        ):
            async with client.session.get(client.url + path) as answer:
                assert answer.status == 200
                policy = answer.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'self';")
                assert "unsafe" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == cache
        async with client.session.get(client.url + "/nothing") as answer:
            assert "Content-Security-Policy" in answer.headers

    with_console(ask)


def test_only_pages_of_its_own_may_watch(with_console: Callable[[Try], None]) -> None:
    async def ask(client: Client) -> None:
        assert (await client.status("/ws", Origin="http://elsewhere.example"))[0] == 403
        assert (await client.status("/api/v1/site", Host="rebound.example:80"))[0] == 421
        port = client.url.rpartition(":")[2]
        assert (await client.status("/api/v1/site", Host=f"localhost:{port}"))[0] == 200
        async with client.session.post(client.url + "/api/v1/site") as answer:
            assert answer.status == 405

    with_console(ask)


def test_a_watcher_gets_the_last_frame_at_once_and_then_the_next(
    with_console: Callable[[Try], None],
) -> None:
    async def watch(client: Client) -> None:
        client.hub.publish(b"first")
        async with client.session.ws_connect(client.url + "/ws", origin=client.url) as socket:
            assert await socket.receive_bytes(timeout=5) == b"first"
            client.hub.publish(b"second")
            assert await socket.receive_bytes(timeout=5) == b"second"
            assert client.hub.watchers == 1
        async with client.session.ws_connect(client.url + "/ws") as socket:
            assert await socket.receive_bytes(timeout=5) == b"second"
            client.hub.close()
            assert (await socket.receive(timeout=5)).type == aiohttp.WSMsgType.CLOSE

    with_console(watch)


def test_a_slow_watcher_misses_frames_and_holds_up_nobody(
    with_console: Callable[[Try], None],
) -> None:
    async def watch(client: Client) -> None:
        async with client.session.ws_connect(client.url + "/ws") as fast:
            slow = await client.session.ws_connect(client.url + "/ws", max_msg_size=0)
            big = bytes(8_000_000)
            for number in range(10):  # nobody reads `slow`: its socket fills up
                frame = big + bytes([number])
                client.hub.publish(frame)
            client.hub.publish(b"last")
            while await fast.receive_bytes(timeout=5) != b"last":
                pass
            await slow.close()

    with_console(watch)


def test_pages_that_are_not_built_say_how_to_build_them(
    demo_site: SiteModel, tmp_path: Path
) -> None:
    async def inside() -> None:
        async with console(demo_site, tmp_path / "none") as client:
            status, text = await client.status("/")
            assert status == 503
            assert "npm ci && npm run build" in text

    asyncio.run(inside())
