"""The counter of wrong answers: clean now, and able to see what it is there for."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from mallee.drivers.dcgm import driver as dcgm
from mallee.drivers.redfish import codec as redfish

SPEC = importlib.util.spec_from_file_location(
    "fuzz", Path(__file__).parents[2] / "bench/recordings/fuzz.py"
)
assert SPEC is not None
assert SPEC.loader is not None
fuzz = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzz)


def test_wrong_answers_are_named_errors_or_no_reading() -> None:
    assert set(fuzz.count(60).values()) == {(0, 0)}


def test_a_codec_that_takes_rubbish_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def lenient(raw: Any) -> float:
        return 0.0 if raw in (None, "", True) else float("nan")

    monkeypatch.setattr(redfish, "number_of", lenient)
    monkeypatch.setattr(dcgm, "BLANK_INT64_MIN", float("inf"))
    found = fuzz.count(60)
    assert found["redfish"][1] > 0
    assert found["dcgm"][1] > 0


def test_an_error_without_a_name_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(body: bytes, _where: str) -> Any:
        return {"length": 1 // len(body[:1])} | {"text": body.decode()}

    monkeypatch.setattr(fuzz, "parse_document", careless)
    assert fuzz.count(120)["redfish"][0] > 0
