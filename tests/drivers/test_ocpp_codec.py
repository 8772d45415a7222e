"""OCPP frames, meter values and profiles, without sockets."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.core.errors import Malformed
from mallee.drivers.ocpp.codec import (
    Call,
    Failure,
    Result,
    check_payload,
    composite_limit_w,
    decode_frame,
    encode_call,
    encode_failure,
    encode_result,
    limit_profile,
    meter_readings,
    timestamp,
)

NOW = datetime(2026, 11, 20, 9, 30, 0, 250_000, UTC)


def test_frames() -> None:
    """Frozen: OCPP-J 2.0.1, section 4. Do not change the text, change the code."""
    assert encode_call("17", "Heartbeat", {}) == '[2,"17","Heartbeat",{}]'
    assert encode_result("17", {"a": 1}) == '[3,"17",{"a":1}]'
    assert encode_failure(Failure("17", "NotImplemented", "no")) == (
        '[4,"17","NotImplemented","no",{}]'
    )
    assert decode_frame('[2,"17","Heartbeat",{}]') == Call("17", "Heartbeat", {})
    assert decode_frame(b'[3,"17",{"a":1}]') == Result("17", {"a": 1})
    assert decode_frame('[4,"17","InternalError","",{}]') == Failure("17", "InternalError", "")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[2]", '[2,"1","A"]', "[3,1,{}]", '[5,"1",{}]', b"\xff", "[2,"]
)
def test_what_is_no_frame(text: str | bytes) -> None:
    with pytest.raises(Malformed, match="a frame is"):
        decode_frame(text)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_anything_is_a_frame_or_malformed(text: str | bytes) -> None:
    try:
        decode_frame(text)
    except Malformed as error:
        assert len(error.sample) <= 200


def test_payloads_are_held_against_the_schemas() -> None:
    check_payload("Heartbeat", {}, answer=False)
    check_payload("SetChargingProfile", {"status": "Accepted"}, answer=True)
    with pytest.raises(Malformed, match=r"StatusNotification: payload: .*'timestamp'"):
        check_payload("StatusNotification", {"evseId": 1}, answer=False)
    with pytest.raises(Malformed, match="answer to SetChargingProfile: status: 'Maybe'"):
        check_payload("SetChargingProfile", {"status": "Maybe"}, answer=True)
    with pytest.raises(Malformed, match=r"OCPP 2\.0\.1 has no action 'Explode'"):
        check_payload("Explode", {}, answer=False)


def sample(value: float, **fields: Any) -> dict[str, Any]:
    return {"value": value, **fields}


def test_units_multipliers_defaults_and_phases() -> None:
    power = "Power.Active.Import"
    values = [
        {
            "timestamp": timestamp(NOW),
            "sampledValue": [
                sample(12.5, measurand=power, unitOfMeasure={"unit": "kW"}),
                sample(3, measurand="Power.Offered", unitOfMeasure={"unit": "W", "multiplier": 4}),
                sample(99, measurand=power, phase="L1"),
                sample(52, measurand="SoC", unitOfMeasure={"unit": "Percent"}),
                sample(1.5),
                sample(1, measurand=power, unitOfMeasure={"multiplier": 400}),
                sample(10**400, measurand=power),
            ],
        },
        {"timestamp": timestamp(NOW), "sampledValue": [sample(math.inf, measurand=power)]},
    ]
    assert list(meter_readings(values)) == [
        (power, 12_500),
        ("Power.Offered", 30_000),
        ("SoC", 52),
        ("Energy.Active.Import.Register", 1.5),
    ]


def test_a_leased_limit_ends_by_itself_and_stands_above_the_standing_one() -> None:
    leased, standing = limit_profile(250e3, 4.2, NOW), limit_profile(100e3, 0, NOW)
    for request in (leased, standing):
        check_payload("SetChargingProfile", request, answer=False)
        assert request["evseId"] == 0
        assert request["chargingProfile"]["chargingProfilePurpose"] == "ChargingStationMaxProfile"
    profile, below = leased["chargingProfile"], standing["chargingProfile"]
    assert profile["id"] != below["id"]
    assert profile["stackLevel"] > below["stackLevel"]
    assert profile["chargingSchedule"][0]["duration"] == 5
    assert profile["chargingSchedule"][0]["startSchedule"] == "2026-11-20T09:30:00.250Z"
    assert profile["validTo"] == "2026-11-20T09:30:05.250Z"
    assert "validTo" not in below
    assert "duration" not in below["chargingSchedule"][0]


def test_the_limit_in_force() -> None:
    periods = [{"startPeriod": 5, "limit": 9.0}, {"startPeriod": 0, "limit": 7.0}]
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": periods}
    assert composite_limit_w({"status": "Accepted", "schedule": schedule}) == 7.0
    assert math.isnan(composite_limit_w({"status": "Rejected"}))
    amperes = schedule | {"chargingRateUnit": "A"}
    answer = {"status": "Accepted", "schedule": amperes}
    assert composite_limit_w(answer, 7 * 3 * 240.0) == 7 * 3 * 240.0  # some voltage makes it so
    assert composite_limit_w(answer, 50e3) == pytest.approx(7 * 3 * 230.0)  # and none makes it that
