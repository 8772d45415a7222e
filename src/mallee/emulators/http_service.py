"""What the HTTP emulators share: a listener for one device, and how it answers badly on purpose."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import numpy as np
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod
from aiohttp.web_protocol import RequestHandler

from mallee.emulators.device import Health, Place, Running

Answer = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
"""Answers a request to one device; takes the path as that device sees it."""


class BadAnswers:
    """The fault side of one emulated HTTP service.

    Args:
        health: looked at on every request.
        content_type: of the answers whose body is noise.
    """

    def __init__(self, health: Health, content_type: str) -> None:
        self._health = health
        self._content_type = content_type
        self._noise = np.random.default_rng(0x6A)
        self._count = 0

    async def instead(self, request: web.BaseRequest) -> web.Response | None:
        """What goes out in place of an answer; None where the device is well (or only late)."""
        state = self._health.state
        if state == "ok":
            return None
        if state == "slow":
            await asyncio.sleep(self._health.delay_s)
            return None
        if state == "silent":
            await asyncio.Event().wait()  # until the client gives up and the handler is cancelled
        if state == "garbage":
            return self._garbage(request)
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="device"'})

    def _garbage(self, request: web.BaseRequest) -> web.Response:
        """In turn bytes that are no HTTP, and an HTTP answer whose body is noise."""
        self._count += 1
        noise = self._noise.bytes(256)
        if self._count % 2 and request.transport is not None:
            request.transport.write(b"\x00" + noise)
            request.transport.close()
        return web.Response(body=b"\xff" + noise, content_type=self._content_type)


class _Protocol(RequestHandler):
    """Says 501 to a method that HTTP does not know (RFC 9110, 15.6.2), where aiohttp says 400."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to a request that could not be parsed or handled."""
        status = 501 if isinstance(exc, BadHttpMethod) else status
        return super().handle_error(request, status, exc, message)


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        """One per connection."""
        return _Protocol(self, loop=self._loop, **self._kwargs)


async def listen(answers: Mapping[str, Answer], place: Place) -> Running:
    """Serve devices. Without routing and middleware an answer costs half as much as with them.

    Args:
        answers: by the path below which a device stands, as behind a proxy; "" is the whole place.
            Cancelled when the client goes away.
    """

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        below = ""
        for step in ("", *request.path.split("/")[1:]):
            below = f"{below}/{step}" if below else step
            if below in answers:
                return await answers[below](request, request.path[len(below) + bool(below) :])
        return web.Response(status=404, text="no device here\n")

    server = _Server(answer, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, place.host, place.port, ssl_context=place.tls).start()
    except OSError:
        await runner.cleanup()
        raise
    bound = runner.addresses[0]
    return Running(f"{bound[0]}:{bound[1]}", runner.cleanup)
