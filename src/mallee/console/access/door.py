"""The door: who a request is from, and what a write must bring to be let in.

A program brings a bearer token. A page brings a session cookie (HttpOnly, SameSite=Strict) and, to
write, the session's own CSRF token in a header; a page from elsewhere can send neither the header
nor JSON without being asked, and an `Origin` that is not this host is refused before anything else.
A command on this machine brings the token of the run folder, which only its owner can read.
"""

import hashlib
import hmac
import os
import pwd
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from mallee.actions import Role
from mallee.console.access.accounts import Accounts
from mallee.console.access.limits import Tries
from mallee.console.access.principal import Principal
from mallee.core.request import SITE
from mallee.runtime.run_folder import RunFolder, write_private

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "mallee-session"
CSRF = "X-CSRF-Token"
SESSION_S = 12 * 3600.0
SESSIONS_MAX = 1000
BODY_BYTES_MAX = 64 << 10
LOCAL_TOKEN = "token"
"""In the run folder, which is its owner's only."""


@dataclass(frozen=True, slots=True)
class _Session:
    user: str
    csrf: str
    until_utc_s: float


class Door:
    """Lets people and programs in.

    Args:
        folder: of the running site: its users' file, and the token for commands on this machine.
        now: UTC; tests pass a clock of their own.
    """

    def __init__(self, folder: RunFolder, now: Callable[[], float] = time.time) -> None:
        self.accounts = Accounts(users_path(folder))
        self.logins = Tries(burst=5.0, per_s=1.0 / 12.0)
        self.writes = Tries(burst=30.0, per_s=1.0)
        self.now = now
        self._local = secrets.token_urlsafe(32)
        self._owner = pwd.getpwuid(os.getuid()).pw_name
        self._sessions: dict[str, _Session] = {}
        write_private(folder.run / LOCAL_TOKEN, self._local.encode())

    def begin_session(self, user: str) -> tuple[str, str]:
        """Cookie and CSRF token of a new session."""
        now_s = self.now()
        live = {key: one for key, one in self._sessions.items() if one.until_utc_s > now_s}
        self._sessions = live if len(live) < SESSIONS_MAX else {}
        cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._sessions[_hashed(cookie)] = _Session(user, csrf, now_s + SESSION_S)
        return cookie, csrf

    def end_session(self, request: web.Request) -> None:
        """Forget the session of a request."""
        self._sessions.pop(_hashed(request.cookies.get(COOKIE, "")), None)

    def csrf_of(self, request: web.Request) -> str:
        """The CSRF token that writes of this session must bring; empty without a session."""
        session = self._session(request)
        return session.csrf if session else ""

    def principal(self, request: web.Request) -> Principal | None:
        """Who a request is from; None for nobody known."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if hmac.compare_digest(_bytes(text.strip()), self._local.encode()):
                return Principal(name=self._owner, role="admin", scope=(SITE,), via="local")
            return self.accounts.check_token(text.strip(), self.now())
        session = self._session(request)
        return self.accounts.user(session.user) if session else None

    def let_in(self, request: web.Request, role: Role, place: str) -> Principal:
        """Who writes, if they may.

        Raises:
            HTTPUnauthorized, HTTPForbidden, HTTPTooManyRequests: they may not, or not now.
        """
        who = self.principal(request)
        if who is None:
            raise web.HTTPUnauthorized(
                text="log in, or bring a token", headers={"WWW-Authenticate": "Bearer"}
            )
        brought = _bytes(request.headers.get(CSRF, ""))
        if who.via == "page" and not hmac.compare_digest(brought, self.csrf_of(request).encode()):
            raise web.HTTPForbidden(text=f"the page's {CSRF} is missing or old: load it again")
        why_not = who.why_not(role, place)
        if why_not:
            raise web.HTTPForbidden(text=why_not)
        hold(self.writes.wait_s(f"{who.via} {who.name}", time.monotonic()))
        return who

    def _session(self, request: web.Request) -> _Session | None:
        session = self._sessions.get(_hashed(request.cookies.get(COOKIE, "")))
        return session if session and session.until_utc_s > self.now() else None


DOOR = web.AppKey("door", Door)


def door_of(request: web.Request) -> Door:
    """The door of the application of a request.

    Raises:
        HTTPServiceUnavailable: it has none.
    """
    door = request.app.get(DOOR)
    if door is None:
        raise web.HTTPServiceUnavailable(text="nobody can log in here")
    return door


def hold(wait_s: float) -> None:
    """Turn somebody away who comes too often.

    Raises:
        HTTPTooManyRequests: with how long to wait.
    """
    if wait_s > 0.0:
        raise web.HTTPTooManyRequests(
            text=f"too many tries: wait {wait_s:.0f} s", headers={"Retry-After": f"{wait_s:.0f}"}
        )


@web.middleware
async def guard_writes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what no page of ours and no program sends, before anybody looks at it."""
    leads_nowhere = request.match_info.http_exception is not None
    if leads_nowhere or request.method in ("GET", "HEAD", "OPTIONS"):
        return await handler(request)
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text=f"a page from {origin} may not write here")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="a page from elsewhere may not write here")
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    return await handler(request)


def users_path(folder: RunFolder) -> Path:
    """The file of users and tokens of a site."""
    return folder.path / "access.json"


def local_token(folder: RunFolder) -> str:
    """The token for commands of this machine's owner.

    Raises:
        OSError: it is not there, or not ours to read.
    """
    return (folder.run / LOCAL_TOKEN).read_text(encoding="ascii")


def _hashed(text: str) -> str:
    return hashlib.sha256(_bytes(text)).hexdigest()


def _bytes(text: str) -> bytes:
    """A header as it came, also where it is no UTF-8."""
    return text.encode("utf-8", "surrogateescape")
