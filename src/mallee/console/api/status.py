"""What control says of itself, how the processes are, the latest events: the words of a frame."""

from aiohttp import web

from mallee.console.api.serving import Route, answer, served
from mallee.console.live import FrameText


async def _status(request: web.Request) -> web.StreamResponse:
    return answer(served(request).live.text)


ROUTES: tuple[Route, ...] = (("/api/v1/status", _status),)
ANSWERS = (FrameText,)
