"""Events of the grid, who gives how much, and settlement."""

import json
import math
from pathlib import Path

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.core.errors import ConfigError
from mallee.optimize.response.dsx import breach_report, from_load_target
from mallee.optimize.response.event import (
    GridEvent,
    Target,
    in_force,
    request_of,
    target_w,
    targets_over,
)
from mallee.optimize.response.flex import FlexJob, OperatingPoint, allocate
from mallee.optimize.response.iso import duration_s
from mallee.optimize.response.openadr2 import from_openadr2
from mallee.optimize.response.openadr3 import from_openadr3
from mallee.optimize.response.settlement import settle
from mallee.optimize.series import Series

NOON_UTC_S = 1_784_116_800.0  # 2026-07-15T12:00Z


def event(priority: float, value: float, name: str = "e", ramp_s: float = 0.0) -> GridEvent:
    target = Target(
        from_utc_s=NOON_UTC_S, until_utc_s=NOON_UTC_S + 3600.0, kind="absolute", value=value
    )
    return GridEvent(
        id=name, source="test", reason="", targets=(target,), priority=priority, ramp_s=ramp_s
    )


def test_the_lower_priority_number_wins_and_equals_take_the_lower_target() -> None:
    events = [event(5, 2e6, "a"), event(1, 3e6, "b"), event(math.inf, 1e6, "c")]
    decided = in_force(events, NOON_UTC_S, 4e6)
    assert decided is not None
    assert decided.id == "b"
    tie = in_force([event(5, 2e6, "a"), event(5, 1e6, "b")], NOON_UTC_S, 4e6)
    assert tie is not None
    assert tie.id == "b"
    assert in_force(events, NOON_UTC_S + 3600.0, 4e6) is None


def test_a_target_is_ramped_and_becomes_a_leased_request() -> None:
    ramped = event(1, 2e6, ramp_s=600.0)
    assert target_w(ramped, NOON_UTC_S, 4e6) == 4e6
    assert target_w(ramped, NOON_UTC_S + 300.0, 4e6) == 3e6
    assert target_w(ramped, NOON_UTC_S + 900.0, 4e6) == 2e6
    request = request_of(ramped, NOON_UTC_S + 900.0, 50.0, 4e6)
    assert request is not None
    assert (request.high, request.until_s, request.subject) == (2e6, 110.0, "grid")
    assert request_of(ramped, NOON_UTC_S - 1.0, 50.0, 4e6) is None


def test_targets_within_a_long_step_count() -> None:
    edges = NOON_UTC_S + np.array([-7200.0, -3600.0, 1800.0, 7200.0, 9000.0])
    found = targets_over([event(1, 2e6)], edges, np.full(4, 4e6))
    assert found.tolist() == [math.inf, 2e6, 2e6, math.inf]


def test_openadr3() -> None:
    raw = {
        "id": "42",
        "programID": "p",
        "eventName": "peak day",
        "priority": 3,
        "payloadDescriptors": [{"payloadType": "IMPORT_CAPACITY_LIMIT", "units": "MW"}],
        "intervalPeriod": {"start": "2026-07-15T12:00:00Z", "duration": "PT30M"},
        "intervals": [
            {"id": 0, "payloads": [{"type": "IMPORT_CAPACITY_LIMIT", "values": [1.5]}]},
            {"id": 1, "payloads": [{"type": "SIMPLE", "values": [2]}]},
            {"id": 2, "payloads": [{"type": "PRICE", "values": [0.2]}]},
        ],
    }
    [found], notes = from_openadr3(json.dumps(raw).encode(), now_utc_s=0.0)
    assert (found.id, found.priority, found.reason) == ("42", 3.0, "peak day")
    assert target_w(found, NOON_UTC_S, 2e6) == 1.5e6
    assert target_w(found, NOON_UTC_S + 1800.0, 2e6) == 1.5e6  # 75 % of 2 MW
    assert found.targets[1].kind == "fraction"
    assert "PRICE is not a load target" in notes[0]
    with pytest.raises(ConfigError, match="not JSON"):
        from_openadr3(b"<a/>", now_utc_s=0.0)
    with pytest.raises(ConfigError, match="no intervals"):
        from_openadr3(b"{}", now_utc_s=0.0)


XML = """<oadrPayload xmlns="http://openadr.org/oadr-2.0b/2012/07"
 xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110"
 xmlns:x="urn:ietf:params:xml:ns:icalendar-2.0" xmlns:s="http://docs.oasis-open.org/ns/emix/siscale">
<oadrDistributeEvent><oadrEvent><ei:eiEvent><ei:eventDescriptor>
<ei:eventID>ev1</ei:eventID><ei:modificationNumber>{number}</ei:modificationNumber>
<ei:priority>{priority}</ei:priority><ei:eventStatus>{status}</ei:eventStatus>
<ei:testEvent>false</ei:testEvent></ei:eventDescriptor>
<ei:eiActivePeriod><x:properties><x:dtstart><x:date-time>2026-07-15T12:00:00Z</x:date-time>
</x:dtstart><x:duration><x:duration>PT1H</x:duration></x:duration>
<x-eiRampUp><x:duration>PT5M</x:duration></x-eiRampUp></x:properties></ei:eiActivePeriod>
<ei:eiEventSignals><ei:eiEventSignal><x:intervals><ei:interval>
<x:duration><x:duration>PT1H</x:duration></x:duration><x:uid><x:text>0</x:text></x:uid>
<ei:signalPayload><ei:payloadFloat><ei:value>-500</ei:value></ei:payloadFloat></ei:signalPayload>
</ei:interval></x:intervals><ei:signalName>LOAD_DISPATCH</ei:signalName>
<ei:signalType>delta</ei:signalType><s:siScaleCode>k</s:siScaleCode>
</ei:eiEventSignal></ei:eiEventSignals></ei:eiEvent></oadrEvent></oadrDistributeEvent></oadrPayload>"""


def test_openadr2b() -> None:
    raw = XML.format(number=1, priority=0, status="far").encode()
    [found], notes = from_openadr2(raw)
    assert notes == []
    assert found.priority == math.inf  # 0 is no priority
    assert found.ramp_s == 300.0
    assert target_w(found, NOON_UTC_S + 1200.0, 2e6) == 1.5e6
    assert from_openadr2(XML.format(number=2, priority=1, status="cancelled").encode())[0] == []
    with pytest.raises(ConfigError, match="not XML"):
        from_openadr2(b"{}")
    with pytest.raises(ConfigError, match="DOCTYPE"):
        from_openadr2(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")


def dsx(constraint: object, **more: object) -> bytes:
    target = {"interval": {"start_time": "2026-07-15T12:00:00Z"}, "load_constraint": constraint}
    message = {
        "type": "grid.loadtarget.set.v1",
        "id": "1",
        "correlationid": "c0ffee",
        "data": {"targets": [target | more]},
    }
    return json.dumps(message).encode()


def test_dsx_flex() -> None:
    raw = dsx({"value": 1.2, "unit": "megawatt"}, feed_tags=["main-a"])
    [found] = from_load_target(raw, now_utc_s=0.0)
    assert target_w(found, NOON_UTC_S + 1e6, 9e6) == 1.2e6
    request = request_of(found, NOON_UTC_S, 0.0, 9e6)
    assert request is not None
    assert request.subject == "main-a"
    [cleared] = from_load_target(dsx(None), now_utc_s=0.0)
    assert request_of(cleared, NOON_UTC_S, 0.0, 9e6) is None
    report = breach_report(
        found, feed="main-a", breach_id="u", detected_utc_s=0.0, measured_w=1.5e6, limit_w=1.2e6
    )
    assert (report["severity"], report["status"]) == ("critical", "escalated")
    assert report["target"]["correlation_id"] == "c0ffee"
    with pytest.raises(ConfigError, match="watt, kilowatt or megawatt"):
        from_load_target(dsx({"value": 1, "unit": "horse"}), now_utc_s=0.0)
    with pytest.raises(ConfigError, match="not above zero"):
        from_load_target(dsx({"value": 0, "unit": "watt"}), now_utc_s=0.0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT1H30M", 5400.0), ("P1D", 86400.0), ("-PT5S", -5.0), ("P1W", 604800.0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


def points(*pairs: tuple[float, float]) -> tuple[OperatingPoint, ...]:
    return tuple(
        OperatingPoint(knob="cap" if p > 60 else "pause", setting=p, power_w=p, throughput=t)
        for p, t in pairs
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.5, 1.0))
def test_shares_reach_the_target_at_the_frontier(seed: int, share: float) -> None:
    """Against a linear programme over all operating points of all jobs."""
    rng = np.random.default_rng(seed)
    jobs = []
    for number in range(4):
        power = np.sort(rng.uniform(80.0, 380.0, 4))
        done = np.sort(rng.uniform(0.2, 0.99, 4))
        pairs = [(50.0, 0.0), *zip(power, done, strict=True), (400.0, 1.0)]
        jobs.append(
            FlexJob(
                name=str(number),
                accelerators=int(rng.integers(8, 64)),
                flex_class=number % 4,
                points=points(*pairs),
            )
        )
    full_w = sum(400.0 * job.accelerators for job in jobs)
    found = allocate(jobs, share * full_w)
    exact = highspy.Highs()
    exact.silent()
    work, used = [], []
    for job in jobs:
        columns = [exact.addVariable(lb=0.0, ub=1.0) for _ in job.points]
        exact.addConstr(sum(columns) == 1.0)
        done = sum(x * p.throughput for x, p in zip(columns, job.points, strict=True))
        exact.addConstr(done >= job.floor())
        work.append(job.accelerators * done)
        used.append(
            job.accelerators * sum(x * p.power_w for x, p in zip(columns, job.points, strict=True))
        )
    exact.addConstr(sum(used) <= share * full_w)
    exact.maximize(sum(work))
    accelerators = sum(job.accelerators for job in jobs)
    if exact.getModelStatus() == highspy.HighsModelStatus.kOptimal:
        best = exact.getObjectiveValue() / accelerators
        assert found.frontier == pytest.approx(best, abs=1e-7)
    if found.missing_w == 0.0:
        assert found.power_w <= share * full_w + 1e-6
    for job, part in zip(jobs, found.shares, strict=True):
        assert sum(n for _, n in part.counts) == job.accelerators
        assert part.throughput >= job.floor() - 1e-9
    assert found.shares[0].throughput == 1.0  # class 0 is left alone


def test_budgets_of_pauses_and_of_throughput() -> None:
    job = FlexJob(
        name="a", accelerators=10, flex_class=3, points=points((50, 0), (200, 0.6), (400, 1))
    )
    assert any(p.knob == "pause" for p, _ in allocate([job], 1500.0).shares[0].counts)
    used = FlexJob(
        name="a",
        accelerators=10,
        flex_class=3,
        points=job.points,
        pauses_left=0,
    )
    assert allocate([used], 1500.0).missing_w == pytest.approx(500.0)
    late = FlexJob(
        name="a", accelerators=10, flex_class=3, points=job.points, done_frac=0.4, elapsed_frac=0.5
    )
    assert late.floor() == pytest.approx(0.6)  # it gave more than its share at first


def test_settlement() -> None:
    starts = np.arange(180)
    power = np.full(180, 4e6)
    power[60:120] = 3.0e6
    power[60:65] = np.linspace(4e6, 3e6, 5)
    power[90] = 3.2e6
    power[130] = 4.5e6
    meter = Series(NOON_UTC_S - 3600.0, 60.0, power)
    found = settle(event(1, 3e6, ramp_s=300.0), meter, np.full(len(starts), 4e6))
    assert found.reduction_frac == pytest.approx(0.25, abs=0.02)
    assert found.over_s == 60.0
    assert found.over_max_w == pytest.approx(2e5 - 0.005 * 3e6)
    assert found.recovery_max_w == 4.5e6
    assert found.reached_s == 120.0  # the ramp's means are met from its third minute


def test_phoenix_frontier(shared: Path) -> None:
    """The published cap table of eight workloads: the frontier measured for the project."""
    text = (shared / "data/dr/emerald_dvfs_sweep_a100_256gpu.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines()[1:] if line.strip()]
    jobs = []
    for name in dict.fromkeys(row[0] for row in rows):
        here = [(float(r[5]), float(r[4])) for r in rows if r[0] == name]
        full = max(power for power, _ in here)
        pairs = [(0.14, 0.0), *((power / full, done) for power, done in here)]
        job = FlexJob(
            name=name,
            accelerators=1000,
            flex_class=3,
            points=tuple(
                OperatingPoint(
                    knob="pause" if t == 0 else "cap", setting=p, power_w=p, throughput=t
                )
                for p, t in pairs
            ),
            done_frac=1.0,
            elapsed_frac=0.6,  # so that no floor binds
        )
        jobs.append(job)
    for power, best in ((0.75, 0.899), (0.69, 0.863), (0.60, 0.800)):
        assert allocate(jobs, power * 8000.0).throughput == pytest.approx(best, abs=0.002)
