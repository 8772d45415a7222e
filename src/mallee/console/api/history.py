"""History of any points on one time axis."""

import asyncio
import time
from typing import Final

import msgspec
import numpy as np
from aiohttp import web

from mallee.console.api.serving import Route, answer, seconds, served, whole
from mallee.core.errors import ConfigError
from mallee.history import read_points

POINTS_MAX: Final = 12
ROWS_MAX: Final = 5000


class HistoryColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of equal length, oldest first; a null is a row without a good reading."""

    time_utc_s: list[float]
    series: dict[str, list[float | None]]


async def _history(request: web.Request) -> web.StreamResponse:
    """Query: point (repeatable, may hold `*`), from, until, rows: means over as many parts."""
    folder = served(request).history
    patterns = request.query.getall("point", [])
    if folder is None or not patterns:
        raise web.HTTPBadRequest(text="point= is missing: name at least one, meter/import_w")
    now_s = time.time()
    start_s, end_s = seconds(request, "from", now_s - 3600.0), seconds(request, "until", now_s)
    if end_s <= start_s:
        raise web.HTTPBadRequest(text="until= must come after from=")
    rows_max = whole(request, "rows", 600, ROWS_MAX)
    try:
        found = await asyncio.to_thread(read_points, folder, patterns, start_s, end_s, rows_max)
    except ConfigError as error:
        raise web.HTTPNotFound(text=str(error)) from None
    if len(found.columns) > POINTS_MAX:
        raise web.HTTPBadRequest(text=f"{len(found.columns)} points; at most {POINTS_MAX} at once")
    values = found.values.astype(object)
    values[~np.isfinite(found.values)] = None
    series = {path: values[:, i].tolist() for i, path in enumerate(found.columns)}
    return answer(HistoryColumns(time_utc_s=found.times_s.tolist(), series=series))


ROUTES: tuple[Route, ...] = (("/api/v1/history", _history),)
ANSWERS = (HistoryColumns,)
