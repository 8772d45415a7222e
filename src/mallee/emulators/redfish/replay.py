"""A Redfish service that says what was recorded; it lets everybody in and changes nothing."""

from typing import Any

from aiohttp import web

from mallee.core.errors import ConfigError
from mallee.emulators.device import Place, Running
from mallee.emulators.http_service import listen

_ROOT = "/redfish/v1"


async def replay_service(place: Place, content: Any) -> Running:
    """Serve resources by path below the service root.

    Raises:
        ConfigError: it is no such table.
        OSError: the port is taken.
    """
    if not isinstance(content, dict) or not all(isinstance(one, dict) for one in content.values()):
        hint = 'write {"Chassis/1": {...}}'
        raise ConfigError("sample: redfish", "is no table of resources", hint)
    resources = {"": {"@odata.id": f"{_ROOT}/", "RedfishVersion": "1.15.0"}, **content}

    async def answer(request: web.BaseRequest, path: str) -> web.StreamResponse:
        below = path.removeprefix(_ROOT).strip("/")
        if request.method == "POST" and below.endswith("Sessions"):
            return web.json_response({}, status=201, headers={"X-Auth-Token": "replay"})
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        document = resources.get(below)
        if document is None or not path.startswith(_ROOT):
            return web.Response(status=404)
        return web.json_response(document)

    return await listen({"": answer}, place)
