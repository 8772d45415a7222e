"""What all resources share: what they answer from, how they answer, how they read a query."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from mallee.console.live import Live
from mallee.runtime.board import Board

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, Handler]
"""A path to GET, and who answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is served.

    Attributes:
        board: None in tests that need none.
        history: folder of the site's history.
    """

    live: Live
    board: Board | None = None
    history: Path | None = None


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
