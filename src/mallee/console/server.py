"""The console's HTTP side: pages, JSON for programs, and the stream of frames.

What writes passes the door of `console.access`. It listens on the loopback interface unless told
otherwise; there it answers only to loopback names, so that a page from elsewhere cannot reach it
through a name it controls.
"""

from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from mallee.console.access.door import BODY_BYTES_MAX, DOOR, Door, guard_writes
from mallee.console.api import POSTS, ROUTES
from mallee.console.api.actions import DESK
from mallee.console.api.serving import SERVED, Handler, Served, is_loopback
from mallee.console.desk import Desk
from mallee.console.hub import Hub

STATIC_FOLDER = Path(__file__).parent / "static"
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


def make_app(
    served: Served,
    hub: Hub,
    *,
    host: str,
    static: Path = STATIC_FOLDER,
    door: Door | None = None,
    desk: Desk | None = None,
) -> web.Application:
    """The web application.

    Args:
        served: what the API answers from.
        host: address it will listen on; loopback ones restrict the host names it answers to.
        static: folder with the built pages.
        door: lets in those who write; without it nothing can be written.
        desk: where actions go.
    """
    middlewares = [_secure, guard_writes]
    if is_loopback(host):
        middlewares.append(_loopback_names_only)
    app = web.Application(middlewares=middlewares, client_max_size=BODY_BYTES_MAX)
    app[SERVED], app[HUB] = served, hub
    for path, handler in ROUTES:
        app.router.add_get(path, handler)
    for path, handler in POSTS:
        app.router.add_post(path, handler)
    if door is not None:
        app[DOOR] = door
    if desk is not None:
        app[DESK] = desk
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


async def _watch(request: web.Request) -> web.StreamResponse:
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text=f"a page from {origin} may not watch this site")
    # without compression: float32 hardly shrinks and it costs three times the time of sending
    socket = web.WebSocketResponse(compress=False, heartbeat=20.0, max_msg_size=1024)
    await socket.prepare(request)
    await request.app[HUB].serve(socket)
    return socket


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
    if not is_loopback(name):
        raise web.HTTPMisdirectedRequest(text=f"{name} is not a name of this machine's loopback")
    return await handler(request)
