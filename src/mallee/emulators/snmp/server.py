"""Serves objects as an SNMP agent of versions 2c and 3, on pysnmp.

One engine serves all agents of a thread, because making one takes half a second: each agent has a
port and a transport of its own, and the transport that is asked decides whose objects are seen.
"""

import asyncio
import itertools
import secrets
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.smi import error as smi_error
from pysnmp.smi.instrum import AbstractMibInstrumController

from mallee.core.errors import ConfigError
from mallee.core.oids import Value
from mallee.core.protocols.snmp import COMMUNITY_USER
from mallee.emulators.device import EmulatedDevice, Health, Place, Running
from mallee.emulators.snmp.objects import ObjectTable, device_table, numbers

_GARBAGE: Final = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x82\xff\xff", b"\x00")
_ALL: Final = (1, 3, 6)


async def serve_agents(place: Place, devices: Mapping[str, EmulatedDevice]) -> Running:
    """Serve the devices of one chain as an agent.

    Raises:
        ConfigError: the port is taken, or a model names a place that is none.
    """
    first = next(iter(devices.values()))
    return await serve_table(place, device_table(devices), first.health, first.name)


async def serve_table(place: Place, table: ObjectTable, health: Health, name: str) -> Running:
    """Serve a table of objects.

    Args:
        place: with a login, version 3 only (SHA-1, AES-128), or its community of version 2c.

    Raises:
        ConfigError: the port is taken.
    """
    shared = _engine_of_thread()
    domain = (*udp.DOMAIN_NAME, next(shared.numbers))
    transport = _Transport(health)
    try:
        transport.open_server_mode((place.host, place.port))
        await transport.ready
    except OSError as error:
        what = f"{place.host}:{place.port} cannot be listened on: {error.strerror or error}"
        raise ConfigError(name, what, "free it, or give port 0 to choose a free one") from None
    shared.attach(domain, transport)
    shared.admit(place)
    shared.agents[domain] = (table, health)
    port = transport.transport.get_extra_info("sockname")[1]

    async def stop() -> None:
        del shared.agents[domain]
        shared.detach(domain)
        transport.close_transport()
        await asyncio.sleep(0)  # the event loop closes the socket at its next turn

    return Running(f"{place.host}:{port}", stop)


class _Transport(udp.UdpTransport):  # type: ignore[misc]
    """A port whose answers get lost, late or broken as the health of its device is."""

    def __init__(self, health: Health) -> None:
        super().__init__()
        self._health, self._garbage = health, itertools.cycle(_GARBAGE)

    @property
    def ready(self) -> "asyncio.Future[Any]":
        """Done when it listens; the library starts a task for that."""
        task: asyncio.Future[Any] = self._lport
        return task

    def send_message(self, message: bytes, address: Any) -> None:
        """An answer goes out."""
        state = self._health.state
        if state == "silent":
            return
        if state == "garbage":
            message = next(self._garbage)
        delay_s = self._health.delay_s if state == "slow" else 0.0
        if delay_s:
            self.loop.call_later(delay_s, super().send_message, message, address)
        else:
            super().send_message(message, address)


@dataclass(eq=False)
class _Shared(AbstractMibInstrumController):  # type: ignore[misc]
    """One engine and the agents that it serves, by transport domain."""

    engine: Any
    agents: dict[tuple[int, ...], tuple[ObjectTable, Health]] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _admitted: set[str] = field(default_factory=set)

    def attach(self, domain: tuple[int, ...], transport: _Transport) -> None:
        """Let a port of the running event loop ask."""
        dispatcher = self.engine.transport_dispatcher
        if dispatcher is None or dispatcher.loop is not transport.loop:
            if dispatcher is not None:
                self.engine.unregister_transport_dispatcher()
            self.engine.register_transport_dispatcher(AsyncioDispatcher(loop=transport.loop))
        self.engine.transport_dispatcher.register_transport(domain, transport)

    def detach(self, domain: tuple[int, ...]) -> None:
        """Forget a port, and with the last one the event loop."""
        if self.engine.transport_dispatcher is not None:
            self.engine.transport_dispatcher.unregister_transport(domain)
            if not self.agents:
                self.engine.close_dispatcher()

    def admit(self, place: Place) -> None:
        """Let the one account of a place in."""
        login = place.login
        user = COMMUNITY_USER if login is None else login.user
        secret = "public" if login is None else login.password
        if f"{user}:{secret}" in self._admitted:
            return
        self._admitted.add(f"{user}:{secret}")
        if user == COMMUNITY_USER:
            name = f"c{len(self._admitted)}"
            config.add_v1_system(self.engine, name, secret)
            config.add_vacm_user(self.engine, 2, name, "noAuthNoPriv", _ALL)
            return
        hashed, cipher = config.USM_AUTH_HMAC96_SHA, config.USM_PRIV_CFB128_AES
        config.add_v3_user(self.engine, user, hashed, secret, cipher, secret)
        config.add_vacm_user(self.engine, 3, user, "authPriv", _ALL)

    def read_variables(self, *asked: Any, **about: Any) -> list[Any]:
        """GET; called by pysnmp."""
        del about
        table = self._table()
        return [(name, _typed(table.get(tuple(name)), rfc1905.noSuchInstance)) for name, _ in asked]

    def read_next_variables(self, *asked: Any, **about: Any) -> list[Any]:
        """GETNEXT and GETBULK; called by pysnmp."""
        del about
        table = self._table()
        found = []
        for name, _ in asked:
            following = table.after(tuple(name))
            if following is None:
                found.append((name, rfc1905.endOfMibView))
            else:
                found.append((rfc1902.ObjectName(following[0]), _typed(following[1], None)))
        return found

    def write_variables(self, *asked: Any, **about: Any) -> list[Any]:
        """SET: nothing can be set; called by pysnmp."""
        del about
        raise smi_error.NotWritableError(name=asked[0][0], idx=0)

    def _table(self) -> ObjectTable:
        asking = self.engine.observer.get_execution_context("rfc3412.receiveMessage:request")
        table, health = self.agents[tuple(asking["transportDomain"])]
        if health.state == "refuse":
            raise smi_error.AuthorizationError(name=(0, 0), idx=0)
        return table


_OF_THREAD: Final = threading.local()


def _engine_of_thread() -> _Shared:
    """The engine of this thread, made when first needed."""
    shared: _Shared | None = getattr(_OF_THREAD, "shared", None)
    if shared is None:
        number = b"\x80\x00\x1f\x88\x04" + secrets.token_bytes(8)
        made = engine.SnmpEngine(rfc1902.OctetString(number))
        # The library writes how often the engine has started; this one starts once.
        noted = Path(tempfile.gettempdir()) / "__pysnmp" / made.snmpEngineID.prettyPrint()
        shutil.rmtree(noted, ignore_errors=True)
        shared = _OF_THREAD.shared = _Shared(made)
        served = context.SnmpContext(made)
        served.unregister_context_name(rfc1902.OctetString(b""))
        served.register_context_name(rfc1902.OctetString(b""), shared)
        for responder in (
            cmdrsp.GetCommandResponder,
            cmdrsp.NextCommandResponder,
            cmdrsp.BulkCommandResponder,
            cmdrsp.SetCommandResponder,
        ):
            responder(made, served)
    return shared


def _typed(value: Value, none: Any) -> Any:
    """A value in the narrowest type of SNMP that holds it."""
    if value is None:
        return none
    if isinstance(value, bytes):
        return rfc1902.OctetString(value)
    if isinstance(value, str):
        return rfc1902.ObjectIdentifier(numbers(value))
    if isinstance(value, float):
        return rfc1902.OctetString(f"{value:g}".encode())
    if -(2**31) <= value < 2**31:
        return rfc1902.Integer32(value)
    return rfc1902.Counter64(max(0, min(value, 2**64 - 1)))
