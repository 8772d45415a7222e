"""The same station in OCPP 1.6, on the ``ocpp`` package: what it answers and what it says.

Source: Open Charge Alliance, OCPP 1.6 edition 2. EVSE numbers are connector numbers, 0 the station.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from ocpp.v16 import ChargePoint, call, call_result

from mallee.core.device_model import DeviceModel
from mallee.core.errors import Rejected
from mallee.core.identity import spoken
from mallee.emulators.device import EmulatedDevice
from mallee.emulators.ocpp.profiles import ChargingProfiles
from mallee.emulators.ocpp.station import GARBAGE, LIMIT, Settings, Values, handles

_KEYS: Final = {
    "ClockAlignedDataInterval": ("AlignedDataCtrlr", "Interval"),
    "MeterValueSampleInterval": ("SampledDataCtrlr", "TxUpdatedInterval"),
    "HeartbeatInterval": ("OCPPCommCtrlr", "HeartbeatInterval"),
}


class Station16(ChargePoint):  # type: ignore[misc]  # the package has no types
    """One connection of a station; profiles and settings belong to the station behind it."""

    def __init__(
        self,
        identity: str,
        socket: Any,
        device: EmulatedDevice,
        profiles: ChargingProfiles,
        settings: Settings,
        obey: Callable[[], None],
        answer_s: float,
    ) -> None:
        super().__init__(identity, socket, response_timeout=answer_s)
        self._device, self._profiles, self._settings = device, profiles, settings
        self._obey = obey
        self._garbage = 0

    async def route_message(self, raw_msg: str | bytes) -> None:
        """Handle a frame as healthy as the device is."""
        state = self._device.health.state
        if state == "silent":
            return
        if state == "refuse":
            frame = json.loads(raw_msg)
            if frame[0] == 2:
                await self._send(json.dumps([4, frame[1], "SecurityError", "access denied", {}]))
                return
        await super().route_message(raw_msg)

    async def _send(self, message: str) -> None:
        health = self._device.health
        if health.state == "silent":
            return
        if health.state == "slow":
            await asyncio.sleep(health.delay_s)
        if health.state == "garbage":
            await self.send_garbage()
            return
        await super()._send(message)

    async def send_garbage(self) -> None:
        """A frame that breaks the protocol, another one each time."""
        self._garbage += 1
        await self._connection.send(GARBAGE[self._garbage % len(GARBAGE)])

    @handles("SetChargingProfile")
    def set_charging_profile(self, connector_id: int, cs_charging_profiles: Values) -> Any:
        """Take a profile and obey at once."""
        now = datetime.now(UTC)
        try:
            entry = _profile(cs_charging_profiles)
            replaced = self._profiles.add(connector_id, entry, now)
            try:
                self._obey()
            except Rejected:
                self._profiles.put_back(entry["id"], replaced)
                raise
        except (Rejected, KeyError):
            return call_result.SetChargingProfile(status="Rejected")
        return call_result.SetChargingProfile(status="Accepted")

    @handles("ClearChargingProfile")
    def clear_charging_profile(
        self,
        id: int | None = None,
        connector_id: int = 0,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
    ) -> Any:
        """Drop profiles."""
        purpose = LIMIT if charging_profile_purpose == "ChargePointMaxProfile" else None
        wanted = purpose is not None or charging_profile_purpose is None
        found = wanted and not connector_id and self._profiles.clear(id, purpose, stack_level)
        if found:
            self._obey()
        return call_result.ClearChargingProfile(status="Accepted" if found else "Unknown")

    @handles("GetCompositeSchedule")
    def get_composite_schedule(
        self, connector_id: int, duration: int, charging_rate_unit: str = "W"
    ) -> Any:
        """The limit that all profiles together make."""
        if charging_rate_unit != "W" or connector_id:
            return call_result.GetCompositeSchedule(status="Rejected")
        now = datetime.now(UTC)
        start = now.isoformat(timespec="milliseconds")
        schedule = {
            "duration": duration,
            "start_schedule": start,
            "charging_rate_unit": "W",
            "charging_schedule_period": self._profiles.composite(now, duration),
        }
        return call_result.GetCompositeSchedule(
            status="Accepted",
            connector_id=connector_id,
            schedule_start=start,
            charging_schedule=schedule,
        )

    @handles("ChangeConfiguration")
    def change_configuration(self, key: str, value: str) -> Any:
        """Change a setting."""
        if key not in _KEYS:
            return call_result.ChangeConfiguration(status="NotSupported")
        status = self._settings.set(*_KEYS[key], value)
        return call_result.ChangeConfiguration(status=status)


def _profile(received: Values) -> Values:
    """A profile of 1.6 in the words of 2.0.1, keys in snake case."""
    if received["charging_profile_purpose"] != "ChargePointMaxProfile":
        raise Rejected("UnsupportedPurpose")
    schedule = received["charging_schedule"]
    periods = [
        {"start_period": one["start_period"], "limit": float(one["limit"])}
        for one in schedule["charging_schedule_period"]
    ]
    return received | {
        "id": received["charging_profile_id"],
        "charging_profile_purpose": LIMIT,
        "charging_schedule": [schedule | {"charging_schedule_period": periods}],
    }


def boot(model: DeviceModel, serial: str) -> Any:
    """Who it is."""
    return call.BootNotification(
        charge_point_model=spoken(model.identity, "ocpp", "model", model.model)[:20],
        charge_point_vendor=spoken(model.identity, "ocpp", "manufacturer", model.vendor)[:20],
        charge_point_serial_number=serial[-25:],
        firmware_version="1.0",
    )


def meter_values(connector: int, now: str, samples: list[Values], transaction: int) -> Any:
    """What it measures; 1.6 writes numbers as texts."""
    sampled = [
        {
            "value": f"{one['value']:g}" if one["value"] < 1e6 else f"{one['value']:.1f}",
            "measurand": one["measurand"],
            "unit": one["unit_of_measure"]["unit"],
        }
        for one in samples
    ]
    return call.MeterValues(
        connector_id=connector,
        transaction_id=transaction or None,
        meter_value=[{"timestamp": now, "sampled_value": sampled}],
    )


async def send_plug(
    station: Station16, connector: int, transaction: int, *, occupied: bool, now: str
) -> int:
    """A car came or went; the number of the transaction that runs now, 0 for none."""
    status = "Charging" if occupied else "Available"
    message = call.StatusNotification(
        connector_id=connector, error_code="NoError", status=status, timestamp=now
    )
    await station.call(message, suppress=False)
    if occupied and not transaction:
        start = call.StartTransaction(
            connector_id=connector, id_tag="simulated", meter_start=0, timestamp=now
        )
        return int((await station.call(start, suppress=False)).transaction_id)
    if not occupied and transaction:
        stop = call.StopTransaction(meter_stop=0, timestamp=now, transaction_id=transaction)
        await station.call(stop, suppress=False)
        return 0
    return transaction
