"""Actions in virtual time: what was asked is done, read back, and over when its time is over."""

from pathlib import Path

import pytest

from mallee.actions import ACTIONS, load_actions, read_form, request_of
from mallee.catalogue import load_site
from mallee.simulation import preview as trial
from mallee.simulation.run import simulate
from mallee.site.clock import START_UTC_S

SITE = Path(__file__).parents[2] / "examples/sites/charging-site.toml"


@pytest.mark.slow
def test_a_scripted_cap_holds_a_rack_and_is_over_in_time(tmp_path: Path) -> None:
    file = tmp_path / "actions.toml"
    file.write_text(
        '[[action]]\ndo = "cap"\nwhere = "pod1/r1"\nlimit_w = 60e3\nat = "15s"\nfor = "15s"\n'
        'by = "anna"\nreason = "work behind rack 1"\n'
        '[[action]]\ndo = "cap"\nwhere = "pod1"\nlimit_w = 1.0\nat = "5s"\nby = "bert"\n'
        'reason = "far too low"\n'
    )
    site = load_site(SITE)
    result = simulate(site, duration_s=40, requests=load_actions(file))
    told = {(event.kind, event.source) for event in result.events}
    assert {("request-in-force", "1"), ("request-over", "1"), ("request-refused", "2")} <= told
    annas = [one.write for one in result.commands if one.write.actor == "anna"]
    assert annas
    assert all(one.path.startswith("pod1/r1/") for one in annas)
    assert sum(one.value for one in annas[:18]) <= 60e3 * 1.001


@pytest.mark.slow
def test_a_trial_shows_what_an_action_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 30)
    site = load_site(SITE)
    form = read_form(ACTIONS["cap"], {"where": "pod1", "limit_w": 110e3, "reason": "a try"}, "cap")
    request = request_of(
        ACTIONS["cap"], form, id_="draft", actor="anna", origin="person", from_s=0.0
    )
    assert request is not None
    found = trial.preview(site, request, None, seed=1, start_utc_s=START_UTC_S)
    assert found.with_it.nodes_last_w <= 115e3
    assert found.without.nodes_last_w > 1.3 * found.with_it.nodes_last_w  # the null case
    assert found.breaks == []
