"""One charging station as the points of its catalogue model.

Its limit is a leased station profile above a standing one, see `limit_profile`: a station that
loses its central system falls back to the standing limit alone.
Source: Open Charge Alliance, OCPP 2.0.1.
"""

import asyncio
import base64
import contextlib
import hmac
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import numpy as np
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import DeviceError, Rejected, Unreachable
from mallee.core.identity import Identity
from mallee.core.protocols.ocpp import Options
from mallee.drivers.driver import Login
from mallee.drivers.ocpp.codec import Payload, composite_limit_w, limit_profile
from mallee.drivers.ocpp.session import TOTAL, Memory, Session

LIMIT: Final = "ChargingStationMaxProfile"
_OCCUPIED: Final = "Occupied"
_SOC: Final = "SoC"
_ADDED_UP: Final = frozenset(
    {"Power.Active.Import", "Power.Offered", "Energy.Active.Import.Register"}
)
"""What a station without a meter of its own has in the sum of its EVSEs."""
_POWER: Final = "Power.Active.Import"
_BASIC: Final = (_POWER, "Energy.Active.Import.Register")
"""What every station with a meter can tell."""
ABOVE_FRAC, ABOVE_W = 0.1, 500.0
"""A station that draws so much more than its limit does not follow it."""
FOLLOW_S: Final = 20.0
"""Time that cars get to come down to a lower limit."""
_REFRESH_S: Final = 10.0
"""How often the limit in force is asked for when nothing has changed it."""


class Central(Protocol):
    """Where a station dials in."""

    @property
    def address(self) -> str:
        """Where it listens, as "host:port"."""

    async def open(self) -> None:
        """Listen, if it does not yet."""


class OcppDriver:
    """One charger as the points of its catalogue model.

    Readings older than the protocol's timeout are not delivered; what an EVSE without a car draws
    is zero. The limit read back is the composite schedule that the charger itself calculates.

    Attributes:
        memory: what the charger has said.
        subprotocol: what its model says that it speaks.
        remarks: none so far; what it does wrong shows in its points.
    """

    remarks: tuple[str, ...] = ()

    def __init__(
        self,
        central: Central,
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
        self._evses = range(1, model.options("ocpp", Options).evses + 1)
        self.subprotocol = f"ocpp{model.options('ocpp', Options).version}"
        self._timeout_s, self._poll_s = protocol.timeout_s, protocol.poll_s
        self._limit_max_w = model.power_max_w
        self._standing_w = standing_limit_w
        if standing_limit_w is None and "standing_limit_w" in model.limits:
            self._standing_w = model.parameter("standing_limit_w")
        self._session: Session | None = None
        self._socket: ServerConnection | None = None
        self._limit = _Limit()
        self._changed = asyncio.Event()

    @property
    def points(self) -> tuple[PointSpec, ...]:
        """What `read` returns, in its order."""
        return self._points

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

    async def identify(self) -> Identity:
        """Who it said it is when it last booted.

        Raises:
            Unreachable: it has not dialled in.
        """
        self._connected()
        said = self.memory.boot.get
        return Identity(
            manufacturer=said("vendorName", ""),
            model=said("model", ""),
            firmware=said("firmwareVersion", ""),
            serial=said("serialNumber", ""),
        )

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
        await self._set(session, (value - spec.offset) / spec.scale, lease_s, what)

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
        version = (socket.subprotocol or "").removeprefix("ocpp")
        session = Session(
            self._identity, socket, self.memory, self._timeout_s, heartbeat_s, version
        )
        self._socket, self._session = socket, session
        self._limit.forget()  # it may have been without power, and forgotten it, too
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
            await self._ask_for_measurands(session)
        with contextlib.suppress(DeviceError, ConnectionClosed):
            await self._renew(session)
        while True:
            with contextlib.suppress(DeviceError, ConnectionClosed):
                if self._standing_w is not None and standing_w != self._standing_w:
                    wanted_w = self._standing_w
                    await self._set(session, wanted_w, 0.0, f"{self._identity}: standing limit")
                    standing_w = wanted_w
                await self._refresh_limit(session)
            self._changed.clear()
            rest_s = self._limit.until_s - asyncio.get_running_loop().time() + 0.1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(_REFRESH_S, max(0.1, rest_s)))

    async def _ask_for_measurands(self, session: Session) -> None:
        """Some stations send energy alone unless asked for more; some know only the basic two."""
        named = dict.fromkeys(name for name, _ in self._places if name not in (LIMIT, _OCCUPIED))
        for wanted in (list(named), [name for name in named if name in _BASIC]):
            answer = await session.call("SetVariables", _measurands(wanted))
            if all(one["attributeStatus"] == "Accepted" for one in answer["setVariableResult"]):
                return

    async def _renew(self, session: Session) -> None:
        """Set the limit whose lease still runs again: the station may have lost it meanwhile."""
        left_s = self._limit.leased_until_s - asyncio.get_running_loop().time()
        if left_s > 0.0:
            what = f"{self._identity}: limit after it dialled in"
            await self._set(session, self._limit.leased_w, left_s, what)

    async def _set(self, session: Session, limit_w: float, lease_s: float, what: str) -> None:
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
            ends_s = asyncio.get_running_loop().time() + math.ceil(lease_s)
            self._limit.accepted(limit_w, ends_s)
        with contextlib.suppress(Rejected):  # then its meter has to prove that it follows
            await self._refresh_limit(session)
        self._changed.set()

    async def _refresh_limit(self, session: Session) -> None:
        """Ask what limit is in force."""
        request: Payload = {"duration": 1, "evseId": TOTAL, "chargingRateUnit": "W"}
        try:
            answer = await session.call("GetCompositeSchedule", request)
        except ConnectionClosed:
            raise Unreachable(f"{self._identity}: hung up") from None
        limit_w = composite_limit_w(answer, self._limit.value_w)
        if not math.isnan(limit_w):
            self._limit.confirmed(limit_w, asyncio.get_running_loop().time())

    def _connected(self) -> Session:
        if self._session is None:
            where = f"ws://{self._central.address}/{self._identity}"
            raise Unreachable(f"{self._identity}: not dialled in to {where}")
        return self._session

    def _reading(self, name: str, evse: int, now_s: float) -> float:
        if name == LIMIT:
            return self._limit.in_force_w(self._reading(_POWER, TOTAL, now_s), now_s)
        if name == _OCCUPIED:
            states = [self.memory.occupied(number) for number in self._evses]
            return math.nan if None in states else float(sum(map(bool, states)))
        value, time_s = self.memory.readings.get((name, evse), (math.nan, -math.inf))
        fresh = now_s - time_s <= self._timeout_s
        if evse != TOTAL and name.startswith("Energy."):
            # A register keeps what it has counted; without a car nothing is added to it.
            return value if fresh or self.memory.occupied(evse) is False else math.nan
        if evse != TOTAL and self.memory.occupied(evse) is False:
            return math.nan if name == _SOC else (value if fresh else 0.0)
        if fresh:
            return value
        if evse == TOTAL and name in _ADDED_UP:
            return sum(self._reading(name, number, now_s) for number in self._evses)
        return math.nan


@dataclass(slots=True)
class _Limit:
    """The limit of a station: what it accepted, what it says is in force, what its meter proves.

    Attributes:
        value_w: the limit; NaN unknown.
        until_s: when it ends by itself.
        leased_w, leased_until_s: the last one with a lease.
    """

    value_w: float = math.nan
    until_s: float = math.inf
    leased_w: float = math.nan
    leased_until_s: float = -math.inf
    is_confirmed: bool = False
    above_since_s: float = math.nan

    def forget(self) -> None:
        """Nothing is known of it any more."""
        self.value_w, self.until_s, self.is_confirmed = math.nan, math.inf, False

    def accepted(self, limit_w: float, ends_s: float) -> None:
        """The station took it; that it follows has to be seen."""
        self.value_w, self.until_s, self.is_confirmed = limit_w, ends_s, False
        self.leased_w, self.leased_until_s = limit_w, ends_s

    def confirmed(self, limit_w: float, now_s: float) -> None:
        """The station says that this one is in force."""
        self.value_w, self.is_confirmed = limit_w, True
        if self.until_s < now_s:
            self.until_s = math.inf

    def in_force_w(self, power_w: float, now_s: float) -> float:
        """The limit, as far as it is proven: NaN where the station draws far more.

        Args:
            power_w: what the station draws; NaN unknown.
        """
        if now_s > self.until_s:
            return math.nan
        is_above = power_w > self.value_w * (1.0 + ABOVE_FRAC) + ABOVE_W
        if not is_above:
            self.above_since_s = math.nan
        elif math.isnan(self.above_since_s):
            self.above_since_s = now_s
        if self.is_confirmed:  # a car takes some seconds to come down
            return math.nan if now_s - self.above_since_s > FOLLOW_S else self.value_w
        return self.value_w if power_w <= self.value_w * (1.0 + ABOVE_FRAC) + ABOVE_W else math.nan


def _measurands(names: list[str]) -> Payload:
    """`SetVariablesRequest` for what meter values shall tell, in and outside transactions."""
    places = (("AlignedDataCtrlr", "Measurands"), ("SampledDataCtrlr", "TxUpdatedMeasurands"))
    return _set_variables([(*place, ",".join(names)) for place in places])


def _place(point: PointSpec) -> tuple[str, int]:
    """Measurand and EVSE of ``Power.Active.Import/3``; without a number the whole station."""
    at = point.at if isinstance(point.at, str) else point.at[0]
    name, _, evse = at.partition("/")
    return name, int(evse) if evse else TOTAL


def _sampling(interval_s: int) -> Payload:
    """`SetVariablesRequest` for meter values at an interval, in and outside transactions."""
    places = (("AlignedDataCtrlr", "Interval"), ("SampledDataCtrlr", "TxUpdatedInterval"))
    return _set_variables([(*place, str(interval_s)) for place in places])


def _set_variables(wanted: list[tuple[str, str, str]]) -> Payload:
    return {
        "setVariableData": [
            {
                "component": {"name": component},
                "variable": {"name": variable},
                "attributeValue": value,
            }
            for component, variable, value in wanted
        ]
    }


def _why(answer: Payload) -> str:
    info: Payload = answer.get("statusInfo", {})
    parts = [answer["status"], info.get("reasonCode", ""), info.get("additionalInfo", "")]
    return " ".join(part for part in parts if part)
