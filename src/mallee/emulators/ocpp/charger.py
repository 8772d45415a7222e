"""A charging station of the twin: dials in to a central system and speaks OCPP 1.6 or 2.0.1.

It boots, reports each EVSE and the station's meter once a second, holds the charging profiles it
is given and obeys them, connected or not. Source: Open Charge Alliance, OCPP 2.0.1 part 2 (B01
boot, E transactions, G01 status, J01 meter values, K smart charging), part 4 (reconnecting).
"""

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from urllib.parse import quote
from zlib import crc32

from ocpp.exceptions import OCPPError
from ocpp.v201 import call
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from mallee.core.errors import Rejected
from mallee.core.identity import spoken
from mallee.core.protocol import join_place
from mallee.core.protocols.ocpp import Options
from mallee.emulators.device import EmulatedDevice, Place, Running
from mallee.emulators.ocpp import station16
from mallee.emulators.ocpp.profiles import ChargingProfiles
from mallee.emulators.ocpp.station import LIMIT, Settings, Station, sampled_values
from mallee.emulators.ocpp.station16 import Station16

_WAIT_MIN_S: Final = 0.25
_WAIT_MAX_S: Final = 2.0
_ANSWER_S: Final = 10.0
_EXPECTED: Final = (ConnectionClosed, InvalidHandshake, OCPPError, OSError, TimeoutError)
"""What a network, or a central system that restarts, may do."""


async def dial_in(place: Place, devices: Mapping[str, EmulatedDevice]) -> Running:
    """Start stations, by identity; they dial in to a central system until they are closed."""
    url = f"ws://{join_place(place.host, place.port)}"
    running = [await run_charger(device, url, identity) for identity, device in devices.items()]

    async def stop() -> None:
        await asyncio.gather(*(one.close() for one in running))

    return Running(join_place(place.host, place.port), stop)


async def run_charger(
    device: EmulatedDevice, central_url: str, identity: str, password: str = ""
) -> Running:
    """Start a station; it dials in until it is closed, with growing pauses.

    Args:
        central_url: such as ``ws://127.0.0.1:9000``; the identity is appended.
        password: presented with the identity as user where it is not empty.
    """
    charger = _Charger(device, central_url, identity, password)
    tasks = [asyncio.create_task(charger.dial()), asyncio.create_task(charger.hold())]
    for task in tasks:
        task.add_done_callback(_report_crash)

    async def stop() -> None:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return Running(central_url.rpartition("/")[2], stop)


def _report_crash(task: asyncio.Task[None]) -> None:
    """A bug must not hide in a task that nobody awaits."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        context = {"message": "emulated charger crashed", "exception": error, "task": task}
        asyncio.get_running_loop().call_exception_handler(context)


class _Charger:
    """One station across its connections."""

    def __init__(
        self, device: EmulatedDevice, central_url: str, identity: str, password: str
    ) -> None:
        self._device, self._identity = device, identity
        self._url = f"{central_url.rstrip('/')}/{quote(identity, safe='')}"
        token = b64encode(f"{identity}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"} if password else {}
        self._profiles = ChargingProfiles(device.model.power_max_w)
        self._settings = Settings()
        self._changed = asyncio.Event()
        self._transactions = count(1)
        options = device.model.options("ocpp", Options)
        self._version, evses = options.version, options.evses
        self._plugs = {evse: _Plug() for evse in range(1, evses + 1)}

    async def dial(self) -> None:
        """Connect, talk, and again when the connection ends."""
        wait_s = _WAIT_MIN_S
        # Stations that lost the same central system at once shall not come back at once.
        spread = 0.75 + 0.5 * crc32(self._identity.encode()) / 2**32
        while True:
            with contextlib.suppress(*_EXPECTED):
                async with connect(
                    self._url,
                    subprotocols=[Subprotocol(f"ocpp{self._version}")],
                    additional_headers=self._headers,
                    compression=None,
                    proxy=None,
                    open_timeout=_ANSWER_S,
                    close_timeout=1.0,
                ) as socket:
                    wait_s = _WAIT_MIN_S
                    await self._talk(socket)
            await asyncio.sleep(wait_s * spread)
            wait_s = min(2 * wait_s, _WAIT_MAX_S)

    async def hold(self) -> None:
        """Change the limit whenever a profile starts, changes or ends."""
        while True:
            now = datetime.now(UTC)
            change = self._profiles.next_change(now)
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                delay_s = None if change is None else (change - now).total_seconds()
                await asyncio.wait_for(self._changed.wait(), delay_s)
                continue
            with contextlib.suppress(Rejected):  # nobody is there to be told; the old limit holds
                self._command()

    def _obey(self) -> None:
        """Profiles have changed: hand the new limit to the device.

        Raises:
            Rejected: the device declines it.
        """
        self._command()
        self._changed.set()

    def _command(self) -> None:
        """Without any profile the device is left to the limit that it was commissioned with."""
        now = datetime.now(UTC)
        profile = self._profiles.ruling(now)
        if profile is None:
            return
        end = profile.end
        lease_s = 0.0 if end is None else max(0.001, (end - now).total_seconds())
        for spec in self._device.model.point:
            if spec.protocol == "ocpp" and spec.at == LIMIT:
                limit = profile.limit_w(now) * spec.scale + spec.offset
                self._device.write(spec.name, limit, lease_s)

    async def _talk(self, socket: ClientConnection) -> None:
        station = (Station16 if self._version == "1.6" else Station)(
            self._identity,
            socket,
            self._device,
            self._profiles,
            self._settings,
            self._obey,
            _ANSWER_S,
        )
        tasks = {asyncio.create_task(station.start()), asyncio.create_task(self._report(station))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _report(self, station: Station | Station16) -> None:
        """Boot, then send what changes and what is measured."""
        booted = False
        for plug in self._plugs.values():
            plug.reported = None
        while True:
            state = self._device.health.state
            if state == "garbage":
                await station.send_garbage()
            elif state not in {"silent", "refuse"}:
                booted = booted or await self._boot(station)
                if booted:
                    await self._send_readings(station)
            await asyncio.sleep(self._settings.interval_s)

    async def _boot(self, station: Station | Station16) -> bool:
        model = self._device.model
        if isinstance(station, Station16):
            answer = await station.call(station16.boot(model, self._device.name), suppress=False)
            return bool(answer.status == "Accepted")
        request = call.BootNotification(
            charging_station={
                "model": spoken(model.identity, "ocpp", "model", model.model)[:20],
                "vendor_name": spoken(model.identity, "ocpp", "manufacturer", model.vendor)[:50],
                "serial_number": self._device.name[-25:],
                "firmware_version": "1.0",
            },
            reason="PowerUp",
        )
        return bool((await station.call(request, suppress=False)).status == "Accepted")

    async def _send_readings(self, station: Station | Station16) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        samples = sampled_values(self._device)
        for evse, plug in self._plugs.items():
            known = {sample["measurand"]: sample["value"] for sample in samples.get(evse, [])}
            occupied = "SoC" in known or known.get("Power.Active.Import", 0.0) > 0
            changed = occupied != plug.reported
            if changed:
                await self._send_plug(station, evse, plug, occupied=occupied, now=now)
            if not (occupied or changed):
                samples.pop(evse, None)
        for evse in sorted(samples):
            request = call.MeterValues(
                evse_id=evse, meter_value=[{"timestamp": now, "sampled_value": samples[evse]}]
            )
            if isinstance(station, Station16):
                number = int(self._plugs[evse].transaction or 0) if evse else 0
                request = station16.meter_values(evse, now, samples[evse], number)
            await station.call(request, suppress=False, skip_schema_validation=True)

    async def _send_plug(
        self, station: Station | Station16, evse: int, plug: "_Plug", *, occupied: bool, now: str
    ) -> None:
        """A car came or went, or the central system has to learn that one is here."""
        if isinstance(station, Station16):
            before = int(plug.transaction or 0)
            number = await station16.send_plug(station, evse, before, occupied=occupied, now=now)
            plug.transaction, plug.reported = str(number) if number else "", occupied
            return
        status = call.StatusNotification(
            timestamp=now,
            connector_status="Occupied" if occupied else "Available",
            evse_id=evse,
            connector_id=1,
        )
        await station.call(status, suppress=False)
        if occupied and not plug.transaction:
            plug.transaction = f"{self._identity[:20]}-{next(self._transactions)}"
            await station.call(_transaction("Started", evse, plug, now), suppress=False)
        elif not occupied and plug.transaction:
            await station.call(_transaction("Ended", evse, plug, now), suppress=False)
            plug.transaction, plug.messages = "", 0
        plug.reported = occupied


class _Plug:
    """What was reported of one EVSE."""

    def __init__(self) -> None:
        self.reported: bool | None = None
        self.transaction = ""
        self.messages = 0


def _transaction(event: str, evse: int, plug: _Plug, now: str) -> Any:
    plug.messages += 1
    started = event == "Started"
    return call.TransactionEvent(
        event_type=event,
        timestamp=now,
        trigger_reason="CablePluggedIn" if started else "EVDeparted",
        seq_no=plug.messages - 1,
        transaction_info={
            "transaction_id": plug.transaction,
            "charging_state": "Charging" if started else "Idle",
        },
        evse={"id": evse, "connector_id": 1},
    )
