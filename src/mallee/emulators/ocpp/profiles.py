"""The charging profiles that an emulated station holds, and the limit they make.

Only profiles for the whole station (`ChargingStationMaxProfile`) are supported. The active one
with the highest stack level rules; when it ends the one below takes over. Source: Open Charge
Alliance, OCPP 2.0.1 part 2, K01 (set), K08 (composite schedule), K10 (clear).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from mallee.core.errors import Rejected

STACK_LEVEL_MAX: Final = 9
PERIODS_MAX: Final = 24
_STATION: Final = "ChargingStationMaxProfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One profile, its schedule absolute.

    Attributes:
        start: when its schedule starts; `end` when it no longer holds, None never.
        periods: seconds since start and limit (W), in order, the first at 0.
    """

    number: int
    stack_level: int
    start: datetime
    end: datetime | None
    periods: tuple[tuple[float, float], ...]

    def active(self, now: datetime) -> bool:
        """Whether it limits anything at a time."""
        return self.start <= now and (self.end is None or now < self.end)

    def limit_w(self, now: datetime) -> float:
        """The limit at a time at which it is active."""
        elapsed_s = (now - self.start).total_seconds()
        return [limit_w for start_s, limit_w in self.periods if start_s <= elapsed_s][-1]

    def changes(self) -> Iterator[datetime]:
        """When its limit changes."""
        yield from (self.start + timedelta(seconds=start_s) for start_s, _ in self.periods)
        if self.end is not None:
            yield self.end


class ChargingProfiles:
    """All profiles of a station; they outlive connections and, in a real station, power cuts."""

    def __init__(self, rated_w: float) -> None:
        self._rated_w = rated_w
        self._profiles: dict[int, Profile] = {}

    def add(self, evse: int, entry: dict[str, Any], now: datetime) -> Profile | None:
        """Take a profile (keys in snake case) in place of the one with its id; returns that one.

        Raises:
            Rejected: reason code, a colon and what is wrong with it.
        """
        profile = parse_profile(evse, entry, now)
        for other in self._profiles.values():
            same = other.stack_level == profile.stack_level and other.number != profile.number
            if same and (other.end is None or now < other.end):
                raise Rejected(f"DuplicateProfile: stack level {profile.stack_level} is taken")
        replaced = self._profiles.get(profile.number)
        self._profiles[profile.number] = profile
        return replaced

    def put_back(self, number: int, replaced: Profile | None) -> None:
        """Undo `add`."""
        if replaced is None:
            del self._profiles[number]
        else:
            self._profiles[number] = replaced

    def clear(self, number: int | None, purpose: str | None, stack_level: int | None) -> bool:
        """Drop the profiles that match everything given; whether there was one."""
        matches = [
            profile.number
            for profile in self._profiles.values()
            if number in {None, profile.number}
            and purpose in {None, _STATION}
            and stack_level in {None, profile.stack_level}
        ]
        for match in matches:
            del self._profiles[match]
        return bool(matches)

    def ruling(self, now: datetime) -> Profile | None:
        """The profile that holds at a time."""
        active = [profile for profile in self._profiles.values() if profile.active(now)]
        return max(active, key=lambda profile: profile.stack_level, default=None)

    def limit_w(self, now: datetime) -> float:
        """The limit at a time; the rating where no profile holds."""
        profile = self.ruling(now)
        return self._rated_w if profile is None else profile.limit_w(now)

    def composite(self, now: datetime, duration_s: int) -> list[dict[str, float]]:
        """Periods (snake case) of the limit over a time from now on."""
        end = now + timedelta(seconds=duration_s)
        moments = {change for p in self._profiles.values() for change in p.changes()}
        periods: list[dict[str, float]] = []
        for moment in sorted({now, *(m for m in moments if now < m < end)}):
            limit_w = self.limit_w(moment)
            if not periods or periods[-1]["limit"] != limit_w:
                start_s = round((moment - now).total_seconds())
                periods.append({"start_period": start_s, "limit": limit_w})
        return periods

    def next_change(self, now: datetime) -> datetime | None:
        """When the limit may change next by itself."""
        changes = (change for p in self._profiles.values() for change in p.changes())
        return min((change for change in changes if change > now), default=None)


def parse_profile(evse: int, entry: dict[str, Any], now: datetime) -> Profile:
    """A profile as received, keys in snake case.

    Raises:
        Rejected: reason code, a colon and what is wrong with it.
    """
    _check_kind(evse, entry)
    schedule = entry["charging_schedule"][0]
    periods = tuple((float(p["start_period"]), float(p["limit"])) for p in _periods(schedule))
    moments = [schedule.get("start_schedule"), entry.get("valid_from")]
    start = max((_moment(text) for text in moments if text is not None), default=now)
    ends = [_moment(entry["valid_to"])] if entry.get("valid_to") is not None else []
    if schedule.get("duration") is not None:
        ends.append(start + timedelta(seconds=schedule["duration"]))
    end = min(ends, default=None)
    if end is not None and end <= now:
        raise Rejected(f"InvalidProfile: it ended at {end.isoformat()}, now is {now.isoformat()}")
    return Profile(
        number=entry["id"],
        stack_level=entry["stack_level"],
        start=start,
        end=end,
        periods=periods,
    )


def _check_kind(evse: int, entry: dict[str, Any]) -> None:
    if entry["charging_profile_purpose"] != _STATION:
        raise Rejected(f"UnsupportedPurpose: only {_STATION} is supported")
    if evse != 0:
        raise Rejected(f"InvalidProfile: {_STATION} is for EVSE 0, the station, not {evse}")
    if entry["charging_profile_kind"] != "Absolute":
        raise Rejected(f"UnsupportedKind: {entry['charging_profile_kind']}, must be Absolute")
    if not 0 <= entry["stack_level"] <= STACK_LEVEL_MAX:
        raise Rejected(f"InvalidStackLevel: outside 0..{STACK_LEVEL_MAX}")
    if len(entry["charging_schedule"]) != 1:
        raise Rejected("InvalidSchedule: a station profile has exactly one schedule")


def _periods(schedule: dict[str, Any]) -> list[dict[str, Any]]:
    if schedule["charging_rate_unit"] != "W":
        raise Rejected("UnsupportedRateUnit: only W is supported")
    periods: list[dict[str, Any]] = schedule["charging_schedule_period"]
    starts = [period["start_period"] for period in periods]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)) or len(starts) > PERIODS_MAX:
        raise Rejected(f"InvalidSchedule: 1..{PERIODS_MAX} periods, the first at 0, in order")
    if any(period["limit"] < 0 for period in periods):
        raise Rejected("InvalidSchedule: a limit is negative")
    return periods


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Rejected(f"InvalidSchedule: {text!r} is no time") from None
    if moment.tzinfo is None:
        raise Rejected(f"InvalidSchedule: {text!r} has no time zone")
    return moment
