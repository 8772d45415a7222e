"""What all resources share: what they answer from, how they answer, how they read a query."""

import ipaddress
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from mallee.console.alarms import AlarmWatch
from mallee.console.live import Live
from mallee.runtime.board import Board
from mallee.runtime.run_folder import RunFolder

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, Handler]
"""A path to GET or POST, and who answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is served.

    Attributes:
        board: None in tests that need none.
        history: folder of the site's history.
        alarms: None in tests that need none.
        run: data folder of the running site.
    """

    live: Live
    board: Board | None = None
    history: Path | None = None
    alarms: AlarmWatch | None = None
    run: RunFolder | None = None


SERVED = web.AppKey("served", Served)


def served(request: web.Request) -> Served:
    """What the application of a request serves."""
    return request.app[SERVED]


def answer(what: Any) -> web.Response:
    """A struct as JSON."""
    return web.Response(
        body=msgspec.json.encode(what),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


T = TypeVar("T")


async def body(request: web.Request, of: type[T]) -> T:
    """The struct that a request carries as JSON."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send it as application/json")
    try:
        return msgspec.json.decode(await request.read(), type=of)
    except msgspec.DecodeError as error:
        raise web.HTTPBadRequest(text=str(error)) from None


def may_write(request: web.Request) -> None:
    """Only this computer's own programs and pages may change anything.

    A page from elsewhere cannot: it may send no JSON here without being asked first, and says
    where it is from.
    """
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text=f"a page from {origin} may change nothing here")
    if not is_loopback(request.remote or ""):
        raise web.HTTPForbidden(text="only programs of this computer may change anything")


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def whole(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number from the query, 0..most."""
    given = request.query.get(name, str(default))
    if not given.isdecimal() or int(given) > most:
        raise web.HTTPBadRequest(text=f"{name}={given}: must be a whole number of 0 to {most}")
    return int(given)


def seconds(request: web.Request, name: str, default: float) -> float:
    """A time in UTC seconds from the query."""
    given = request.query.get(name)
    if given is None:
        return default
    try:
        time_s = float(given)
    except ValueError:
        time_s = math.nan
    if not math.isfinite(time_s):
        raise web.HTTPBadRequest(text=f"{name}={given}: must be UTC seconds since 1970")
    return time_s


def number_or_none(value: float) -> float | None:
    """JSON knows no NaN and no infinity."""
    return value if math.isfinite(value) else None
