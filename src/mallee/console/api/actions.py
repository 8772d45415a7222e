"""Actions and requests: what there is to do, doing it, trying it first, undoing it, its state."""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from mallee.actions import ACTIONS, Action, place_of
from mallee.actions.forms import Reason
from mallee.actions.trial import Preview
from mallee.console.access.door import door_of
from mallee.console.api.serving import Route, answer, served
from mallee.console.desk import Desk, RefusedByLimit, RequestRow
from mallee.console.preview import preview_of
from mallee.core.errors import ConfigError

DESK = web.AppKey("desk", Desk)


class ActionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One action that there is: its name, who may do it, and its form as JSON Schema."""

    name: str
    what: str
    role: str
    form: dict[str, Any]


class ActionList(msgspec.Struct, frozen=True, kw_only=True):
    """All actions that there are."""

    actions: list[ActionInfo]


class RequestList(msgspec.Struct, frozen=True, kw_only=True):
    """Requests: those that stand, newest first, then those that are over."""

    requests: list[RequestRow]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an action: its request, or with `dry_run` what it would do."""

    request: RequestRow | None = None
    preview: Preview | None = None


class Undo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a request is withdrawn."""

    reason: Reason


def schema_of(form: type) -> dict[str, Any]:
    """JSON Schema of a form, whole in itself."""
    _, parts = msgspec.json.schema_components([form], ref_template="#/$defs/{name}")
    found: dict[str, Any] = parts[form.__name__]
    return found


async def _list(_: web.Request) -> web.StreamResponse:
    return answer(
        ActionList(
            actions=[
                ActionInfo(name=a.name, what=a.what, role=a.role, form=schema_of(a.form))
                for a in ACTIONS.values()
            ]
        )
    )


async def _requests(request: web.Request) -> web.StreamResponse:
    return answer(RequestList(requests=desk_of(request).rows()))


async def _do(request: web.Request) -> web.StreamResponse:
    """Query: `dry_run=1` tries it on the twin instead."""
    action = ACTIONS.get(request.match_info["name"])
    if action is None:
        raise web.HTTPNotFound(text=f"there is no action {request.match_info['name']!r}")
    form = await _form(request, action.form)
    who = door_of(request).let_in(request, action.role, place_of(form))
    desk = desk_of(request)
    try:
        if request.query.get("dry_run", "0") != "0":
            return answer(Done(preview=await _try(request, desk, action, form, who)))
        return answer(Done(request=await asyncio.to_thread(desk.file, action, form, who)))
    except RefusedByLimit as error:
        raise web.HTTPConflict(text=str(error)) from None


async def _try(request: web.Request, desk: Desk, action: Action, form: Any, who: Any) -> Preview:
    asked = desk.draft(action, form, who)
    if asked is None:
        raise web.HTTPBadRequest(text=f"{action.name} changes nothing that could be tried")
    run = served(request).run
    if run is None:
        raise web.HTTPServiceUnavailable(text="there is no run folder to start a trial from")
    try:
        return await preview_of(run, asked)
    except ConfigError as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from None


async def _undo(request: web.Request) -> web.StreamResponse:
    desk, id_ = desk_of(request), request.match_info["id"]
    form = await _form(request, Undo)
    row = desk.find(id_)
    if row is None:
        raise web.HTTPNotFound(text=f"no request {id_!r} stands")
    who = door_of(request).let_in(request, ACTIONS[row.action].role, row.where)
    try:
        return answer(Done(request=await asyncio.to_thread(desk.undo, id_, who, form.reason)))
    except KeyError:
        raise web.HTTPNotFound(text=f"no request {id_!r} stands") from None


async def _form(request: web.Request, type_: Any) -> Any:
    try:
        return msgspec.json.decode(await request.read(), type=type_)
    except msgspec.DecodeError as error:
        raise web.HTTPBadRequest(text=str(error)) from None


def desk_of(request: web.Request) -> Desk:
    """The desk of the application of a request.

    Raises:
        HTTPServiceUnavailable: it has none: nothing runs that could be acted on.
    """
    desk = request.app.get(DESK)
    if desk is None:
        raise web.HTTPServiceUnavailable(text="nothing runs here that could be acted on")
    return desk


ROUTES: tuple[Route, ...] = (("/api/v1/actions", _list), ("/api/v1/requests", _requests))
POSTS: tuple[Route, ...] = (
    ("/api/v1/actions/{name}", _do),
    ("/api/v1/requests/{id}/undo", _undo),
)
ANSWERS = (ActionList, RequestList, Done)
