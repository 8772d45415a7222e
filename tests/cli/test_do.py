"""`mallee do`: each action has a command, and what is not said takes the form's own default."""

from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mallee.actions import ACTIONS
from mallee.cli import run

WORDS = {"str": "pod1", "float": "20", "power": "60kW"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What would be sent to the console."""
    found: list[tuple[str, dict[str, Any]]] = []
    row = {
        "id": "r1", "state": "requested", "what": "", "until_utc_s": None, "actor": "a",
        "reason": "r", "text": "",
    }  # fmt: skip

    def ask(_: Path | None, path: str, body: dict[str, Any]) -> dict[str, Any]:
        found.append((path, body))
        return {"request": row, "preview": None}

    monkeypatch.setattr(import_module("mallee.cli.do"), "ask", ask)
    return found


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_can_be_asked_for_by_what_it_needs_alone(
    name: str, asked: list[tuple[str, dict[str, Any]]]
) -> None:
    fields = msgspec.structs.fields(ACTIONS[name].form)
    needed = [one for one in fields if one.required and one.encode_name != "reason"]
    kinds = [
        "power" if one.name.endswith("_w") else "float" if one.name.endswith("_degc") else "str"
        for one in needed
    ]
    assert run(["do", name, *(WORDS[kind] for kind in kinds), "--reason", "a test"]) == 0
    [(path, body)] = asked
    assert path == f"/api/v1/actions/{name}"
    assert body["reason"] == "a test"
    for one in fields:
        if not one.required:
            assert body[one.encode_name] == one.default


def test_a_power_is_read_with_its_unit_and_a_trial_is_asked_for(
    asked: list[tuple[str, dict[str, Any]]],
) -> None:
    run(["do", "import-limit", "0.4MW", "--reason", "a test", "--for", "10m"])
    [(path, body)] = asked
    assert path == "/api/v1/actions/import-limit"
    assert body["limit_w"] == 400e3
    assert body["for"] == "10m"
