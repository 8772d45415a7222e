"""The energy plan as people see it; null where a site has none."""

from aiohttp import web

from mallee.console.api.serving import Route, answer, served
from mallee.core.outlook import Outlook


async def _plan(request: web.Request) -> web.StreamResponse:
    board = served(request).board
    return answer(board.outlook() if board is not None else None)


ROUTES: tuple[Route, ...] = (("/api/v1/plan", _plan),)
ANSWERS = (Outlook,)
