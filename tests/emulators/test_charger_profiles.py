"""Charging profiles of the emulated station: what it takes, which one rules, when they end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mallee.core.errors import Rejected
from mallee.emulators.ocpp.profiles import ChargingProfiles

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RATED_W = 1e6


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def entry(number: int = 1, level: int = 0, limit_w: float = 1e5, **changes: Any) -> dict[str, Any]:
    schedule = {
        "id": number,
        "start_schedule": NOW.isoformat(),
        "charging_rate_unit": "W",
        "charging_schedule_period": [{"start_period": 0, "limit": limit_w}],
    }
    profile = {
        "id": number,
        "stack_level": level,
        "charging_profile_purpose": "ChargingStationMaxProfile",
        "charging_profile_kind": "Absolute",
    }
    for key, value in changes.items():
        (schedule if key in {*schedule, "duration"} else profile)[key] = value
    return profile | {"charging_schedule": [schedule]}


def test_the_highest_level_rules_while_it_lasts() -> None:
    profiles = ChargingProfiles(RATED_W)
    assert profiles.limit_w(NOW) == RATED_W
    assert profiles.ruling(NOW) is None
    profiles.add(0, entry(1, 0, 1e5), NOW)
    profiles.add(0, entry(2, 1, 3e5, duration=10, valid_to=after(30).isoformat()), NOW)
    assert profiles.limit_w(NOW) == 3e5
    assert profiles.next_change(NOW) == after(10)
    assert profiles.limit_w(after(9.9)) == 3e5
    assert profiles.limit_w(after(10)) == 1e5
    assert profiles.next_change(after(10)) is None
    assert profiles.composite(NOW, 60) == [
        {"start_period": 0, "limit": 3e5},
        {"start_period": 10, "limit": 1e5},
    ]


def test_a_schedule_with_periods() -> None:
    profiles = ChargingProfiles(RATED_W)
    periods = [{"start_period": 0, "limit": 5e5}, {"start_period": 60, "limit": 2e5}]
    profiles.add(0, entry(charging_schedule_period=periods, duration=120), NOW)
    limits = [profiles.limit_w(after(seconds)) for seconds in (-1, 0, 59, 60, 119, 120)]
    assert limits == [RATED_W, 5e5, 5e5, 2e5, 2e5, RATED_W]
    assert profiles.next_change(after(1)) == after(60)


def test_the_same_id_replaces_and_another_id_on_its_level_is_declined() -> None:
    profiles = ChargingProfiles(RATED_W)
    first = entry(1, 0, 1e5, duration=10)
    assert profiles.add(0, first, NOW) is None
    replaced = profiles.add(0, entry(1, 0, 2e5), NOW)
    assert replaced is not None
    assert profiles.limit_w(NOW) == 2e5
    profiles.put_back(1, replaced)
    assert profiles.limit_w(NOW) == 1e5
    with pytest.raises(Rejected, match="DuplicateProfile"):
        profiles.add(0, entry(7, 0), NOW)
    profiles.add(0, entry(7, 0), after(10))


def test_clearing() -> None:
    profiles = ChargingProfiles(RATED_W)
    for number in (1, 2, 3):
        profiles.add(0, entry(number, number), NOW)
    assert not profiles.clear(None, "TxProfile", None)
    assert not profiles.clear(9, None, None)
    assert profiles.clear(None, "ChargingStationMaxProfile", 3)
    assert profiles.clear(2, None, None)
    assert profiles.clear(None, None, None)
    assert profiles.ruling(NOW) is None


@pytest.mark.parametrize(
    ("evse", "changes", "code"),
    [
        (1, {}, "InvalidProfile: .* EVSE 0"),
        (0, {"charging_profile_purpose": "TxProfile"}, "UnsupportedPurpose"),
        (0, {"charging_profile_kind": "Relative"}, "UnsupportedKind"),
        (0, {"level": 10}, "InvalidStackLevel"),
        (0, {"charging_rate_unit": "A"}, "UnsupportedRateUnit"),
        (0, {"limit_w": -1.0}, "InvalidSchedule: a limit is negative"),
        (0, {"charging_schedule_period": []}, "InvalidSchedule: 1..24 periods"),
        (0, {"charging_schedule_period": [{"start_period": 5, "limit": 1}]}, "the first at 0"),
        (0, {"charging_schedule_period": [{"start_period": 0, "limit": 1}] * 2}, "in order"),
        (0, {"valid_to": NOW.isoformat()}, "InvalidProfile: it ended at"),
        (0, {"valid_to": "tomorrow"}, "InvalidSchedule: 'tomorrow' is no time"),
        (0, {"valid_to": "2030-01-01T00:00:00"}, "has no time zone"),
    ],
)
def test_nonsense_is_declined(evse: int, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Rejected, match=code):
        ChargingProfiles(RATED_W).add(evse, entry(**changes), NOW)
