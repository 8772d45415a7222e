"""OCPP 2.0.1 central system: chargers dial in, and each becomes the points of its model.

A charger connects to ``ws://host:port/<identity>``, may give a password (security profile 1), and
then reports by itself. Its limit is a leased station profile above a standing one, see
`limit_profile`: a charger that loses its central system falls back to the standing limit alone.
Source: Open Charge Alliance, OCPP 2.0.1.
"""

import asyncio
import base64
import contextlib
import hmac
import math
import ssl
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import ConfigError, DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.drivers.driver import Login
from mallee.drivers.ocpp_codec import SUBPROTOCOL, Payload, composite_limit_w, limit_profile
from mallee.drivers.ocpp_session import TOTAL, Memory, Session

_LIMIT: Final = "ChargingStationMaxProfile"
_OCCUPIED: Final = "Occupied"
_SOC: Final = "SoC"
_ADDED_UP: Final = frozenset(
    {"Power.Active.Import", "Power.Offered", "Energy.Active.Import.Register"}
)
"""What a station without a meter of its own has in the sum of its EVSEs."""
_REFRESH_S: Final = 10.0
"""How often the limit in force is asked for when nothing has changed it."""
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
        return f"{self._host}:{port}"

    def driver(
        self,
        identity: str,
        model: DeviceModel,
        login: Login | None = None,
        standing_limit_w: float | None = None,
    ) -> "OcppDriver":
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
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                process_request=self._admit,
                compression=None,
                max_size=_FRAME_MAX,
                close_timeout=1.0,
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
        if SUBPROTOCOL not in offered:
            driver.turned_away(Malformed(f"{identity}: speaks {offered}, not {SUBPROTOCOL}"))
            return None  # the library answers with 400
        if not driver.admits(request.headers.get("Authorization", "")):
            driver.turned_away(Refused(f"{identity}: dialled in with a wrong password"))
            return connection.respond(HTTPStatus.UNAUTHORIZED, "wrong user or password\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        await self._drivers[_identity(socket.request)].serve(socket)


class OcppDriver:
    """One charger as the points of its catalogue model.

    Readings older than the protocol's timeout are not delivered; what an EVSE without a car draws
    is zero. The limit read back is the composite schedule that the charger itself calculates.

    Attributes:
        memory: what the charger has said.
    """

    def __init__(
        self,
        central: OcppCentral,
        identity: str,
        model: DeviceModel,
        login: Login | None = None,
        standing_limit_w: float | None = None,
    ) -> None:
        protocol = model.protocol["ocpp"]
        self.memory = Memory()
        self._central, self._identity, self._login = central, identity, login
        self._points = tuple(point for point in model.point if point.protocol == "ocpp")
        self._places = [_place(point) for point in self._points]
        self._evses = range(1, int(str(protocol.options.get("evses", 1))) + 1)
        self._timeout_s, self._poll_s = protocol.timeout_s, protocol.poll_s
        self._limit_max_w = model.power_max_w
        self._standing_w = standing_limit_w
        if standing_limit_w is None and "standing_limit_w" in model.limits:
            self._standing_w = model.parameter("standing_limit_w")
        self._session: Session | None = None
        self._socket: ServerConnection | None = None
        self._limit_w, self._limit_until_s = math.nan, math.inf
        self._changed = asyncio.Event()

    @property
    def points(self) -> tuple[PointSpec, ...]:
        """What `read` returns, in its order."""
        return self._points

    @property
    def identity(self) -> dict[str, str]:
        """``vendorName``, ``model``, ``serialNumber``, ``firmwareVersion`` of the last boot."""
        return self.memory.boot

    async def open(self) -> None:
        """Listen for the charger; it dials in when it likes.

        Raises:
            ConfigError: the central system's port is taken.
        """
        await self._central.open()

    async def read(self) -> FloatArray:
        """The latest readings; NaN where none is fresh.  # (points,)

        Raises:
            Unreachable: it has not dialled in, or has been silent for longer than the timeout.
            Refused: it gave a wrong password, or denies requests.
            Malformed: it speaks another protocol, or its last message breaks this one.
        """
        await self._central.open()
        now_s = asyncio.get_running_loop().time()
        if self.memory.trouble is not None:
            raise type(self.memory.trouble)(*self.memory.trouble.args)
        self._connected()
        silent_s = now_s - self.memory.heard_s
        if not silent_s <= self._timeout_s:
            raise Unreachable(f"{self._identity}: silent for {silent_s:.1f} s")
        values = np.full(len(self._points), math.nan)
        for column, (spec, (name, evse)) in enumerate(zip(self._points, self._places, strict=True)):
            values[column] = self._reading(name, evse, now_s) * spec.scale + spec.offset
        return values

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """Limit the station's power; a lease of 0 sets the standing limit.

        Charging profiles count whole seconds, so a lease is rounded up.

        Raises:
            Rejected: no such setpoint, a value that is no limit, or the charger declines.
            Unreachable, Refused, Malformed: it is not known to have arrived.
        """
        what = f"{self._identity}: {point} = {value:g}"
        names = [p.name for p in self._points if p.access == "readwrite"]
        if point not in names:
            raise Rejected(f"{what}: no settable point; there are {', '.join(names)}")
        if not 0 <= value < math.inf:
            raise Rejected(f"{what}: outside 0..{self._limit_max_w:g}")
        session = self._connected()
        spec = self._points[[p.name for p in self._points].index(point)]
        if lease_s <= 0:
            self._standing_w = value
        await self._limit(session, (value - spec.offset) / spec.scale, lease_s, what)

    async def close(self) -> None:
        """Hang up; the central system keeps listening for the others."""
        if self._socket is not None:
            await self._socket.close()

    def admits(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header is the one that this charger must present."""
        if self._login is None:
            return True
        plain = f"{self._login.user}:{self._login.password}".encode()
        expected = b"Basic " + base64.b64encode(plain)
        return hmac.compare_digest(authorization.encode(), expected)

    def turned_away(self, trouble: DeviceError) -> None:
        """Somebody dialled in with this identity in vain; a connected charger does not suffer."""
        if self._session is None:
            self.memory.trouble = trouble

    async def serve(self, socket: ServerConnection) -> None:
        """Talk to the charger until the connection ends; a newer one takes over from an older."""
        if self._socket is not None:
            await self._socket.close()
        heartbeat_s = max(1, int(self._timeout_s / 2))
        session = Session(self._identity, socket, self.memory, self._timeout_s, heartbeat_s)
        self._socket, self._session = socket, session
        self.memory.trouble = None
        self.memory.heard_s = asyncio.get_running_loop().time()
        upkeep: asyncio.Task[None] | None = None
        try:
            async for message in socket:
                await session.receive(message)
                if upkeep is None:
                    # After its first message, mostly BootNotification: nothing is sent before.
                    upkeep = asyncio.create_task(self._keep_up(session))
        except ConnectionClosed:
            pass  # it dials in again by itself
        finally:
            session.hang_up()
            if upkeep is not None:
                upkeep.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await upkeep
            if self._session is session:
                self._session, self._socket = None, None

    async def _keep_up(self, session: Session) -> None:
        """Set the charger up, then keep the limit in force known."""
        standing_w: float | None = None
        with contextlib.suppress(DeviceError, ConnectionClosed):
            await session.call("SetVariables", _sampling(max(1, round(self._poll_s))))
        while True:
            with contextlib.suppress(DeviceError, ConnectionClosed):
                if self._standing_w is not None and standing_w != self._standing_w:
                    wanted_w = self._standing_w
                    await self._limit(session, wanted_w, 0.0, f"{self._identity}: standing limit")
                    standing_w = wanted_w
                await self._refresh_limit(session)
            self._changed.clear()
            rest_s = self._limit_until_s - asyncio.get_running_loop().time() + 0.1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(_REFRESH_S, max(0.1, rest_s)))

    async def _limit(self, session: Session, limit_w: float, lease_s: float, what: str) -> None:
        request = limit_profile(limit_w, lease_s, datetime.now(UTC))
        try:
            answer = await session.call("SetChargingProfile", request)
        except ConnectionClosed:
            raise Unreachable(f"{self._identity}: hung up") from None
        if answer["status"] != "Accepted":
            why = _why(answer)
            raise Rejected(
                f"{what}: the charger declines, {why}; it takes 0..{self._limit_max_w:g}"
            )
        if lease_s > 0:
            now_s = asyncio.get_running_loop().time()
            self._limit_w, self._limit_until_s = limit_w, now_s + math.ceil(lease_s)
        with contextlib.suppress(Rejected):  # then the accepted value has to do as the reading
            await self._refresh_limit(session)
        self._changed.set()

    async def _refresh_limit(self, session: Session) -> None:
        """Ask what limit is in force; without that function the accepted one counts."""
        request: Payload = {"duration": 1, "evseId": TOTAL, "chargingRateUnit": "W"}
        try:
            limit_w = composite_limit_w(await session.call("GetCompositeSchedule", request))
        except ConnectionClosed:
            raise Unreachable(f"{self._identity}: hung up") from None
        if not math.isnan(limit_w):
            self._limit_w = limit_w
            if self._limit_until_s < asyncio.get_running_loop().time():
                self._limit_until_s = math.inf

    def _connected(self) -> Session:
        if self._session is None:
            where = f"ws://{self._central.address}/{self._identity}"
            raise Unreachable(f"{self._identity}: not dialled in to {where}")
        return self._session

    def _reading(self, name: str, evse: int, now_s: float) -> float:
        if name == _LIMIT:
            return self._limit_w if now_s <= self._limit_until_s else math.nan
        if name == _OCCUPIED:
            states = [self.memory.occupied(number) for number in self._evses]
            return math.nan if None in states else float(sum(map(bool, states)))
        value, time_s = self.memory.readings.get((name, evse), (math.nan, -math.inf))
        fresh = now_s - time_s <= self._timeout_s
        if evse != TOTAL and self.memory.occupied(evse) is False:
            return math.nan if name == _SOC else (value if fresh else 0.0)
        if fresh:
            return value
        if evse == TOTAL and name in _ADDED_UP:
            return sum(self._reading(name, number, now_s) for number in self._evses)
        return math.nan


def _identity(request: Request) -> str:
    return unquote(urlsplit(request.path).path.rstrip("/").rpartition("/")[2])


def _place(point: PointSpec) -> tuple[str, int]:
    """Measurand and EVSE of ``Power.Active.Import/3``; without a number the whole station."""
    at = point.at if isinstance(point.at, str) else point.at[0]
    name, _, evse = at.partition("/")
    return name, int(evse) if evse else TOTAL


def _sampling(interval_s: int) -> Payload:
    """`SetVariablesRequest` for meter values at an interval, in and outside transactions."""
    wanted = (("AlignedDataCtrlr", "Interval"), ("SampledDataCtrlr", "TxUpdatedInterval"))
    return {
        "setVariableData": [
            {
                "component": {"name": component},
                "variable": {"name": variable},
                "attributeValue": str(interval_s),
            }
            for component, variable in wanted
        ]
    }


def _why(answer: Payload) -> str:
    info: Payload = answer.get("statusInfo", {})
    parts = [answer["status"], info.get("reasonCode", ""), info.get("additionalInfo", "")]
    return " ".join(part for part in parts if part)
