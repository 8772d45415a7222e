"""What an emulated charging station answers to its central system, on the ``ocpp`` package."""

import asyncio
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast

from ocpp.routing import on
from ocpp.v201 import ChargePoint, call_result

from mallee.core.errors import Rejected
from mallee.emulators.device import EmulatedDevice
from mallee.emulators.ocpp.profiles import PERIODS_MAX, STACK_LEVEL_MAX, ChargingProfiles

Handler = TypeVar("Handler", bound=Callable[..., Any])
Values = dict[str, Any]

STATION: Final = 0
"""EVSE number of the whole station."""
LIMIT: Final = "ChargingStationMaxProfile"
_UNITS: Final = {"Power": "W", "Energy": "Wh", "SoC": "Percent"}
GARBAGE: Final = ('{"not":"ocpp"}', "[2,", "\x00\x01\x02", '[9,"1","Nothing",{}]', "[]")


def handles(action: str) -> Callable[[Handler], Handler]:
    """`ocpp.routing.on`, with types."""
    return cast(Callable[[Handler], Handler], on(action))


class Settings:
    """The station's variables, by component and variable; those with numbers may be set."""

    def __init__(self) -> None:
        self._texts = {
            ("SmartChargingCtrlr", "Enabled"): "true",
            ("SmartChargingCtrlr", "ProfileStackLevel"): str(STACK_LEVEL_MAX),
            ("SmartChargingCtrlr", "RateUnit"): "W",
            ("SmartChargingCtrlr", "PeriodsPerSchedule"): str(PERIODS_MAX),
        }
        self._numbers = {
            ("AlignedDataCtrlr", "Interval"): 1,
            ("SampledDataCtrlr", "TxUpdatedInterval"): 1,
            ("OCPPCommCtrlr", "HeartbeatInterval"): 60,
        }

    @property
    def interval_s(self) -> int:
        """How often meter values are sent."""
        return self._numbers["AlignedDataCtrlr", "Interval"]

    def get(self, component: str, variable: str) -> tuple[str, str]:
        """Status and value."""
        key = (component, variable)
        if key in self._numbers:
            return "Accepted", str(self._numbers[key])
        if key in self._texts:
            return "Accepted", self._texts[key]
        return self._unknown(component), ""

    def set(self, component: str, variable: str, text: str) -> str:
        """Status."""
        key = (component, variable)
        if key in self._texts:
            return "Rejected"
        if key not in self._numbers:
            return self._unknown(component)
        if not text.isdecimal() or not 1 <= int(text) <= 900:
            return "Rejected"
        self._numbers[key] = int(text)
        return "Accepted"

    def _unknown(self, component: str) -> str:
        known = any(component == name for name, _ in (*self._texts, *self._numbers))
        return "UnknownVariable" if known else "UnknownComponent"


class Station(ChargePoint):  # type: ignore[misc]  # the package has no types
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
    def set_charging_profile(self, evse_id: int, charging_profile: Values, **_: Any) -> Any:
        """Take a profile and obey at once."""
        number = charging_profile["id"]
        try:
            replaced = self._profiles.add(evse_id, charging_profile, datetime.now(UTC))
            try:
                self._obey()
            except Rejected as error:
                self._profiles.put_back(number, replaced)
                raise Rejected(f"InvalidProfile: {error}") from None
        except Rejected as error:
            code, _mark, text = str(error).partition(": ")
            info = {"reason_code": code[:20], "additional_info": text[:512]}
            return call_result.SetChargingProfile(status="Rejected", status_info=info)
        return call_result.SetChargingProfile(status="Accepted")

    @handles("ClearChargingProfile")
    def clear_charging_profile(
        self,
        charging_profile_id: int | None = None,
        charging_profile_criteria: Values | None = None,
        **_: Any,
    ) -> Any:
        """Drop profiles."""
        criteria = charging_profile_criteria if charging_profile_criteria is not None else {}
        found = criteria.get("evse_id", STATION) == STATION and self._profiles.clear(
            charging_profile_id,
            criteria.get("charging_profile_purpose"),
            criteria.get("stack_level"),
        )
        if found:
            self._obey()
        return call_result.ClearChargingProfile(status="Accepted" if found else "Unknown")

    @handles("GetCompositeSchedule")
    def get_composite_schedule(
        self, duration: int, evse_id: int, charging_rate_unit: str = "W", **_: Any
    ) -> Any:
        """The limit that all profiles together make."""
        if charging_rate_unit != "W" or evse_id != STATION:
            info = {"reason_code": "UnsupportedRequest"}
            return call_result.GetCompositeSchedule(status="Rejected", status_info=info)
        now = datetime.now(UTC)
        schedule: Values = {
            "evse_id": evse_id,
            "duration": duration,
            "schedule_start": now.isoformat(timespec="milliseconds"),
            "charging_rate_unit": "W",
            "charging_schedule_period": self._profiles.composite(now, duration),
        }
        return call_result.GetCompositeSchedule(status="Accepted", schedule=schedule)

    @handles("GetVariables")
    def get_variables(self, get_variable_data: list[Values], **_: Any) -> Any:
        """Settings by component and variable."""
        results = []
        for entry in get_variable_data:
            status, text = self._settings.get(entry["component"]["name"], entry["variable"]["name"])
            result = {
                "attribute_status": status,
                "component": entry["component"],
                "variable": entry["variable"],
            }
            results.append(result | ({"attribute_value": text} if status == "Accepted" else {}))
        return call_result.GetVariables(get_variable_result=results)

    @handles("SetVariables")
    def set_variables(self, set_variable_data: list[Values], **_: Any) -> Any:
        """Change settings."""
        results = [
            {
                "attribute_status": self._settings.set(
                    entry["component"]["name"], entry["variable"]["name"], entry["attribute_value"]
                ),
                "component": entry["component"],
                "variable": entry["variable"],
            }
            for entry in set_variable_data
        ]
        return call_result.SetVariables(set_variable_result=results)


def sampled_values(device: EmulatedDevice) -> dict[int, list[Values]]:
    """By EVSE (0 the station), `SampledValueType` of everything that is known."""
    samples: dict[int, list[Values]] = {}
    for spec, value in zip(device.model.point, device.values.tolist(), strict=True):
        places = [spec.at] if isinstance(spec.at, str) else spec.at
        for at in places:
            name, _, evse = at.partition("/")
            unit = _UNITS.get(name.split(".")[0])
            if spec.protocol != "ocpp" or unit is None or not math.isfinite(value):
                continue
            reading = (value - spec.offset) / spec.scale / len(places)
            sample: Values = {
                "value": round(reading, 3),
                "measurand": name,
                "unit_of_measure": {"unit": unit},
            }
            samples.setdefault(int(evse) if evse else STATION, []).append(sample)
    return samples
