"""Coming in and going out: log in, log out, who am I, and the first administrator's link."""

import asyncio
import time
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from mallee.console.access.door import COOKIE, Door, door_of, hold
from mallee.console.api.serving import Route, answer

T = TypeVar("T")
Word = Annotated[str, Meta(min_length=1, max_length=200)]


class Login(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user's name and password."""

    name: Word
    password: Word


class FirstLogin(Login, frozen=True, kw_only=True):
    """The one-time link's token, and the first administrator's name and password."""

    token: Word


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks; empty where nobody is logged in.

    Attributes:
        csrf: what writes of this session must bring.
        first: nobody can log in yet: the first user comes in by the one-time link.
    """

    name: str = ""
    role: str = ""
    scope: list[str] = []
    csrf: str = ""
    first: bool = False


async def _me(request: web.Request) -> web.StreamResponse:
    door = door_of(request)
    who = door.principal(request)
    if who is None:
        return answer(Me(first=not door.accounts.kept.users))
    scope, csrf = list(who.scope), door.csrf_of(request)
    return answer(Me(name=who.name, role=who.role, scope=scope, csrf=csrf))


async def _login(request: web.Request) -> web.StreamResponse:
    door, form = door_of(request), await _read(request, Login)
    _limit(door, request)
    who = await asyncio.to_thread(door.accounts.check_password, form.name, form.password)
    if who is None:
        raise web.HTTPUnauthorized(text="no user of this name and password")
    return _welcome(door, request, who.name)


async def _first(request: web.Request) -> web.StreamResponse:
    door, form = door_of(request), await _read(request, FirstLogin)
    _limit(door, request)
    use = door.accounts.use_first_link
    if not await asyncio.to_thread(use, form.token, form.name, form.password, door.now()):
        raise web.HTTPForbidden(text="this link was used, is too old, or never was")
    return _welcome(door, request, form.name)


async def _logout(request: web.Request) -> web.StreamResponse:
    door_of(request).end_session(request)
    gone = answer(Me())
    gone.del_cookie(COOKIE)
    return gone


def _limit(door: Door, request: web.Request) -> None:
    hold(door.logins.wait_s(request.remote or "", time.monotonic()))


def _welcome(door: Door, request: web.Request, name: str) -> web.Response:
    who = door.accounts.user(name)
    cookie, csrf = door.begin_session(name)
    role, scope = (who.role, list(who.scope)) if who else ("", [])
    said = answer(Me(name=name, role=role, scope=scope, csrf=csrf))
    said.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict", secure=request.secure)
    return said


async def _read(request: web.Request, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=type_)
    except msgspec.DecodeError as error:
        raise web.HTTPBadRequest(text=str(error)) from None


ROUTES: tuple[Route, ...] = (("/api/v1/me", _me),)
POSTS: tuple[Route, ...] = (
    ("/api/v1/login", _login),
    ("/api/v1/first", _first),
    ("/api/v1/logout", _logout),
)
ANSWERS = (Me,)
