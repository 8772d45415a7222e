"""The console's HTTP side: pages, JSON for programs, and the stream of frames.

Everything here reads. It listens on the loopback interface unless told otherwise; there it answers
only to loopback names, so that a page from elsewhere cannot reach it through a name it controls.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from mallee.console.hub import Hub
from mallee.console.live import EventRow, Live

STATIC_FOLDER = Path(__file__).parent / "static"
LIVE = web.AppKey("live", Live)
HUB = web.AppKey("hub", Hub)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NOT_BUILT = (
    "The console's pages are not built yet. Run ./run once, or in the folder web: "
    "npm ci && npm run build"
)
EVENTS_MAX = 500

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PointList(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of all points in row order, one page of them."""

    first: int
    total: int
    paths: list[str]


class EventList(msgspec.Struct, frozen=True, kw_only=True):
    """Events, newest first."""

    events: list[EventRow]


def make_app(live: Live, hub: Hub, *, host: str, static: Path = STATIC_FOLDER) -> web.Application:
    """The web application.

    Args:
        host: address it will listen on; loopback ones restrict the host names it answers to.
        static: folder with the built pages.
    """
    middlewares = [_secure]
    if _is_loopback(host):
        middlewares.append(_loopback_names_only)
    app = web.Application(middlewares=middlewares)
    app[LIVE], app[HUB] = live, hub
    app.router.add_get("/api/v1/site", _site)
    app.router.add_get("/api/v1/points", _points)
    app.router.add_get("/api/v1/status", _status)
    app.router.add_get("/api/v1/history", _history)
    app.router.add_get("/api/v1/events", _events)
    app.router.add_get("/ws", _watch)
    if (static / "index.html").exists():

        async def index(_: web.Request) -> web.StreamResponse:
            return web.FileResponse(static / "index.html", headers={"Cache-Control": "no-cache"})

        app.router.add_get("/", index)
        app.router.add_static("/", static)
    else:
        app.router.add_get("/", _not_built)

    async def let_go(_: web.Application) -> None:
        hub.close()

    app.on_shutdown.append(let_go)
    return app


async def _not_built(_: web.Request) -> web.StreamResponse:
    return web.Response(text=NOT_BUILT, status=503)


async def _site(request: web.Request) -> web.StreamResponse:
    return _json(request.app[LIVE].info)


async def _points(request: web.Request) -> web.StreamResponse:
    site = request.app[LIVE].site
    first = _whole(request, "first", 0, site.point_count)
    count = _whole(request, "count", 1000, 10_000)
    rows = range(first, min(first + count, site.point_count))
    paths = [site.point_path(row) for row in rows]
    return _json(PointList(first=first, total=site.point_count, paths=paths))


async def _status(request: web.Request) -> web.StreamResponse:
    return _json(request.app[LIVE].text)


async def _history(request: web.Request) -> web.StreamResponse:
    return _json(request.app[LIVE].trend.columns())


async def _events(request: web.Request) -> web.StreamResponse:
    count = _whole(request, "count", 50, EVENTS_MAX)
    return _json(EventList(events=list(request.app[LIVE].events)[:count]))


async def _watch(request: web.Request) -> web.StreamResponse:
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text=f"a page from {origin} may not watch this site")
    # without compression: float32 hardly shrinks and it costs three times the time of sending
    socket = web.WebSocketResponse(compress=False, heartbeat=20.0, max_msg_size=1024)
    await socket.prepare(request)
    await request.app[HUB].serve(socket)
    return socket


def _json(answer: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(answer),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _whole(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number from the query, 0..most."""
    given = request.query.get(name, str(default))
    if not given.isdecimal() or int(given) > most:
        raise web.HTTPBadRequest(text=f"{name}={given}: must be a whole number of 0 to {most}")
    return int(given)


@web.middleware
async def _secure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Add the security headers to whatever is answered."""
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    if not answer.prepared:
        answer.headers.update(HEADERS)
        if request.path.startswith("/assets/"):  # their names change with their contents
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


@web.middleware
async def _loopback_names_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    name = urlsplit(f"//{request.host}").hostname or ""
    if not _is_loopback(name):
        raise web.HTTPMisdirectedRequest(text=f"{name} is not a name of this machine's loopback")
    return await handler(request)


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
