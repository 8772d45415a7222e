"""`mallee catalogue`: models listed, explained, checked; own ones beside the site file too."""

import json
from pathlib import Path

import pytest

from mallee.catalogue import load_models
from mallee.cli import run
from tests.catalogue.test_own_models import METER, put
from tests.site.sites import DEMO

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder of the checkout counts."""
    monkeypatch.chdir(tmp_path)


def test_all_models_are_listed(capsys: Said) -> None:
    assert run(["catalogue", "list"]) == 0
    told = capsys.readouterr().out
    assert all(model in told for model in load_models())
    assert "(own)" not in told
    assert run(["catalogue", "list", "--kind", "ups", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    of_kind = {name for name, model in load_models().items() if model.kind == "ups"}
    assert {row["model"] for row in rows} == of_kind > {"ups-500kw", "ups-1500kw"}
    assert run(["catalogue", "list", "--kind", "upss"]) == 2
    assert "no kind 'upss'; did you mean 'ups'?" in capsys.readouterr().err


def test_a_model_is_explained(capsys: Said) -> None:
    assert run(["catalogue", "show", "megapack-2h"]) == 0
    told = capsys.readouterr().out
    for words in (
        "battery, consumes and gives; stands at site",
        "control can hold it down to 5000 W",
        "falls back by itself after 10 s",
        "port 502, read every 0.1 s",
        "needed",
        "settable, -1.93e+06 to 1.93e+06, for 5 s",
        "Megapack 2 XL two-hour unit: 3.85 MWh",
        "assumed",
    ):
        assert words in told, words
    assert run(["catalogue", "show", "megapack", "--json"]) == 2
    assert "did you mean 'megapack-2h'?" in capsys.readouterr().err


@pytest.mark.parametrize("model", sorted(load_models()))
def test_every_model_can_be_shown(model: str, capsys: Said) -> None:
    assert run(["catalogue", "show", model]) == 0
    assert "source" in capsys.readouterr().out or not load_models()[model].physics
    assert run(["catalogue", "show", model, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["model"] == model
    assert answer["gaps"] == []


def test_own_models_are_listed_shown_and_checked(tmp_path: Path, capsys: Said) -> None:
    put(tmp_path, "mine.toml", METER)
    (tmp_path / "site.toml").write_bytes(DEMO.read_bytes())
    assert run(["catalogue", "list", "--site", "site.toml"]) == 0
    assert "(own)" in capsys.readouterr().out
    assert run(["catalogue", "show", "my-meter"]) == 0  # ./catalogue counts without a site
    assert "mine.toml" in capsys.readouterr().out
    assert run(["catalogue", "check"]) == 0
    assert "1 model(s): 0 error(s)" in capsys.readouterr().out


def test_mistakes_are_told_at_once_with_lines(tmp_path: Path, capsys: Said) -> None:
    put(
        tmp_path,
        "mine.toml",
        METER.replace("port = 502", "prt = 502").replace("power_max_w", "pwr"),
    )
    assert run(["catalogue", "check"]) == 1
    told = capsys.readouterr().out
    assert "catalogue/mine.toml:6: pwr: unknown key" in told
    assert "catalogue/mine.toml:8: protocol.sunspec.prt: unknown key" in told
    assert run(["catalogue", "check", "catalogue/mine.toml", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["ok"]
    assert any("mine.toml:6" in finding["text"] for finding in answer["findings"])
    assert run(["catalogue", "list"]) == 2
    assert "mine.toml:6" in capsys.readouterr().err


def test_what_a_kind_needs_is_asked_for(tmp_path: Path, capsys: Said) -> None:
    put(tmp_path, "mine.toml", METER.replace('"import_w"', '"power_w"'))
    assert run(["catalogue", "check"]) == 1
    assert "my-meter lacks the point 'import_w'" in capsys.readouterr().out


def test_an_extra_point_is_a_note(tmp_path: Path, root: Path, capsys: Said) -> None:
    text = (root / "src/mallee/catalogue/models/pdu-rack-34kw.toml").read_text("utf-8")
    extra = '[[point]]\nname = "door_count"\nprotocol = "redfish"\n'
    extra += 'at = "Chassis/PDU/Sensors/D#/Reading"\n'
    text = text.replace("pdu-rack-34kw", "mine").replace("[physics]", f"{extra}\n[physics]")
    put(tmp_path, "mine.toml", text)
    assert run(["catalogue", "check"]) == 0
    assert "note    mine has 'door_count' beyond what a pdu has" in capsys.readouterr().out
    assert run(["catalogue", "show", "mine"]) == 0
    assert "read, beyond its kind" in capsys.readouterr().out


def test_nothing_to_check(capsys: Said) -> None:
    assert run(["catalogue", "check"]) == 2
    assert "there are no own models here" in capsys.readouterr().err
    assert run(["catalogue", "list", "--site", "none.toml"]) == 2
    assert "is no file" in capsys.readouterr().err
