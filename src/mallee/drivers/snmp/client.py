"""One SNMP agent: asks for objects and survives what agents do, on gufo-snmp.

Agents answer a request that holds one object they dislike with an error for all of it, drop one
that is too long for them without a word, and forget version 3's clock when they restart. The
library gives an error as an empty answer; who asked for several objects asks for them by halves.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from mallee.core.errors import ConfigError, Malformed, Refused, Unreachable
from mallee.core.oids import Objects, Value
from mallee.core.protocol import join_place
from mallee.core.protocols.snmp import COMMUNITY_USER, Options
from mallee.drivers.driver import Login

if TYPE_CHECKING:
    from gufo.snmp import User
    from gufo.snmp.aio import SnmpSession

T = TypeVar("T")
SHARES: Final = (1 / 3, 2 / 3)
"""Parts of the longest wait for the first and the second try: datagrams get lost."""
ASK_AGAIN: Final = 60
"""Readings after which an object that an agent does not have is asked for once more."""


class SnmpClient:
    """One agent, or one unit of its chain.

    Args:
        login: a user of version 3, or a community; None is the community `public`.
        timeout_s: longest wait for one answer.
        turn: held for each request, by all who ask the same agent.
    """

    def __init__(
        self,
        host: str,
        port: int,
        options: Options,
        login: Login | None,
        timeout_s: float,
        turn: asyncio.Lock | None = None,
    ) -> None:
        self.address = join_place(host, port)
        self._host, self._port, self._options, self._login = host, port, options, login
        self._timeout_s = timeout_s
        self._longest = options.longest
        self._turn = turn or asyncio.Lock()
        self._session: SnmpSession | None = None
        self._lacking: dict[str, int] = {}

    async def open(self) -> None:
        """Make a session; version 3 learns the agent's clock.

        Raises:
            Unreachable, Refused, Malformed: as `ask`.
        """
        if self._session is None:
            session = await self._new_session()
            async with self._turn:
                await self._guarded(session.refresh())
            self._session = session

    async def ask(self, oids: Sequence[str]) -> Objects:
        """What the agent says to each object; those that it does not have are left out.

        Raises:
            Unreachable: no answer in time, or no such host.
            Refused: user, password or access denied. A wrong community is never answered.
            Malformed: the answer is no SNMP.
        """
        await self.open()
        found: Objects = {}
        wanted = [oid for oid in oids if self._is_due(oid)]
        for first in range(0, len(wanted), self._longest):
            found |= await self._ask_some(wanted[first : first + self._longest])
        return found

    async def walk(self, root: str) -> AsyncIterator[tuple[str, Value]]:
        """All objects below one, in the agent's order.

        Raises:
            Unreachable, Refused, Malformed: as `ask`.
        """
        await self.open()
        assert self._session is not None
        objects = self._session.getbulk(root, min(self._longest, 20))
        last = ""
        while True:
            try:
                async with self._turn:
                    oid, value = await self._guarded(anext(objects))
            except StopAsyncIteration:
                return
            if oid == last or not oid.startswith(root):
                return  # an agent that goes in circles, or on without end
            last = oid
            yield oid, value

    async def close(self) -> None:
        """Ask no more; the next question makes a new session."""
        self._session = None

    def _is_due(self, oid: str) -> bool:
        left = self._lacking.get(oid, 0)
        if left > 0:
            self._lacking[oid] = left - 1
        return left == 0

    async def _ask_some(self, oids: list[str]) -> Objects:
        found = await self._ask_once(oids)
        if found or not oids:
            return found
        if len(oids) == 1:
            self._lacking[oids[0]] = ASK_AGAIN
            return {}
        middle = len(oids) // 2
        return await self._ask_some(oids[:middle]) | await self._ask_some(oids[middle:])

    async def _ask_once(self, oids: list[str]) -> Objects:
        for share in SHARES:
            is_last = share == SHARES[-1]
            try:
                async with self._turn:
                    answer = await self._guarded(self._asking(oids), share)
            except Unreachable:
                if is_last:
                    # Perhaps the request is too long for it.
                    self._longest = max(1, min(self._longest, len(oids)) // 2)
                    self._session = None
                    raise
            except Refused:
                self._session = None
                if is_last or self._is_v2c:
                    raise
                await self.open()  # it may have restarted, and with it its clock
            else:
                asked = set(oids)
                return {oid: value for oid, value in answer.items() if oid in asked}
        raise AssertionError("the last attempt returns or raises")

    async def _asking(self, oids: list[str]) -> Objects:
        if self._session is None:
            raise OSError("the session was closed meanwhile")
        return await self._session.get_many(oids)

    @property
    def _is_v2c(self) -> bool:
        return self._login is None or self._login.user == COMMUNITY_USER

    async def _guarded(self, work: Awaitable[T], share: float = 1.0) -> T:
        """Name what the library raises; wait for a share of the longest wait only."""
        from gufo.snmp import SnmpAuthError, SnmpError

        try:
            # Here, too, because the library's own wait starts anew at each datagram.
            async with asyncio.timeout(self._timeout_s * share):
                return await work
        except TimeoutError:
            raise Unreachable(f"{self.address}: no answer within {self._timeout_s:g} s") from None
        except SnmpAuthError:
            who = "access" if self._login is None else f"login of {self._login.user!r}"
            raise Refused(f"{self.address}: {who} denied") from None
        except (SnmpError, ValueError, RuntimeError) as error:
            raise Malformed(f"{self.address}: the answer is not SNMP ({error})") from None
        except OSError as error:
            raise Unreachable(f"{self.address}: {error}") from None

    async def _new_session(self) -> "SnmpSession":
        SnmpSession = _library()  # noqa: N806 - a class
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise Unreachable(f"{self.address}: {error.strerror or error}") from None
        login = self._login
        return SnmpSession(
            str(found[0][4][0]),
            self._port,
            community=login.password if login and self._is_v2c else "public",
            user=None if login is None or self._is_v2c else _user(login, self._options),
            timeout=self._timeout_s,
        )


def _library() -> "type[SnmpSession]":
    """The session class, where its package is installed."""
    try:
        from gufo.snmp.aio import SnmpSession
    except ImportError:
        hint = "install it with: pip install 'mallee[snmp]'"
        raise ConfigError("SNMP", "the package gufo-snmp is missing", hint) from None
    return SnmpSession


def _user(login: Login, options: Options) -> "User":
    """A user of version 3; one password authenticates and encrypts.

    Raises:
        Refused: the password is too short for any agent (RFC 3414, section 11.2).
    """
    from gufo import snmp

    if len(login.password) < 8:
        raise Refused(f"the password of {login.user!r} has less than 8 characters")
    hashes = {
        "md5": snmp.Md5Key, "sha1": snmp.Sha1Key, "sha224": snmp.Sha224Key,
        "sha256": snmp.Sha256Key, "sha384": snmp.Sha384Key, "sha512": snmp.Sha512Key,
    }  # fmt: skip
    ciphers = {
        "des": snmp.DesKey, "aes128": snmp.Aes128Key, "aes192": snmp.Aes192Key,
        "aes256": snmp.Aes256Key,
    }  # fmt: skip
    secret = login.password.encode()
    cipher = ciphers.get(options.cipher)
    return snmp.User(
        login.user,
        auth_key=hashes[options.hash](secret),
        priv_key=None if cipher is None else cipher(secret),
    )
