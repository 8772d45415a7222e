"""The last ten minutes of a few series, for pages that have just been opened."""

from aiohttp import web

from mallee.console.api.serving import Route, answer, served
from mallee.console.trend import TrendColumns


async def _trend(request: web.Request) -> web.StreamResponse:
    return answer(served(request).live.trend.columns())


ROUTES: tuple[Route, ...] = (("/api/v1/trend", _trend),)
ANSWERS = (TrendColumns,)
