"""The door over real sockets: who is let in, for what, and everything that must be turned away."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mallee.console.access import accounts as accounts_module
from mallee.console.access.door import CSRF, Door, local_token
from mallee.console.api.openapi import document
from mallee.console.api.serving import Served
from mallee.console.desk import Desk
from mallee.console.hub import Hub
from mallee.console.live import Live
from mallee.console.server import make_app
from mallee.control import initial_state, limits_of, status_of
from mallee.core.errors import ConfigError
from mallee.core.snapshot import Quality
from mallee.history import ActionStore, AuditStore
from mallee.runtime.run_folder import RunFolder
from tests.console.fake_board import make_folder

PASSWORD = "correct horse battery"
CAP = {"where": "pod1/r1", "limit_w": 60e3, "reason": "work behind rack 1", "for": "10m"}


class House:
    """A site without devices, its desk and its door; clocks stand still until moved."""

    def __init__(self, path: Path) -> None:
        self.site, self.board = make_folder(path, 0)
        self.folder = RunFolder(path)
        self.now_s = 1000.0
        self.door = Door(self.folder, now=lambda: 1e9 + self.now_s)
        self.store = ActionStore(self.folder.history / "audit.sqlite")
        self.desk = self.new_desk()
        self.url = ""
        self.session = aiohttp.ClientSession

    def new_desk(self) -> Desk:
        def clock() -> tuple[float, float]:
            return 1e9 + self.now_s, self.now_s

        return Desk(self.site, self.board, self.folder.run, self.store, clock)

    def control_says(self) -> None:
        """Control takes what is asked, as its process does."""
        requests = self.board.requests().requests
        limits = limits_of(self.site)
        self.board.publish_status(status_of(initial_state(), limits, self.now_s, requests))

    def devices_read(self, cap_w: float) -> None:
        rows = self.site.rows("node", "cap_w")
        good = [int(Quality.GOOD)] * len(rows)
        self.board.write_readings(rows, [cap_w] * len(rows), good, self.now_s)


@asynccontextmanager
async def console(house: House, static: Path) -> AsyncIterator[aiohttp.ClientSession]:
    app = make_app(
        Served(live=Live(house.site)),
        Hub(),
        host="127.0.0.1",
        static=static,
        door=house.door,
        desk=house.desk,
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        house.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(house.url, cookie_jar=jar) as session:
            yield session
    finally:
        await runner.cleanup()
        house.store.close()


Try = Callable[[aiohttp.ClientSession, House], Awaitable[None]]


@pytest.fixture
def at_the_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Try], None]:
    """Runs a coroutine against a console with a door."""
    monkeypatch.setattr(accounts_module, "SCRYPT_N", 2**4)  # what is tried here is not its cost

    def run(attempt: Try) -> None:
        async def main() -> None:
            house = House(tmp_path / "data")
            async with console(house, tmp_path) as session:
                await attempt(session, house)

        asyncio.run(main())

    return run


async def post(
    session: aiohttp.ClientSession, path: str, body: Any, **headers: str
) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    async with session.post(path, data=data, headers=sent) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if answer.status == 200 else text


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_nobody_writes_without_a_name(at_the_door: Callable[[Try], None]) -> None:
    async def attempt(session: aiohttp.ClientSession, house: House) -> None:
        status, text = await post(session, "/api/v1/actions/cap", CAP)
        assert (status, text) == (401, "log in, or bring a token")
        assert house.desk.rows() == []
        forged = "mlt_" + "A" * 43
        for token in (forged, "", "x" * 3000, local_token(house.folder)[:-1] + "é"):
            assert (await post(session, "/api/v1/actions/cap", CAP, **bearer(token)))[0] == 401

    at_the_door(attempt)


def test_this_machines_owner_comes_in_by_the_run_folder(
    at_the_door: Callable[[Try], None],
) -> None:
    async def attempt(session: aiohttp.ClientSession, house: House) -> None:
        token = (house.folder.run / "token").stat()
        assert token.st_mode & 0o077 == 0
        me = bearer(local_token(house.folder))
        status, done = await post(session, "/api/v1/actions/cap", CAP, **me)
        assert (status, done["request"]["state"]) == (200, "requested")
        assert house.board.requests().requests[0].subject == "pod1/r1"
        house.control_says()
        house.devices_read(6300.0)
        house.desk.tick()
        assert house.desk.rows()[0].state == "requested"  # the devices do not show it
        house.devices_read(3000.0)
        house.desk.tick()
        assert house.desk.rows()[0].state == "in force"
        status, done = await post(session, "/api/v1/requests/r1/undo", {"reason": "done"}, **me)
        assert (status, done["request"]["state"]) == (200, "withdrawn")
        assert house.board.requests().requests == ()
        status, _ = await post(session, "/api/v1/requests/r1/undo", {"reason": "again"}, **me)
        assert status == 404
        with AuditStore(house.folder.history / "audit.sqlite") as audit:
            assert audit.verify() is None
        assert [one.state for one in house.store.list()] == ["withdrawn"]

    at_the_door(attempt)


def test_tokens_hold_for_their_scope_role_and_time(at_the_door: Callable[[Try], None]) -> None:
    async def attempt(session: aiohttp.ClientSession, house: House) -> None:
        make = house.door.accounts.add_token
        until_utc_s = house.door.now() + 60.0
        one = bearer(make("slurm", "operator", ("pod1/r1",), until_utc_s))
        look = bearer(make("wallboard", "viewer", ("*",), until_utc_s))
        path = "/api/v1/actions/"
        assert (await post(session, path + "cap", CAP, **one))[0] == 200
        for where in ("pod1", "pod1/r10", "*", "pod1/r*", "pod1/r1/../r2", "tenant:acme"):
            status, text = await post(session, path + "cap", {**CAP, "where": where}, **one)
            assert status == 403 or "r1/" in where
            assert "may act on pod1/r1 only" in text or status == 409
        island = {"reason": "storm"}
        assert (await post(session, path + "island", island, **one))[0] == 403
        assert (await post(session, path + "import-limit", {**island, "limit_w": 1}, **one))[
            0
        ] == 403
        assert (await post(session, path + "cap", CAP, **look))[0] == 403
        undo = "/api/v1/requests/r1/undo"
        assert (await post(session, undo, {"reason": "mine"}, **look))[0] == 403
        house.now_s += 61.0
        assert (await post(session, path + "cap", CAP, **one))[0] == 401
        house.door.accounts.add_token("slurm", "admin", ("*",), until_utc_s + 1e3)
        assert house.door.accounts.remove("slurm")
        assert [row.actor for row in house.desk.rows()][:1] == ["slurm"]

    at_the_door(attempt)


def test_a_page_logs_in_and_brings_its_csrf_token(at_the_door: Callable[[Try], None]) -> None:
    async def attempt(session: aiohttp.ClientSession, house: House) -> None:
        link = house.door.accounts.make_first_link(house.door.now())
        first = {"token": link, "name": "anna", "password": PASSWORD}
        assert (await post(session, "/api/v1/first", {**first, "token": "no"}))[0] == 403
        status, me = await post(session, "/api/v1/first", first)
        assert (status, me["role"]) == (200, "admin")
        assert (await post(session, "/api/v1/first", first))[0] == 403  # it works once
        with pytest.raises(ConfigError, match="has users already"):
            house.door.accounts.make_first_link(house.door.now())
        path = "/api/v1/actions/note"
        note = {"reason": "smells of coolant"}
        assert (await post(session, path, note))[0] == 403
        assert (await post(session, path, note, **{CSRF: "wrong"}))[0] == 403
        assert (await post(session, path, note, **{CSRF: me["csrf"]}))[0] == 200
        elsewhere = {CSRF: me["csrf"], "Origin": "http://evil.example"}
        assert (await post(session, path, note, **elsewhere))[0] == 403
        assert (await post(session, path, note, **{"Content-Type": "text/plain"}))[0] == 415
        assert (await post(session, "/api/v1/logout", {}))[0] == 200
        assert (await post(session, path, note, **{CSRF: me["csrf"]}))[0] == 401

    at_the_door(attempt)


def test_guessing_is_slowed_and_big_or_odd_bodies_are_refused(
    at_the_door: Callable[[Try], None],
) -> None:
    async def attempt(session: aiohttp.ClientSession, house: House) -> None:
        house.door.accounts.add_user("anna", PASSWORD, "operator", ("*",))
        wrong = {"name": "anna", "password": "password1234"}
        said = [(await post(session, "/api/v1/login", wrong))[0] for _ in range(7)]
        assert said[:5] == [401] * 5
        assert said[5:] == [429] * 2
        me = bearer(local_token(house.folder))
        path = "/api/v1/actions/"
        assert (await post(session, path + "cap", b"x" * 70_000, **me))[0] == 413
        assert (await post(session, path + "cap", b"{", **me))[0] == 400
        assert (await post(session, path + "cap", [], **me))[0] == 400
        assert (await post(session, path + "format-disk", CAP, **me))[0] == 404
        assert (await post(session, path + "%2e%2e/%2e%2e/etc/passwd", CAP, **me))[0] == 404
        status, text = await post(session, path + "cap", {**CAP, "limit_w": 1.0}, **me)
        assert (status, "can be held to 34686..120006 W" in text) == (409, True)
        assert house.desk.rows()[0].state == "refused"
        codes = [
            (await post(session, path + "note", {"reason": "again"}, **me))[0] for _ in range(40)
        ]
        assert codes.count(429) >= 5

    at_the_door(attempt)


def test_no_secret_stands_in_the_file_and_others_cannot_read_it(tmp_path: Path) -> None:
    accounts = accounts_module.Accounts(tmp_path / "access.json")
    accounts.add_user("anna", PASSWORD, "engineer", ("pod1",))
    token = accounts.add_token("slurm", "operator", ("*",), 10.0)
    text = (tmp_path / "access.json").read_text()
    assert PASSWORD not in text
    assert token not in text
    assert (tmp_path / "access.json").stat().st_mode & 0o077 == 0
    assert accounts.check_password("anna", PASSWORD) is not None
    assert accounts.check_password("anna", PASSWORD + " ") is None
    assert accounts.check_password("bert", PASSWORD) is None
    (tmp_path / "access.json").chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        _ = accounts_module.Accounts(tmp_path / "access.json").kept
    with pytest.raises(ConfigError, match="too short"):
        accounts.add_user("bert", "short", "viewer", ("*",))


def test_requests_outlive_the_console_and_expire(tmp_path: Path) -> None:
    from mallee.actions import ACTIONS, read_form
    from mallee.console.access.principal import Principal

    house = House(tmp_path)
    who = Principal(name="anna", role="operator", scope=("*",), via="page")
    form = read_form(ACTIONS["cap"], CAP, "cap")
    house.desk.file(ACTIONS["cap"], form, who)
    house.now_s += 300.0
    again = house.new_desk()
    assert [row.id for row in again.rows()] == ["r1"]
    (request,) = house.board.requests().requests
    assert request.until_s == pytest.approx(1600.0)
    house.now_s += 301.0
    again.tick()
    assert [row.state for row in again.rows()] == ["expired"]
    assert house.board.requests().requests == ()
    house.store.close()


def test_the_api_describes_itself() -> None:
    told = document()
    assert told["openapi"].startswith("3.1")
    paths = told["paths"]
    assert paths["/api/v1/actions/cap"]["post"]["x-role"] == "operator"
    text = json.dumps(told)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in told["components"]["schemas"]
