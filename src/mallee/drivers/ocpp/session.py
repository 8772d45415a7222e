"""One charger's connection: requests both ways, and what the charger has said so far."""

import asyncio
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Final, Protocol

from mallee.core.errors import DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.drivers.ocpp.codec import (
    Call,
    Failure,
    Payload,
    Result,
    UnknownAction,
    check_payload,
    decode_frame,
    encode_call,
    encode_failure,
    encode_result,
    meter_readings,
    timestamp,
)
from mallee.drivers.ocpp.v16 import answer_to_16, call_16, to_201

_NOTED: Final = frozenset(
    {
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "NotifyChargingLimit",
        "NotifyMonitoringReport",
        "NotifyReport",
        "ReportChargingProfiles",
        "SecurityEventNotification",
    }
)
"""Messages that only want to be acknowledged."""
_DENIED: Final = frozenset({"SecurityError"})
_BROKEN: Final = frozenset(
    {"FormatViolation", "MessageTypeNotSupported", "ProtocolError", "RpcFrameworkError"}
)
ODD_MAX: Final = 3
"""So many odd messages without a good one between them, and nothing that it says counts."""
OLD_S: Final = 60.0
"""A reading so much older than the newest one was kept and is sent late."""
TOTAL: Final = 0
"""EVSE number of the whole station."""


class Socket(Protocol):
    """What a session needs of a WebSocket."""

    async def send(self, message: str) -> None:
        """Send one text frame."""


@dataclass(slots=True)
class Memory:
    """What a charger has said; outlives its connections.

    Attributes:
        readings: by measurand and EVSE, the value and when it came (monotonic, s).
        status: by EVSE and connector, such as ``Occupied``.
        boot: vendor, model, serial number and firmware of the last boot.
        heard_s: when it last said anything that made sense; NaN never.
        evse_of: by transaction, the EVSE that it is on.
        ahead_s: how far its clock is ahead of ours, from the quickest message; -inf unknown.
        odd: how many messages in a row did not fit the protocol.
        trouble: why nothing it says can be used; None while all is well.
    """

    readings: dict[tuple[str, int], tuple[float, float]] = field(default_factory=dict)
    status: dict[tuple[int, int], str] = field(default_factory=dict)
    boot: dict[str, str] = field(default_factory=dict)
    heard_s: float = math.nan
    evse_of: dict[str, int] = field(default_factory=dict)
    ahead_s: float = -math.inf
    odd: int = 0
    trouble: DeviceError | None = None

    def occupied(self, evse: int) -> bool | None:
        """Whether a car is plugged in; None while unknown."""
        states = [state for (number, _), state in self.status.items() if number == evse]
        return "Occupied" in states if states else None

    def meter(self, evse: int, values: list[Payload], now_s: float) -> None:
        """Take over readings of a station (0) or an EVSE; those of another hour stay out."""
        for value in values:
            if self._is_of_now(value.get("timestamp", "")):
                for measurand, reading in meter_readings([value]):
                    self.readings[measurand, evse] = (reading, now_s)

    def transaction(self, payload: Payload, now_s: float) -> None:
        """Take over a `TransactionEvent`; only the first of a transaction must name its EVSE."""
        number = payload["transactionInfo"]["transactionId"]
        evse = payload.get("evse", {}).get("id", self.evse_of.get(number))
        if evse is None:
            return
        self.evse_of[number] = int(evse)
        if not payload.get("offline", False):  # kept while the line was down, and sent now
            self.meter(int(evse), payload.get("meterValue", []), now_s)
        if payload["eventType"] == "Ended":
            self.evse_of.pop(number, None)

    def notice(self, event: Payload) -> None:
        """Take over the state of a connector that a `NotifyEvent` tells."""
        component = event["component"]
        evse = component.get("evse", {})
        if event["variable"]["name"] == "AvailabilityState" and "id" in evse:
            place = (int(evse["id"]), int(evse.get("connectorId", 1)))
            self.status[place] = event["actualValue"]

    def _is_of_now(self, text: str) -> bool:
        """Whether a moment of the station's clock is about now.

        The clock may be off; how much is known from the message that was latest on its way.
        """
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return True
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        ahead_s = (moment - datetime.now(UTC)).total_seconds()
        self.ahead_s = max(self.ahead_s, ahead_s)
        return self.ahead_s - ahead_s <= OLD_S


class Session:
    """Talks to one charger over one connection; one request of ours under way at a time."""

    def __init__(
        self,
        identity: str,
        socket: Socket,
        memory: Memory,
        timeout_s: float,
        heartbeat_s: int,
        version: str = "2.0.1",
    ) -> None:
        self._is_16 = version == "1.6"
        self._identity, self._socket, self._memory = identity, socket, memory
        self._timeout_s, self._heartbeat_s = timeout_s, heartbeat_s
        self._turn = asyncio.Lock()
        self._numbers = count(1)
        self._pending: tuple[str, asyncio.Future[Result | Failure]] | None = None

    async def receive(self, text: str | bytes) -> None:
        """Handle one frame from the charger and answer it."""
        memory = self._memory
        now_s = asyncio.get_running_loop().time()
        try:
            frame = decode_frame(text)
        except Malformed as error:
            memory.trouble = Malformed(f"{self._identity}: {error}", error.sample)
            return
        if not isinstance(frame, Call):
            self._settle(frame)
            memory.heard_s = now_s
            return
        told = frame
        try:
            if self._is_16:
                frame = Call(frame.number, *to_201(frame.action, frame.payload))
            else:
                check_payload(frame.action, frame.payload, answer=False)
        except UnknownAction as error:
            memory.heard_s = now_s
            await self._fail(frame, "NotImplemented", str(error))
            return
        except Malformed as error:
            # One odd message among good ones is answered and left out; it blinds nobody.
            memory.odd += 1
            if memory.odd >= ODD_MAX:
                memory.trouble = Malformed(f"{self._identity}: {error}")
            await self._fail(frame, "FormatViolation", str(error))
            return
        answer = self._answer(frame, now_s)
        memory.heard_s, memory.trouble, memory.odd = now_s, None, 0
        if answer is None:
            await self._fail(frame, "NotImplemented", f"{frame.action} is not handled here")
        else:
            if self._is_16:
                answer = answer_to_16(told.action, answer, next(self._numbers))
            await self._socket.send(encode_result(frame.number, answer))

    async def call(self, action: str, payload: Payload) -> Payload:
        """Ask the charger.

        Raises:
            Unreachable: no answer in time.
            Refused: a security error.
            Rejected: it cannot or will not do that.
            Malformed: an answer that does not fit, or it cannot read the request.
        """
        if self._is_16:
            return await call_16(self._ask, action, payload)
        answer = await self._ask(action, payload)
        check_payload(action, answer, answer=True)
        return answer

    async def _ask(self, action: str, payload: Payload) -> Payload:
        """Send a request as it is, and wait for its answer."""
        async with self._turn:
            number = str(next(self._numbers))
            future: asyncio.Future[Result | Failure] = asyncio.get_running_loop().create_future()
            self._pending = (number, future)
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._socket.send(encode_call(number, action, payload))
                    frame = await future
            except TimeoutError:
                text = f"{self._identity}: no answer to {action} within {self._timeout_s:g} s"
                raise Unreachable(text) from None
            finally:
                self._pending = None
        if isinstance(frame, Failure):
            raise self._failed(action, frame)
        if isinstance(self._memory.trouble, Refused):
            self._memory.trouble = None
        return frame.payload

    def hang_up(self) -> None:
        """The connection is gone: nobody will answer any more."""
        if self._pending is not None and not self._pending[1].done():
            self._pending[1].set_exception(Unreachable(f"{self._identity}: hung up"))

    async def _fail(self, call: Call, code: str, text: str) -> None:
        await self._socket.send(encode_failure(Failure(call.number, code, text)))

    def _settle(self, frame: Result | Failure) -> None:
        """Hand an answer to who waits for it; one that comes too late is dropped."""
        if self._pending is not None and self._pending[0] == frame.number:
            future = self._pending[1]
            if not future.done():
                future.set_result(frame)

    def _failed(self, action: str, failure: Failure) -> DeviceError:
        text = (
            f"{self._identity}: {action} fails with {failure.code} {failure.description}".rstrip()
        )
        if failure.code in _DENIED:
            self._memory.trouble = Refused(text)
            return Refused(text)
        return Malformed(text) if failure.code in _BROKEN else Rejected(text)

    def _answer(self, call: Call, now_s: float) -> Payload | None:
        """Take over what a message says; the answer to it, None where it is not known here."""
        memory, payload = self._memory, call.payload
        match call.action:
            case "BootNotification":
                station: Payload = payload["chargingStation"]
                memory.boot = {k: v[:50] for k, v in station.items() if isinstance(v, str)}
                clock = timestamp(datetime.now(UTC))
                return {"currentTime": clock, "interval": self._heartbeat_s, "status": "Accepted"}
            case "Heartbeat":
                return {"currentTime": timestamp(datetime.now(UTC))}
            case "StatusNotification":
                place = (int(payload["evseId"]), int(payload["connectorId"]))
                memory.status[place] = payload["connectorStatus"]
                return {}
            case "MeterValues":
                memory.meter(int(payload["evseId"]), payload["meterValue"], now_s)
                return {}
            case "TransactionEvent":
                memory.transaction(payload, now_s)
                return {}
            case "NotifyEvent":
                for event in payload["eventData"]:
                    memory.notice(event)
                return {}
            case "Authorize":
                # Who may charge is not decided here: see docs/devices/ocpp.md.
                return {"idTokenInfo": {"status": "Accepted"}}
            case "DataTransfer":
                return {"status": "UnknownVendorId"}
            case action:
                return {} if action in _NOTED else None
