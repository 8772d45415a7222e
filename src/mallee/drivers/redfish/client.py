"""A thin Redfish client: one connection, one session, JSON resources in and PATCHes out (DSP0266).

A BMC serves few clients at a time (four on GB200, two of them taken by NVIDIA DPS), so a device
gets one persistent connection and one request in flight.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from mallee.core.errors import DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.drivers.driver import Login
from mallee.drivers.http import base_url, named_errors, read_body
from mallee.drivers.redfish.codec import find, parse_document

ROOT = "/redfish/v1/"
_SESSIONS = "/redfish/v1/SessionService/Sessions"
REDIRECTS_MAX = 5
CHANGE_TIMEOUTS = 10.0
"""Services that carry out a change before they answer it take so much longer than for a look."""
_HEADERS = {"OData-Version": "4.0", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class RedfishClient:
    """One Redfish service. Logs in by itself and again when the session has expired.

    Args:
        address: "host:port", or "host:port/path" behind a proxy.
        login: user for a session; None talks without one.
        tls: context that verifies the service; None speaks plain HTTP.
        timeout_s: longest wait for one answer.
    """

    def __init__(
        self, address: str, login: Login | None, tls: ssl.SSLContext | None, timeout_s: float
    ) -> None:
        self.address = address
        self._login = login
        self._tls = tls
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._patience = aiohttp.ClientTimeout(total=CHANGE_TIMEOUTS * timeout_s)
        self._base, self._below = base_url("http" if tls is None else "https", address)
        self._http: aiohttp.ClientSession | None = None
        self._one_at_a_time = asyncio.Lock()
        self._authorization: dict[str, str] = {}
        self._session_path = ""
        self._no_session = ""

    async def open(self) -> None:
        """Log in, if that has not happened yet.

        Raises:
            Unreachable, Refused, Malformed: as every request.
        """
        async with self._one_at_a_time:
            await self._log_in_once()

    async def get(self, path: str) -> tuple[dict[str, Any] | None, str]:
        """A resource and its ETag; None where the service has none there.

        Raises:
            Unreachable, Refused, Malformed: it is not known what the resource holds.
        """
        answer = await self._ask("GET", path)
        if answer.status in (404, 410):
            return None, ""
        where = f"{self.address}{path}"
        _check_served(answer, where)
        if answer.status != 200:
            raise Malformed(f"{where}: status {answer.status} to a GET", answer.body)
        document = parse_document(answer.body, where)
        # Some services name the ETag in the body alone.
        inside = document.get("@odata.etag")
        return document, answer.headers.get("ETag") or (inside if isinstance(inside, str) else "")

    async def patch(self, path: str, body: dict[str, Any], etag: str) -> bool:
        """Change properties, only if the resource still is what `etag` says (empty: in any case).

        Returns:
            False where the resource changed since; read it again and decide again.

        Raises:
            Rejected: the service declined; the message is its own.
            Unreachable, Refused, Malformed: it is not known whether it arrived.
        """
        answer = await self._ask("PATCH", path, body, {"If-Match": etag} if etag else {})
        _check_served(answer, f"{self.address}{path}")
        if answer.status == 412:
            return False
        if answer.status >= 300:
            why = _message_of(answer.body) or f"status {answer.status}"
            raise Rejected(f"{self.address}{path}: {why}")
        return True

    async def close(self) -> None:
        """Log out, so that the session slot is free for others, and disconnect."""
        http, self._http = self._http, None
        if http is None:
            return
        if self._session_path.strip("/"):
            with suppress(DeviceError), named_errors(self.address):
                await self._send(http, "DELETE", self._session_path, None, {})
        self._session_path, self._authorization = "", {}
        await http.close()

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> _Answer:
        """One request in the session; a session that has expired is replaced once."""
        async with self._one_at_a_time:
            http = await self._log_in_once()
            answer = await self._send(http, method, path, body, headers or {})
            if answer.status == 401 and self._no_session:
                text = f"{self.address}{path}: no session ({self._no_session}), and no Basic login"
                self._authorization, self._no_session = {}, ""
                raise Unreachable(text)
            if answer.status == 401 and self._session_path:
                self._session_path, self._authorization = "", {}
                http = await self._log_in_once()
                answer = await self._send(http, method, path, body, headers or {})
        return answer

    async def _log_in_once(self) -> aiohttp.ClientSession:
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=1, ssl=True if self._tls is None else self._tls)
            self._http = aiohttp.ClientSession(
                self._base,
                connector=connector,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
            )
        if self._login is not None and not self._authorization:
            await self._log_in(self._http, self._login)
        return self._http

    async def _log_in(self, http: aiohttp.ClientSession, login: Login) -> None:
        """Open a session where the service root says; Basic authentication where it has none."""
        where = f"{self.address}{ROOT}"
        answer = await self._send(http, "GET", ROOT, None, {})
        _check_served(answer, where)
        if answer.status != 200:
            raise Malformed(f"{where}: status {answer.status}, no Redfish service", answer.body)
        root = parse_document(answer.body, where)
        advertised = find(root, ("Links", "Sessions", "@odata.id"))
        path = advertised if isinstance(advertised, str) else _SESSIONS
        credentials = {"UserName": login.user, "Password": login.password}
        answer = await self._send(http, "POST", path, credentials, {})
        token = answer.headers.get("X-Auth-Token", "")
        if answer.status in (400, 401, 403):
            why = _message_of(answer.body)
            raise Refused(
                f"{self.address}: login of {login.user!r} denied" + (f" ({why})" if why else "")
            )
        if answer.status in (200, 201) and token:
            location = answer.headers.get("Location") or _own_path(answer.body)
            self._session_path = urlsplit(location).path
            self._authorization = {"X-Auth-Token": token}
        else:  # no session service, or no session left
            self._no_session = _message_of(answer.body) or f"status {answer.status}"
            basic = b64encode(f"{login.user}:{login.password}".encode()).decode()
            self._authorization = {"Authorization": f"Basic {basic}"}

    async def _send(
        self,
        http: aiohttp.ClientSession,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        headers: dict[str, str],
    ) -> _Answer:
        where = f"{self.address}{path}"
        headers = {**self._authorization, **headers}
        data = None
        if body is not None:
            data, headers["Content-Type"] = msgspec.json.encode(body), "application/json"
        below = "" if path.startswith(f"{self._below}/") else self._below
        url = below + path
        timeout = self._patience if method == "PATCH" else self._timeout
        for _ in range(REDIRECTS_MAX):
            with named_errors(where):
                async with http.request(
                    method, url, data=data, headers=headers, allow_redirects=False, timeout=timeout
                ) as response:
                    content = await _body_of(response, where)
                    answer = _Answer(response.status, response.headers, content)
            onward = self._onward(answer)
            if not onward:
                return answer
            url = onward
        raise Malformed(f"{where}: redirected {REDIRECTS_MAX} times")

    def _onward(self, answer: _Answer) -> str:
        """Where a redirect leads on the same host; empty for none: never with a login elsewhere."""
        if answer.status not in (301, 302, 307, 308):
            return ""
        target = urlsplit(answer.headers.get("Location", ""))
        home = urlsplit(self._base)
        if target.netloc and (target.scheme, target.netloc) != (home.scheme, home.netloc):
            return ""
        return target.path + (f"?{target.query}" if target.query else "")


async def _body_of(response: aiohttp.ClientResponse, where: str) -> bytes:
    """The whole body; of a refusal that breaks off the status is enough."""
    try:
        return await read_body(response, where)
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError):
        if response.status != 401:
            raise
        response.close()
        return b""


def _own_path(body: bytes) -> str:
    """Path of a new session, from its own resource."""
    try:
        path = find(msgspec.json.decode(body), ("@odata.id",))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return path if isinstance(path, str) else ""


def _check_served(answer: _Answer, where: str) -> None:
    """Raise where the service does not let this client in, or cannot serve this resource."""
    said = _message_of(answer.body)
    why = f"status {answer.status}" + (f", {said}" if said else "")
    if answer.status in (401, 403):
        raise Refused(f"{where}: {why}")
    if answer.status >= 500 and answer.status != 501:
        raise Unserved(f"{where}: {why}")


class Unserved(Unreachable):
    """The service answers, but cannot serve this resource now."""


def _message_of(body: bytes) -> str:
    """The service's own words: first message of the extended information, else the error's."""
    try:
        error = find(msgspec.json.decode(body), ("error",))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    for pointer in (("@Message.ExtendedInfo", "0", "Message"), ("message",)):
        text = find(error, pointer)
        if isinstance(text, str) and text:
            return text[:500]
    return ""
