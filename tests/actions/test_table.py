"""Actions are rows: each form can be filled in and asks for what control understands."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mallee.actions import ACTIONS, ROLES, load_actions, read_form, request_of
from mallee.catalogue import load_site
from mallee.cli.do import parse_power
from mallee.control import limits_of, why_not
from mallee.core.errors import ConfigError

SITE = Path(__file__).parents[2] / "examples/sites/charging-site.toml"
GIVEN: dict[str, dict[str, Any]] = {
    "import-limit": {"limit_w": 400e3},
    "cap": {"where": "pod1", "limit_w": 150e3},
    "pause": {"where": "pod1/r1"},
    "charger-limit": {"where": "ev1", "limit_w": 100e3},
    "charger-stop": {"where": "ev*"},
    "battery-power": {"where": "bess1", "charge_w": -50e3},
    "battery-mode": {"where": "bess1", "mode": "set-point"},
    "cooling-supply": {"where": "pod1/cdu1", "supply_degc": 28.0},
    "out-of-service": {"where": "pod1/r2/n03"},
    "hold": {},
    "safe-stop": {},
    "island": {},
    "note": {"where": "pod1"},
}
ELSEWHERE = {"solar-limit", "genset-start"}
"""The charging site has neither."""


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_becomes_what_control_can_follow(name: str) -> None:
    action = ACTIONS[name]
    assert action.role in ROLES[1:]
    if name in ELSEWHERE:
        return
    form = read_form(action, {**GIVEN[name], "reason": "a test"}, name)
    assert msgspec.json.decode(msgspec.json.encode(form), type=action.form) == form
    request = request_of(action, form, id_="1", actor="anna", origin="person", from_s=5.0)
    if name == "note":
        assert request is None
        return
    assert request is not None
    assert request.until_s == 5.0 + 3600.0
    assert why_not(limits_of(load_site(SITE)), request) == ""


@pytest.mark.parametrize(
    ("name", "fields", "what"),
    [
        ("cap", {"where": "pod1", "limit_w": 1.0}, "reason"),
        ("cap", {"where": "pod1", "limit_w": -1.0, "reason": "why"}, "limit_w"),
        ("cap", {"where": "../../etc", "limit_w": 1.0, "reason": "why"}, "where"),
        ("cap", {"where": "pod1", "limit_w": 1.0, "reason": "no"}, "reason"),
        ("hold", {"for": "soon", "reason": "why"}, "for"),
        ("hold", {"force": True, "reason": "why"}, "force"),
    ],
)
def test_what_is_missing_or_out_of_range_is_named(
    name: str, fields: dict[str, Any], what: str
) -> None:
    with pytest.raises(ConfigError, match=what):
        read_form(ACTIONS[name], fields, name)


def test_a_file_of_actions_is_read_and_its_faults_are_named(tmp_path: Path) -> None:
    file = tmp_path / "actions.toml"
    entry = '[[action]]\ndo = "cap"\nwhere = "pod1"\nlimit_w = 9e4\nat = "2m"\nfor = "5m"\n'
    file.write_text(entry + 'by = "anna"\nreason = "works"\n')
    (request,) = load_actions(file)
    assert (request.actor, request.from_s, request.until_s) == ("anna", 120.0, 420.0)
    for text, what in (
        (entry, "reason"),
        ('[[action]]\ndo = "kap"\n', "cap"),
        ("x = 1", r"\[\[action\]\]"),
        ("x =", "TOML"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigError, match=what):
            load_actions(file)


@pytest.mark.parametrize(
    ("text", "power_w"), [("400kW", 400e3), ("1.2 MW", 1.2e6), ("-5e4", -5e4), ("0", 0.0)]
)
def test_powers_are_read_as_people_write_them(text: str, power_w: float) -> None:
    assert parse_power(text, "limit") == power_w


@pytest.mark.parametrize("text", ["", "kW", "4..2", "400 kilo", "nan", "1e999x"])
def test_what_is_no_power_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no power"):
        parse_power(text, "limit")
