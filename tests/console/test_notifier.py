"""Notices: their shapes, and receivers that answer, refuse, hang, or come back."""

import asyncio
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mallee.alarms.notices import Notice, alertmanager, ntfy, pagerduty, webhook
from mallee.console.alarms import AlarmWatch
from mallee.console.notifier import FAILED_AFTER, Notifier
from mallee.console.process import told_of_alarms
from mallee.console.receivers import Heartbeat, Receiver, Receivers, load_receivers, secrets_of
from mallee.core.errors import ConfigError
from mallee.drivers.driver import Login
from mallee.runtime.run_folder import RunFolder
from mallee.site.model import SiteModel
from tests.console.test_alarms import OPEN, trip

NOTICE = Notice(
    site="demo",
    id="rack-dark@pod1/r1",
    kind="rack-dark",
    place="pod1/r1",
    priority=2,
    happened="raised",
    text="None of its nodes answers or runs.",
    consequence="Jobs stand still.",
    response="Check the breaker.",
    raised_utc_s=1.8e9,
    time_utc_s=1.8e9 + 5.0,
    explains=18,
    console="http://127.0.0.1:8460/#/alarms",
)


def test_a_webhook_can_be_checked_by_who_has_the_secret() -> None:
    posted = webhook(NOTICE, "key")
    stamp = posted.headers["X-Mallee-Timestamp"]
    signed = hmac.new(b"key", f"{stamp}.".encode() + posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["X-Mallee-Signature"] == f"sha256={signed}"
    assert json.loads(posted.body)["id"] == NOTICE.id
    assert "X-Mallee-Signature" not in webhook(NOTICE, "").headers


def test_each_shape_says_when_it_begins_and_ends() -> None:
    import msgspec

    over = msgspec.structs.replace(NOTICE, happened="over")
    (alert,) = json.loads(alertmanager(NOTICE, "").body)
    assert alert["labels"] == {
        "alertname": "rack-dark",
        "site": "demo",
        "instance": "pod1/r1",
        "severity": "error",
    }
    (ended,) = json.loads(alertmanager(over, "").body)
    assert ended["labels"] == alert["labels"], "they find each other by labels"
    assert ended["endsAt"] == "2027-01-15T08:00:05.000+00:00" < alert["endsAt"]
    event, resolved = (json.loads(pagerduty(n, "key").body) for n in (NOTICE, over))
    assert (event["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert event["dedup_key"] == resolved["dedup_key"] == "demo/rack-dark@pod1/r1"
    assert event["payload"]["severity"] in ("critical", "error", "warning", "info")
    message = ntfy(NOTICE, "token")
    assert (message.headers["Priority"], message.headers["Authorization"]) == ("4", "Bearer token")
    assert b"Do: Check the breaker." in message.body


class Receiving:
    """A server that keeps what it is sent, and answers as a test wants."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.beats = 0
        self.status = 200
        self.came = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.got.append(await request.json())
        self.came.set()
        return web.Response(status=self.status)

    async def beat(self, _: web.Request) -> web.Response:
        self.beats += 1
        self.came.set()
        return web.Response()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.came.clear()
            await self.came.wait()


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiving, str]]:
    server, app = Receiving(), web.Application()
    app.router.add_post("/{tail:.*}", server.take)
    app.router.add_get("/beat", server.beat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield server, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def watched(site: SiteModel, receivers: Receivers) -> AlarmWatch:
    watch = AlarmWatch(site)
    watch.notifier = Notifier(watch.desk, receivers, {}, "http://console/", retry_min_s=0.001)
    return watch


def hook(url: str, **more: Any) -> Receiver:
    return Receiver(name="hook", shape="webhook", url=url, **more)


def test_one_trip_is_one_notice_and_its_end_another(demo_site: SiteModel) -> None:
    async def look() -> None:
        async with receiving() as (server, url):
            receivers = Receivers(
                receiver=[hook(url, priority_max=3)],
                heartbeat=Heartbeat(url=f"{url}/beat", every_s=0.01),
            )
            watch = watched(demo_site, receivers)
            assert watch.notifier is not None
            running = asyncio.create_task(watch.notifier.run(lambda: True))
            trip(demo_site, watch)
            await server.until(lambda: len(server.got) == 1)
            await watch.do(
                lambda t: watch.desk.act("acknowledge", watch.desk.select([OPEN]), t, "a")
            )
            await server.until(lambda: len(server.got) == 2 and server.beats > 1)
            assert [one["happened"] for one in server.got] == ["raised", "seen"]
            assert {one["id"] for one in server.got} == {OPEN}, "and not what it explains"
            running.cancel()

    asyncio.run(look())


def test_who_is_next_is_told_only_if_nobody_has_seen_it(demo_site: SiteModel) -> None:
    watch = watched(demo_site, Receivers(receiver=[hook("http://127.0.0.1:9/", unseen_s=20.0)]))
    assert watch.notifier is not None
    (line,) = watch.notifier.lines
    trip(demo_site, watch, 40)
    assert [notice.id for notice in line.queue] == [OPEN]
    calm = watched(demo_site, Receivers(receiver=[hook("http://127.0.0.1:9/", unseen_s=20.0)]))
    trip(demo_site, calm, 15)
    calm.desk.act("acknowledge", calm.desk.select([OPEN]), calm.desk.time_s, "a")
    assert calm.notifier is not None
    assert calm.notifier.lines[0].waits
    calm.notifier.hear([], calm.desk.time_s + 100.0)
    assert not calm.notifier.lines[0].queue


def test_a_receiver_that_refuses_is_tried_again_and_told_at_the_console(
    demo_site: SiteModel,
) -> None:
    async def look() -> None:
        async with receiving() as (server, url):
            watch = watched(demo_site, Receivers(receiver=[hook(url)]))
            notifier = watch.notifier
            assert notifier is not None
            running = asyncio.create_task(notifier.run(lambda: False))
            server.status = 503
            trip(demo_site, watch)
            await server.until(lambda: notifier.lines[0].failures >= FAILED_AFTER)
            (told,) = notifier.take_events(0.0)
            assert (told.kind, told.text) == (
                "notification-failed",
                "Not to be reached: hook; what is to be told is kept and tried again.",
            )
            assert notifier.take_events(1.0) == []
            server.status = 200
            await server.until(lambda: len(server.got) == 1)
            while notifier.lines[0].queue:  # noqa: ASYNC110 - the answer is on its way
                await asyncio.sleep(0.001)
            assert [event.kind for event in notifier.take_events(2.0)] == ["notification-works"]
            running.cancel()

    asyncio.run(look())


def test_a_receiver_that_hangs_holds_up_nothing_and_does_not_grow(demo_site: SiteModel) -> None:
    async def look() -> None:
        with socket.socket() as mute:  # takes connections, never answers
            mute.bind(("127.0.0.1", 0))
            mute.listen()
            async with receiving() as (server, url):
                deaf = Receiver(
                    name="deaf",
                    shape="webhook",
                    url=f"http://127.0.0.1:{mute.getsockname()[1]}/",
                )
                watch = watched(demo_site, Receivers(receiver=[deaf, hook(url)]))
                notifier = watch.notifier
                assert notifier is not None
                running = asyncio.create_task(notifier.run(lambda: False))
                trip(demo_site, watch)
                await server.until(lambda: len(server.got) == 1)
                for _ in range(3000):
                    notifier.lines[0].put(NOTICE)
                assert len(notifier.lines[0].queue) == 1000
                running.cancel()

    asyncio.run(look())


def smtp_server(got: list[str]) -> int:
    """Takes one message and closes."""
    listening = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        line, _ = listening.accept()
        with listening, line, line.makefile("rwb") as file:

            def say(text: str) -> None:
                file.write(text.encode() + b"\r\n")
                file.flush()

            say("220 test")
            while word := file.readline().decode():
                if word.upper().startswith("DATA"):
                    say("354 go on")
                    while (text := file.readline()) != b".\r\n":
                        got.append(text.decode().rstrip())
                    say("250 kept")
                elif word.upper().startswith("QUIT"):
                    say("221 bye")
                    return
                else:
                    say("250 fine")

    threading.Thread(target=talk, daemon=True).start()
    port: int = listening.getsockname()[1]
    return port


def test_an_email_arrives(demo_site: SiteModel) -> None:
    got: list[str] = []
    receiver = Receiver(
        name="mail",
        shape="email",
        url=f"smtp://127.0.0.1:{smtp_server(got)}",
        sender="mallee@site.example",
        to=["shift@site.example"],
    )

    async def look() -> None:
        watch = watched(demo_site, Receivers(receiver=[receiver]))
        notifier = watch.notifier
        assert notifier is not None
        running = asyncio.create_task(notifier.run(lambda: False))
        trip(demo_site, watch)
        while notifier.lines[0].queue:  # noqa: ASYNC110 - nothing tells when it is sent
            await asyncio.sleep(0.005)
        running.cancel()

    asyncio.run(look())
    assert "Subject: charging-site: breaker-open q-pod" in got
    assert any(line.startswith("Do: Find the overload") for line in got)


def test_the_file_of_receivers_is_checked_and_secrets_stay_out_of_it(tmp_path: Path) -> None:
    path = tmp_path / "notify.toml"
    assert load_receivers(path) == Receivers()
    path.write_text(
        """
        [[receiver]]
        name = "on-call"
        shape = "pagerduty"
        url = "https://events.pagerduty.com/v2/enqueue"
        credentials = "pagerduty"
        priority_max = 1
        [heartbeat]
        url = "https://alive.example/ping"
        """
    )
    found = load_receivers(path)
    assert found.receiver[0].priority_max == 1
    logins = secrets_of(found, lambda name: Login(name, "key"))
    assert logins["on-call"] == Login("pagerduty", "key")
    for wrong, says in (
        ('[[receiver]]\nname = "a"\nshape = "pigeon"\nurl = "http://x"', "pigeon"),
        ('[[receiver]]\nname = "a"\nshape = "ntfy"\nurl = "ftp://x"', "http or https"),
        ('[[receiver]]\nname = "a"\nshape = "ntfy"\nurl = "http://u:p@x"', "holds a password"),
        ('[[receiver]]\nname = "a"\nshape = "email"\nurl = "smtp://x"', "needs sender and to"),
        ('[[receiver]]\nname = "a"\nshape = "pagerduty"\nurl = "http://x"', "routing key"),
        ("[[receiver]]\nnames = 1", "names"),
        ("[receiver", "notify.toml"),
    ):
        path.write_text(wrong)
        with pytest.raises(ConfigError) as caught:
            load_receivers(path)
        assert says in str(caught.value)


def test_a_dead_mans_ping_stops_with_what_it_stands_for(demo_site: SiteModel) -> None:
    async def look() -> None:
        async with receiving() as (server, url):
            watch = watched(
                demo_site, Receivers(heartbeat=Heartbeat(url=f"{url}/beat", every_s=0.005))
            )
            assert watch.notifier is not None
            well = True
            running = asyncio.create_task(watch.notifier.run(lambda: well))
            await server.until(lambda: server.beats >= 2)
            well = False
            await asyncio.sleep(0.02)
            before = server.beats
            await asyncio.sleep(0.05)
            assert server.beats <= before + 1
            running.cancel()

    asyncio.run(look())


def test_a_wrong_file_of_receivers_is_an_alarm_and_stops_nothing(
    demo_site: SiteModel, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "notify.toml").write_text(
        '[[receiver]]\nname = "a"\nshape = "ntfy"\nurl = "http://x"\ncredentials = "a"\n'
    )
    told = told_of_alarms(folder, tmp_path / "secrets.toml")
    assert "no such login" in told.trouble
    watch = AlarmWatch(demo_site)
    notifier = Notifier(watch.desk, told.receivers, told.logins, "", trouble=told.trouble)
    (event,) = notifier.take_events(0.0)
    assert event.text.startswith("Nobody is told: credentials 'a': no such login")
    assert notifier.take_events(1.0) == []
