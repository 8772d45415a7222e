"""The site as pages need it, once."""

from aiohttp import web

from mallee.console.api.serving import Route, answer, served
from mallee.console.site_info import SiteInfo


async def _site(request: web.Request) -> web.StreamResponse:
    return answer(served(request).live.info)


ROUTES: tuple[Route, ...] = (("/api/v1/site", _site),)
ANSWERS = (SiteInfo,)
