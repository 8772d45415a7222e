"""Tells receivers of alarms: a queue each, tried again until it works, and never waited for."""

import asyncio
import smtplib
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import structlog

from mallee.alarms import Change, Desk
from mallee.alarms.notices import SHAPES, Happened, Notice, mail
from mallee.console.receivers import Heartbeat, Receiver, Receivers
from mallee.core.event import Event
from mallee.core.event_kinds import new_event
from mallee.drivers.driver import Login

QUEUE_MAX: Final = 1000
TIMEOUT_S: Final = 10.0
RETRY_MIN_S, RETRY_MAX_S = 1.0, 300.0
SITE: Final = "site"
FAILED_AFTER: Final = 3
"""So many failures in a row are told at the console: somebody believes that he would be woken."""
_log = structlog.get_logger()


class Line:
    """What one receiver is still to be told.

    Attributes:
        failures: in a row.
        told: ids of alarms that it knows to stand.
        waits: by id, until when an alarm may still be acknowledged before it hears of it.
    """

    def __init__(self, receiver: Receiver, login: Login | None) -> None:
        self.receiver, self.login = receiver, login
        self.queue: deque[Notice] = deque(maxlen=QUEUE_MAX)
        self.filled = asyncio.Event()
        self.failures = 0
        self.told: set[str] = set()
        self.waits: dict[str, float] = {}

    def put(self, notice: Notice) -> None:
        """Never waits; of more than `QUEUE_MAX` the oldest are lost."""
        self.queue.append(notice)
        self.filled.set()


class Notifier:
    """Turns changes at a desk into notices.

    Args:
        logins: by name of receiver.
        console: address of the pages.
        trouble: why nobody can be told, where the file of receivers is wrong.
    """

    def __init__(
        self,
        desk: Desk,
        receivers: Receivers,
        logins: Mapping[str, Login | None],
        console: str,
        retry_min_s: float = RETRY_MIN_S,
        trouble: str = "",
    ) -> None:
        self._desk, self._console, self._retry_min_s = desk, console, retry_min_s
        self.lines = [Line(one, logins.get(one.name)) for one in receivers.receiver]
        self._heartbeat = receivers.heartbeat
        self._failing: set[str] = set()
        self._trouble = trouble

    def hear(self, changes: Iterable[Change], time_utc_s: float) -> None:
        """Queue what is to be told of what happened; never waits."""
        for change in changes:
            if change.what == "acknowledged":
                self._pass_on(change.alarm, "seen", time_utc_s)
            elif change.what in ("returned", "out of service"):
                self._pass_on(change.alarm, "over", time_utc_s)
        sounding = self._desk.state.annunciated
        for line in self.lines:
            for row in {change.alarm for change in changes if sounding[change.alarm]}:
                self._consider(line, row, time_utc_s)
            for name, due_s in list(line.waits.items()):
                row = self._desk.row_of[name]
                if not sounding[row]:
                    del line.waits[name]
                elif due_s <= time_utc_s:
                    del line.waits[name]
                    self._tell(line, row, "raised", time_utc_s)

    def take_events(self, now_s: float) -> list[Event]:
        """Receivers that cannot be reached, told once, and once when they can again."""
        if self._trouble:
            why, self._trouble = self._trouble, ""
            return [new_event("notification-failed", now_s, SITE, why=f"Nobody is told: {why}")]
        failing = {line.receiver.name for line in self.lines if line.failures >= FAILED_AFTER}
        before, self._failing = self._failing, failing
        if failing and not before:
            names = ", ".join(sorted(failing))
            why = f"Not to be reached: {names}; what is to be told is kept and tried again."
            return [new_event("notification-failed", now_s, SITE, why=why)]
        return [new_event("notification-works", now_s, SITE)] if before and not failing else []

    async def run(self, is_well: Callable[[], bool]) -> None:
        """Send until cancelled.

        Args:
            is_well: whether the heartbeat may be sent: what it stands for is well.
        """
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            for line in self.lines:
                tasks.create_task(self._send_all(line, session))
            if self._heartbeat is not None:
                tasks.create_task(_beat(self._heartbeat, session, is_well))

    def _consider(self, line: Line, row: int, time_utc_s: float) -> None:
        name, one = self._desk.ids[row], line.receiver
        if self._desk.kind_of(row).priority > one.priority_max:
            return
        if one.unseen_s > 0.0:
            line.waits.setdefault(name, time_utc_s + one.unseen_s)
        else:
            self._tell(line, row, "raised", time_utc_s)

    def _pass_on(self, row: int, happened: Happened, time_utc_s: float) -> None:
        """To those who know that it stands."""
        for line in self.lines:
            if self._desk.ids[row] in line.told:
                self._tell(line, row, happened, time_utc_s)

    def _tell(self, line: Line, row: int, happened: Happened, time_utc_s: float) -> None:
        desk, kind = self._desk, self._desk.kind_of(row)
        name = desk.ids[row]
        (line.told.discard if happened == "over" else line.told.add)(name)
        line.put(
            Notice(
                site=desk.site.name,
                id=name,
                kind=kind.name,
                place=desk.alarms.instances.source[row],
                priority=kind.priority,
                happened=happened,
                text=desk.said.get(row, ""),
                consequence=kind.consequence,
                response=kind.response,
                raised_utc_s=float(desk.state.raised_s[row]),
                time_utc_s=time_utc_s,
                explains=desk.explained_by(row),
                console=f"{self._console}#/alarms?alarm={name}",
            )
        )

    async def _send_all(self, line: Line, session: aiohttp.ClientSession) -> None:
        while True:
            while not line.queue:
                line.filled.clear()
                await line.filled.wait()
            notice = line.queue[0]
            try:
                await _send(line, notice, session)
            except (aiohttp.ClientError, smtplib.SMTPException, OSError, TimeoutError) as error:
                line.failures += 1
                _log.warning("not told", receiver=line.receiver.name, error=_plain(error))
                wait_s = self._retry_min_s * 2.0 ** min(line.failures - 1, 10)
                await asyncio.sleep(min(wait_s, RETRY_MAX_S))
                continue
            line.failures = 0
            if line.queue and line.queue[0] is notice:
                line.queue.popleft()


async def _send(line: Line, notice: Notice, session: aiohttp.ClientSession) -> None:
    one, login = line.receiver, line.login
    if one.shape == "email":
        await asyncio.wait_for(asyncio.to_thread(_mail, one, login, notice), 3.0 * TIMEOUT_S)
        return
    posted = SHAPES[one.shape](notice, "" if login is None else login.password)
    headers = {"Content-Type": "application/json", **posted.headers}
    url = one.url.rstrip("/") + posted.path
    async with session.post(
        url, data=posted.body, headers=headers, allow_redirects=False
    ) as answer:
        if answer.status >= 300:
            raise aiohttp.ClientError(f"answers {answer.status}")


def _mail(one: Receiver, login: Login | None, notice: Notice) -> None:
    """Send one message; in a thread, as it waits."""
    parts, message = urlsplit(one.url), mail(notice, one.sender, one.to)
    host, context = parts.hostname or "", ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_S)
    with server:
        if login is not None:
            if parts.scheme == "smtp":
                server.starttls(context=context)  # no password goes over an open line
            server.login(login.user, login.password)
        server.send_message(message)


async def _beat(
    heartbeat: Heartbeat, session: aiohttp.ClientSession, is_well: Callable[[], bool]
) -> None:
    while True:
        if is_well():
            try:
                async with session.get(heartbeat.url):
                    pass
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                _log.warning("heartbeat not sent", error=_plain(error))
        await asyncio.sleep(heartbeat.every_s)


def _plain(error: BaseException) -> str:
    """What went wrong, without addresses that hold tokens."""
    return type(error).__name__ if isinstance(error, aiohttp.InvalidURL) else str(error)[:200]
