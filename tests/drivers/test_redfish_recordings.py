"""Recordings of real servers: the walk reads everything that an independent count finds."""

import importlib.util
import os
from pathlib import Path

import pytest

from mallee.drivers.redfish import walk

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("counter", ROOT / "bench/recordings/redfish.py")
assert SPEC is not None and SPEC.loader is not None
redfish = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(redfish)
SHARED = Path(os.environ.get("MALLEE_SHARED", Path(__file__).parents[3] / "shared"))
needs_recordings = pytest.mark.skipif(
    not (SHARED / "golden").is_dir(), reason=f"REDFISH RECORDINGS NOT READ: no {SHARED}"
)
DOCUMENT = {
    "@odata.type": "#EnvironmentMetrics.v1_3_0.EnvironmentMetrics",
    "FanSpeedsPercent": [{"Reading": 40.0, "SpeedRPM": 9733.0}],
    "PowerWatts": {"Reading": 84.8, "ApparentVA": 90.0},
    "PowerLimitWatts": {"SetPoint": 900, "AllowableMax": 900, "Reading": 84.9},
    "Oem": {"Some": {"SMActivityPercent": 12.0}},
}


@needs_recordings
def test_every_reading_of_every_recording_is_a_typed_point() -> None:
    readings, missed = redfish.count(SHARED)
    assert (readings > 2000, missed) == (True, 0)


@needs_recordings
def test_a_rule_less_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_metrics", lambda *_, **__: iter(()))
    assert redfish.count(SHARED)[1] > 100


def test_metrics_beside_readings_have_units() -> None:
    found = {one.at: (one.value, one.unit, one.kind) for one in walk.find_signals({"E": DOCUMENT})}
    assert found == {
        "E#/FanSpeedsPercent/0/Reading": (40.0, "%", "excerpt"),
        "E#/FanSpeedsPercent/0/SpeedRPM": (9733.0, "{rev}/min", "metric"),
        "E#/PowerWatts/Reading": (84.8, "W", "excerpt"),
        "E#/PowerWatts/ApparentVA": (90.0, "V.A", "metric"),
        "E#/PowerLimitWatts/Reading": (84.9, "W", "excerpt"),
        "E#/Oem/Some/SMActivityPercent": (12.0, "%", "metric"),
    }
