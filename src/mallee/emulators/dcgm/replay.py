"""An exporter whose page is the recorded one."""

from typing import Any

from aiohttp import web

from mallee.core.errors import ConfigError
from mallee.emulators.device import Place, Running
from mallee.emulators.http_service import listen


async def replay_exporter(place: Place, content: Any) -> Running:
    """Serve a page of samples at ``/metrics``.

    Raises:
        ConfigError: it is no text.
        OSError: the port is taken.
    """
    if not isinstance(content, str):
        raise ConfigError("sample: dcgm", "is no text", "write the page as one string")

    async def answer(_: web.BaseRequest, path: str) -> web.StreamResponse:
        if path != "/metrics":
            return web.Response(status=404)
        return web.Response(text=content)

    return await listen({"": answer}, place)
