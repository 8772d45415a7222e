"""OCPP 1.6 and 2.0.1 central system: chargers dial in, and each becomes the points of its model.

A charger connects to ``ws://host:port/<identity>``, may give a password (security profile 1), and
then reports by itself. Its limit is a leased station profile above a standing one, see
`limit_profile`: a charger that loses its central system falls back to the standing limit alone.
Source: Open Charge Alliance, OCPP 2.0.1.
"""

import ssl
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError, Malformed, Refused
from mallee.core.protocol import join_place
from mallee.drivers.driver import Login, Target
from mallee.drivers.ocpp.charger import LIMIT, OcppDriver

_FRAME_MAX: Final = 256 * 1024
_STRANGERS_MAX: Final = 100


class OcppCentral:
    """Where chargers dial in.

    Attributes:
        strangers: identities that dialled in but that no driver waits for.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.strangers: set[str] = set()
        self._host, self._port, self._tls = host, port, tls
        self._drivers: dict[str, OcppDriver] = {}
        self._server: Server | None = None

    @property
    def address(self) -> str:
        """Where it listens, as "host:port"; with port 0 known once it is open."""
        port = self._port
        if self._server is not None:
            port = next(iter(self._server.sockets)).getsockname()[1]
        return join_place(self._host, port)

    def driver(self, target: Target) -> OcppDriver:
        """The charger whose identity is the part of its address."""
        limits = [p.name for p in target.model.point if p.protocol == "ocpp" and p.at == LIMIT]
        standing = [target.standing[name] for name in limits if name in target.standing]
        return self.charger(
            target.part, target.model, target.login, standing[0] if standing else None
        )

    def charger(
        self,
        identity: str,
        model: DeviceModel,
        login: Login | None = None,
        standing_limit_w: float | None = None,
    ) -> OcppDriver:
        """The charger that dials in under an identity; call it once for each.

        Args:
            login: what the charger must present (HTTP Basic); OCPP takes the identity as user.
            standing_limit_w: what holds in the charger whenever no lease runs; by default the
                model's limit ``standing_limit_w``. Without either nothing is installed.
        """
        driver = OcppDriver(self, identity, model, login, standing_limit_w)
        self._drivers[identity] = driver
        return driver

    async def open(self) -> None:
        """Listen; does nothing where it already does.

        Raises:
            ConfigError: the port is taken.
        """
        if self._server is not None:
            return
        try:
            self._server = await serve(
                self._serve,
                self._host,
                self._port,
                ssl=self._tls,
                select_subprotocol=self._choose,
                process_request=self._admit,
                compression=None,
                max_size=_FRAME_MAX,
                close_timeout=1.0,
                # Some stations never answer pings; that one is silent is seen from its messages.
                ping_timeout=None,
            )
        except OSError as error:
            what = f"cannot listen for chargers: {error.strerror}"
            hint = "free the port, or give port 0 to choose a free one"
            raise ConfigError(f"{self._host}:{self._port}", what, hint) from None

    async def close(self) -> None:
        """Hang up on all chargers and stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Decide on a handshake before the connection stands."""
        identity = _identity(request)
        driver = self._drivers.get(identity)
        if driver is None:
            if len(self.strangers) < _STRANGERS_MAX:
                self.strangers.add(identity)
            return connection.respond(HTTPStatus.NOT_FOUND, f"no charger {identity!r} here\n")
        offered = request.headers.get("Sec-WebSocket-Protocol", "nothing")
        if driver.subprotocol not in [one.strip() for one in offered.split(",")]:
            text = f"{identity}: speaks {offered}, not {driver.subprotocol}"
            driver.turned_away(Malformed(text))
            return None  # the library answers with 400
        if not driver.admits(request.headers.get("Authorization", "")):
            driver.turned_away(Refused(f"{identity}: dialled in with a wrong password"))
            return connection.respond(HTTPStatus.UNAUTHORIZED, "wrong user or password\n")
        return None

    def _choose(
        self, connection: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        """The one that the station's model names; called for stations that were let in."""
        assert connection.request is not None
        wanted = self._drivers[_identity(connection.request)].subprotocol
        if wanted not in offered:
            raise NegotiationError(f"{wanted} is not among {', '.join(offered)}")
        return Subprotocol(wanted)

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        await self._drivers[_identity(socket.request)].serve(socket)


def _identity(request: Request) -> str:
    return unquote(urlsplit(request.path).path.rstrip("/").rpartition("/")[2])
