"""Redfish emulator: one device's BMC or controller over HTTPS (DSP0266), live from the twin."""

import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from aiohttp import web

from mallee.core.errors import Rejected
from mallee.emulators.device import Credentials, EmulatedDevice, Place, Running
from mallee.emulators.http_service import BadAnswers, listen
from mallee.emulators.redfish.errors import HEADERS, error
from mallee.emulators.redfish.schema import MEMBERS, SINGLETONS, Document
from mallee.emulators.redfish.sessions import SESSIONS, Accounts
from mallee.emulators.redfish.tree import Live, Resource, Tree

_TOP = ("Systems", "Chassis", "Managers", "ThermalEquipment", "PowerEquipment")
_SERVICES = ("SessionService", "AccountService")


async def serve_services(place: Place, devices: Mapping[str, EmulatedDevice]) -> Running:
    """Serve devices over Redfish until closed, each below its path.

    Args:
        place: its login is the one account, with the role Administrator.

    Raises:
        OSError: the port is taken.
        ConfigError: a model names a resource that no schema here has.
    """
    assert place.login is not None, "Redfish services have an account"
    services = {part: _Service(device, place.login) for part, device in devices.items()}
    return await listen({part: one.answer for part, one in services.items()}, place)


async def serve_redfish(
    device: EmulatedDevice,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    login: Credentials,
) -> Running:
    """Serve one device; port 0 takes a free one."""
    return await serve_services(Place(host=host, port=port, login=login, tls=tls), {"": device})


class _Service:
    """The HTTP side of one device."""

    def __init__(self, device: EmulatedDevice, login: Credentials) -> None:
        self._device = device
        self._tree = Tree(device.model, device.name)
        self._accounts = Accounts(self._tree, login.user, login.password)
        self._bad_answers = BadAnswers(device.health, "application/json")
        self._open: dict[str, Document | bytes] = {
            "/redfish": {"v1": "/redfish/v1/"},
            "/redfish/v1": _service_root(self._tree),
            "/redfish/v1/odata": _odata_service(self._tree),
            "/redfish/v1/$metadata": _metadata(),
        }

    async def answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """One request to one answer."""
        bad = await self._bad_answers.instead(request)
        if bad is not None:
            return bad
        path, method = path.rstrip("/"), request.method
        if request.headers.get("OData-Version", "4.0") != "4.0":
            return error("PreconditionFailed", detail="This service speaks OData-Version 4.0.")
        for parameter in request.query:
            if parameter.startswith("$") or parameter in ("only", "excerpt"):
                return error("QueryParameterUnsupported", parameter)
        if path in self._open:
            return self._answer_open(path, method)
        if method == "POST" and path.removesuffix("/Members") == f"/redfish/v1/{SESSIONS}":
            return await self._log_in(request)
        if not self._accounts.may_enter(request.headers):
            return error("NoValidSession", headers={"WWW-Authenticate": 'Basic realm="Redfish"'})
        return await self._answer_inside(request, path.removeprefix("/redfish/v1/"))

    async def _answer_inside(self, request: web.BaseRequest, path: str) -> web.Response:
        """A request that has been let in; `path` is below the service root."""
        method, resource = request.method, self._tree.fill(path, self._device.values)
        if resource is None:
            return error("ResourceMissingAtURI", request.path)
        if method in ("GET", "HEAD"):
            allow = _allowed(path, resource)
            return _answer_json(resource.document, {"ETag": resource.etag, "Allow": allow})
        if method == "PATCH" and any(live.bounds for live in resource.live):
            return await self._patch(request, path, resource)
        if method == "DELETE" and path.startswith(f"{SESSIONS}/"):
            self._accounts.log_out(path.rpartition("/")[2])
            return web.Response(status=204, headers=HEADERS)
        return error("OperationNotAllowed", headers={"Allow": _allowed(path, resource)})

    def _answer_open(self, path: str, method: str) -> web.Response:
        """What everybody may see (DSP0266, "Resource operation authorization requirements")."""
        if method not in ("GET", "HEAD"):
            return error("OperationNotAllowed", headers={"Allow": "GET, HEAD"})
        content = self._open[path]
        if isinstance(content, bytes):
            return web.Response(
                body=content,
                content_type="application/xml",
                charset="utf-8",
                headers={**HEADERS, "Allow": "GET, HEAD"},
            )
        return _answer_json(content, {"ETag": 'W/"1"', "Allow": "GET, HEAD"})

    async def _log_in(self, request: web.BaseRequest) -> web.Response:
        body = _decode(await request.read())
        if body is None:
            return error("MalformedJSON")
        for name in ("UserName", "Password"):
            if not isinstance(body.get(name), str):
                return error("PropertyMissing", name, related=name)
        session = self._accounts.log_in(body["UserName"], body["Password"])
        if session is None:
            return error(
                "ResourceAtUriUnauthorized",
                request.path,
                "invalid credentials",
                headers={"WWW-Authenticate": 'Basic realm="Redfish"'},
            )
        token, document = session
        headers = {"X-Auth-Token": token, "Location": str(document["@odata.id"])}
        return _answer_json(document, headers, status=201)

    async def _patch(self, request: web.BaseRequest, path: str, resource: Resource) -> web.Response:
        body = _decode(await request.read())
        if body is None:
            return error("MalformedJSON")
        expected = request.headers.get("If-Match", "*")
        if expected not in ("*", resource.etag):
            return error("PreconditionFailed")
        settable = {live.pointer: live for live in resource.live if live.bounds is not None}
        changes: list[tuple[Live, float]] = []
        for pointer, value in _leaves(body):
            live = settable.get(pointer)
            problem = _problem(resource, live, pointer, value)
            if live is None or problem is not None:
                return problem or error("PropertyUnknown", pointer[-1])
            changes.append((live, float(value)))
        for live, share in changes:
            held = self._tree.shares_with(live, share, self._device.values)
            try:
                self._device.write(live.point.name, live.point.to_point(sum(held)), 0.0)
            except Rejected as declined:
                return error(
                    "PropertyValueResourceConflict",
                    *(live.key, f"{share:g}", f"/redfish/v1/{path}"),
                    related="/".join(live.pointer),
                    detail=str(declined),
                )
            self._tree.shares[live.position] = held
        resource.writes += 1
        self._tree.fill(path, self._device.values)
        return _answer_json(resource.document, {"ETag": resource.etag})


def _problem(
    resource: Resource, live: Live | None, pointer: tuple[str, ...], value: Any
) -> web.Response | None:
    """Why a property cannot be set to a value."""
    name, related = pointer[-1], "/".join(pointer)
    if live is None or live.bounds is None:
        known: Any = resource.document
        for step in pointer:
            known = known.get(step) if isinstance(known, dict) else None
        key = "PropertyUnknown" if known is None else "PropertyNotWritable"
        return error(key, name, related=related)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return error("PropertyValueTypeError", repr(value)[:80], name, related=related)
    lower, upper = live.bounds
    if not lower <= value <= upper:
        detail = f"Allowed are {lower:g} to {upper:g}."
        return error("PropertyValueOutOfRange", f"{value:g}", name, related=related, detail=detail)
    return None


def _leaves(body: Document, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every property of a PATCH body by its pointer."""
    for key, value in body.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        elif not key.startswith("@"):
            yield (*above, key), value


def _decode(body: bytes) -> Document | None:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _answer_json(document: Document, headers: dict[str, str], status: int = 200) -> web.Response:
    schema = document.get("@odata.type", "").lstrip("#").partition(".")[0]
    described = f"<http://redfish.dmtf.org/schemas/v1/{schema}.json>; rel=describedby"
    return web.Response(
        status=status,
        body=msgspec.json.encode(document),
        content_type="application/json",
        charset="utf-8",
        headers={**HEADERS, "Link": described, **headers},
    )


def _allowed(path: str, resource: Resource) -> str:
    if any(live.bounds for live in resource.live):
        return "GET, HEAD, PATCH"
    if path == SESSIONS:
        return "GET, HEAD, POST"
    return "GET, HEAD, DELETE" if path.startswith(f"{SESSIONS}/") else "GET, HEAD"


def _service_root(tree: Tree) -> Document:
    root: Document = {
        "@odata.id": "/redfish/v1/",
        "@odata.type": "#ServiceRoot.v1_20_0.ServiceRoot",
        "Id": "RootService",
        "Name": "Root Service",
        "RedfishVersion": "1.20.0",
        "UUID": tree.uuid,
        "Vendor": tree.model.vendor,
        "Product": tree.model.product,
        "ProtocolFeaturesSupported": {
            "ExpandQuery": {"ExpandAll": False, "Levels": False, "Links": False, "NoLinks": False},
            "ExcerptQuery": False,
            "FilterQuery": False,
            "OnlyMemberQuery": False,
            "SelectQuery": False,
        },
        "Links": {"Sessions": {"@odata.id": f"/redfish/v1/{SESSIONS}"}},
    }
    for name in (*_TOP, *_SERVICES):
        if name in tree.resources:
            root[name] = {"@odata.id": f"/redfish/v1/{name}"}
    return root


def _odata_service(tree: Tree) -> Document:
    names = [name for name in (*_TOP, *_SERVICES) if name in tree.resources]
    return {
        "@odata.context": "/redfish/v1/$metadata",
        "value": [{"name": "Service", "kind": "Singleton", "url": "/redfish/v1/"}]
        + [{"name": n, "kind": "Singleton", "url": f"/redfish/v1/{n}"} for n in names],
    }


def _metadata() -> bytes:
    """The OData metadata document: a reference to every schema in use."""
    versioned = {*MEMBERS.values(), *SINGLETONS.values(), "ServiceRoot.v1_20_0"}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">',
    ]
    for name in sorted(versioned):
        base = name.partition(".")[0]
        collection = f"{base}Collection"
        for schema, namespaces in ((base, (base, name)), (collection, (collection,))):
            if schema == collection and name not in MEMBERS.values():
                continue
            uri = f"http://redfish.dmtf.org/schemas/v1/{schema}_v1.xml"
            lines.append(f'  <edmx:Reference Uri="{uri}">')
            lines += [f'    <edmx:Include Namespace="{space}"/>' for space in namespaces]
            lines.append("  </edmx:Reference>")
    lines += [
        "  <edmx:DataServices>",
        '    <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">',
        '      <EntityContainer Name="Service" Extends="ServiceRoot.v1_20_0.ServiceContainer"/>',
        "    </Schema>",
        "  </edmx:DataServices>",
        "</edmx:Edmx>",
    ]
    return "\n".join(lines).encode()
