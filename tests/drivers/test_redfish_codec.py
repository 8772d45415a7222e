"""Redfish JSON to values and back, without sockets."""

from math import isnan
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.catalogue import load_models
from mallee.core.device_model import PointSpec
from mallee.core.errors import ConfigError, Malformed, Rejected
from mallee.drivers.redfish.codec import (
    MISSING,
    Patch,
    RedfishCodec,
    body_of,
    find,
    number_of,
    parse_document,
    parse_place,
)
from tests.drivers.loopback import CDU, HGX, NODE

CAP = "Chassis/{i}/EnvironmentMetrics#/PowerLimitWatts/SetPoint"


def cap_point(places: int = 1, scale: float = 1.0, offset: float = 0.0) -> PointSpec:
    at = [CAP.replace("{i}", str(i)) for i in range(places)]
    return PointSpec(
        name="cap_w", protocol="redfish", at=at, scale=scale, offset=offset, access="readwrite"
    )


def cap_documents(places: int, low: float | None = None, high: float | None = None) -> Any:
    limit = {"SetPoint": 500.0, "AllowableMin": low, "AllowableMax": high}
    return {
        f"Chassis/{i}/EnvironmentMetrics": {"PowerLimitWatts": dict(limit)} for i in range(places)
    }


def apply(patch: Patch, documents: dict[str, Any]) -> None:
    """What a service does with a PATCH, arrays included."""

    def merge(into: Any, change: Any) -> Any:
        if isinstance(change, dict) and isinstance(into, dict):
            return into | {key: merge(into.get(key), value) for key, value in change.items()}
        if isinstance(change, list) and isinstance(into, list):
            return [merge(a, b) for a, b in zip(into, change, strict=False)] + into[len(change) :]
        return change

    documents[patch.resource] = merge(documents[patch.resource], patch.body)


@given(
    st.integers(1, 8),
    st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3),
    st.floats(-1e5, 1e5),
    st.floats(-1e6, 1e6),
)
def test_what_is_written_reads_back(places: int, scale: float, offset: float, value: float) -> None:
    codec = RedfishCodec([cap_point(places, scale, offset)])
    documents = cap_documents(places)
    patches = codec.encode("cap_w", value, documents)
    assert len(patches) == places
    for patch in patches:
        apply(patch, documents)
    shares = [find(d, ("PowerLimitWatts", "SetPoint")) for d in documents.values()]
    assert len(set(shares)) == 1  # equal shares
    tolerance = 1e-9 * max(abs(value), abs(offset), 1.0)
    read = codec.decode(documents)[0]
    if scale > 0.0:  # whole watts, rounded down
        assert (
            value - places * scale - tolerance <= read <= value + places * scale * 1e-6 + tolerance
        )
    else:
        assert read == pytest.approx(value, abs=tolerance)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["PowerLimitWatts", "SetPoint", "Reading", "0"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(json)
def test_any_document_gives_a_number_or_nan(document: Any) -> None:
    codec = RedfishCodec([cap_point()])
    documents = {"Chassis/0/EnvironmentMetrics": document}
    value = codec.decode(documents)[0]
    assert isinstance(value, float)
    assert isnan(value) or value == float(find(document, ("PowerLimitWatts", "SetPoint")))


@pytest.mark.parametrize(
    ("raw", "value"),
    [(3, 3.0), (2.5, 2.5), ("OK", 0.0), ("Warning", 1.0), ("Critical", 1.0)],
)
def test_readings_that_count(raw: object, value: float) -> None:
    assert number_of(raw) == value


@pytest.mark.parametrize(
    "raw", [None, True, "12", "Absent", [], {}, MISSING, float("inf"), 10**400]
)
def test_readings_that_do_not(raw: object) -> None:
    assert isnan(number_of(raw))


def test_one_missing_share_makes_the_sum_unknown() -> None:
    documents = cap_documents(2)
    documents["Chassis/1/EnvironmentMetrics"] = None
    assert isnan(RedfishCodec([cap_point(2)]).decode(documents)[0])


def test_the_range_that_the_device_allows_holds_for_every_share() -> None:
    codec = RedfishCodec([cap_point(2, offset=1000.0)])
    documents = cap_documents(2, low=200.0, high=700.0)
    documents["Chassis/1/EnvironmentMetrics"]["PowerLimitWatts"]["AllowableMin"] = 300
    assert len(codec.encode("cap_w", 1600.0, documents)) == 2
    with pytest.raises(Rejected, match=r"cap_w asked for 1500, allowed 1600\.\.2400"):
        codec.encode("cap_w", 1500.0, documents)
    with pytest.raises(Rejected, match="no number"):
        codec.encode("cap_w", float("nan"), documents)
    with pytest.raises(Rejected, match="power_w cannot be set"):
        codec.encode("power_w", 1.0, documents)


def test_older_services_are_read_and_set_where_they_keep_it() -> None:
    power = PointSpec(
        name="power_w", protocol="redfish", at="Chassis/0/EnvironmentMetrics#/PowerWatts/Reading"
    )
    codec = RedfishCodec([power, cap_point()])
    documents: dict[str, Any] = {"Chassis/0/EnvironmentMetrics": None}
    assert codec.legacy_resources(documents) == ("Chassis/0/Power",)
    documents["Chassis/0/Power"] = {
        "PowerControl": [{"PowerConsumedWatts": 344, "PowerLimit": {"LimitInWatts": 500}}]
    }
    assert list(codec.decode(documents)) == [344.0, 500.0]
    (patch,) = codec.encode("cap_w", 450.0, documents)
    assert patch == Patch(
        "Chassis/0/Power",
        ("PowerControl", "0", "PowerLimit", "LimitInWatts"),
        {"PowerControl": [{"PowerLimit": {"LimitInWatts": 450}}]},
    )
    apply(patch, documents)
    assert list(codec.decode(documents)) == [344.0, 450.0]
    # Where both exist the newer one counts, and null in it is no reason to look elsewhere.
    documents |= cap_documents(1)
    documents["Chassis/0/EnvironmentMetrics"]["PowerLimitWatts"]["SetPoint"] = None
    assert isnan(codec.decode(documents)[1])


def test_older_leak_detectors() -> None:
    at = [f"Chassis/Chassis_0/LeakDetectors/ColdPlate_{n}#/DetectorState" for n in (0, 1)]
    codec = RedfishCodec([PointSpec(name="leak_count", protocol="redfish", at=at)])
    old = "Chassis/Chassis_0/ThermalSubsystem/LeakDetection/LeakDetectors/ColdPlate_"
    documents: dict[str, Any] = dict.fromkeys(codec.resources)
    assert codec.legacy_resources(documents) == (f"{old}0", f"{old}1")
    documents |= {f"{old}0": {"DetectorState": "OK"}, f"{old}1": {"DetectorState": "Critical"}}
    assert codec.decode(documents)[0] == 1.0


def test_array_members_before_the_changed_one_stay() -> None:
    assert body_of(("A", "2", "B"), 1.5) == {"A": [{}, {}, {"B": 1.5}]}


def test_pointer_escapes() -> None:
    place = parse_place("Chassis/1#/a~1b/c~0d", "here")
    assert place.pointer == ("a/b", "c~d")


@pytest.mark.parametrize("at", ["Chassis/1", "#/Reading", "Chassis/1#/"])
def test_what_is_no_place_is_a_config_error(at: str) -> None:
    with pytest.raises(ConfigError, match="no place in a Redfish service"):
        parse_place(at, "here")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff\x00", b'{"a":', b"[" * 100_000])
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_document(body, "here")


@pytest.mark.parametrize("model", [NODE, HGX, CDU])
def test_every_resource_is_fetched_once(model: str) -> None:
    points = [p for p in load_models()[model].point if p.protocol == "redfish"]
    codec = RedfishCodec(points)
    assert len(set(codec.resources)) == len(codec.resources)
    assert np.isnan(codec.decode(dict.fromkeys(codec.resources))).all()
    assert msgspec.json.encode(codec.resources)
