"""The API as OpenAPI 3.1: made from the table of actions and the structs that are answered."""

from typing import Any

import msgspec
from aiohttp import web

import mallee
from mallee.actions import ACTIONS
from mallee.console.api import access, actions
from mallee.console.api.serving import Route, answer

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_PROBLEMS = {
    "400": "malformed",
    "401": "nobody known",
    "403": "not allowed",
    "404": "there is none",
    "409": "outside a limit, which is named",
    "413": "too large",
    "415": "no JSON",
    "429": "too often",
}


def document() -> dict[str, Any]:
    """The whole document."""
    answers = [*access.ANSWERS, *actions.ANSWERS]
    forms = [action.form for action in ACTIONS.values()]
    bodies = [access.Login, access.FirstLogin, actions.Undo]
    types = list(dict.fromkeys([*answers, *forms, *bodies]))
    schemas, parts = msgspec.json.schema_components(types, ref_template=_REF)
    refs = dict(zip(types, schemas, strict=True))
    paths: dict[str, Any] = {
        f"/api/v1/actions/{action.name}": {
            "post": _write(
                action.what,
                refs[action.form],
                refs[actions.Done],
                name=action.name,
                role=action.role,
            )
        }
        for action in ACTIONS.values()
    }
    for path, what, type_ in (
        ("/api/v1/actions", "The actions that there are.", actions.ActionList),
        ("/api/v1/requests", "Requests and what became of them.", actions.RequestList),
        ("/api/v1/me", "Who asks.", access.Me),
    ):
        paths[path] = {"get": {"summary": what, "responses": _responses(refs[type_])}}
    undo = _write("Withdraw a request.", refs[actions.Undo], refs[actions.Done], name="undo")
    undo["parameters"] = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    ]
    paths["/api/v1/requests/{id}/undo"] = {"post": undo}
    for name, body in (("login", access.Login), ("first", access.FirstLogin)):
        paths[f"/api/v1/{name}"] = {
            "post": _write(body.__doc__ or "", refs[body], refs[access.Me], name=name)
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mallee", "version": mallee.__version__},
        "paths": paths,
        "components": {
            "schemas": parts,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "mallee-session"},
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def _write(what: str, body: Any, said: Any, *, name: str, role: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": name,
        "summary": what.strip(),
        "requestBody": {"required": True, "content": {_JSON: {"schema": body}}},
        "responses": _responses(said)
        | {
            code: {"description": text, "content": {"text/plain": {"schema": {"type": "string"}}}}
            for code, text in _PROBLEMS.items()
        },
    }
    if role:
        found["x-role"] = role
        found["parameters"] = [
            {
                "name": "dry_run",
                "in": "query",
                "description": "1 tries it on the twin instead",
                "schema": {"enum": ["0", "1"]},
            }
        ]
    return found


def _responses(schema: Any) -> dict[str, Any]:
    return {"200": {"description": "done", "content": {_JSON: {"schema": schema}}}}


async def _openapi(_: web.Request) -> web.StreamResponse:
    return answer(document())


ROUTES: tuple[Route, ...] = (("/api/v1/openapi.json", _openapi),)
ANSWERS: tuple[type, ...] = ()
