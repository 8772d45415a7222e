"""Models beside the site file: they join the shipped ones, shadow none, travel with the site."""

from pathlib import Path

import msgspec
import pytest

from mallee.catalogue import load_models, load_site
from mallee.catalogue.device_models import catalogue_of
from mallee.core.errors import ConfigError
from mallee.runtime.run_folder import Run, RunFolder, load_run
from mallee.site.checks import check_site
from tests.site.sites import DEMO, changed, surveyed

METER = """
model = "my-meter"
kind = "meter"
vendor = "v"
product = "p"
power_max_w = 0
[protocol.sunspec]
port = 502
[[point]]
name = "import_w"
protocol = "sunspec"
at = "203.W"
[on_controller_loss]
behaviour = "hold"
"""
DEMO_TEXT = DEMO.read_text(encoding="utf-8")
WITH_MINE = changed(DEMO_TEXT, ('model = "grid-meter-sunspec"', 'model = "my-meter"'))


def put(folder: Path, name: str, text: str) -> None:
    (folder / "catalogue").mkdir(exist_ok=True)
    (folder / "catalogue" / name).write_text(text, encoding="utf-8")


def test_a_model_beside_the_site_file_is_found(tmp_path: Path) -> None:
    assert [p.rule for p in surveyed(WITH_MINE, tmp_path).problems] == ["no-such-model"]
    put(tmp_path, "mine.toml", METER)
    site = load_site(tmp_path / "site.toml")
    assert site.groups[0].model.model == "my-meter"
    assert catalogue_of(tmp_path / "site.toml").files["my-meter"].name == "mine.toml"
    assert "my-meter" not in load_models()  # it is this site's alone


def test_folders_further_up_do_not_count(tmp_path: Path) -> None:
    put(tmp_path, "mine.toml", METER)
    (tmp_path / "north").mkdir()
    assert [p.rule for p in surveyed(WITH_MINE, tmp_path / "north").problems] == ["no-such-model"]


def test_a_shipped_model_is_never_replaced(tmp_path: Path) -> None:
    put(tmp_path, "mine.toml", METER.replace("my-meter", "grid-meter-sunspec"))
    found = surveyed(DEMO_TEXT, tmp_path)
    assert [(p.rule, p.file, p.line) for p in found.problems] == [
        ("model-shadowed", "catalogue/mine.toml", 2)
    ]
    assert "the name 'grid-meter-sunspec' is Mallee's own already" in str(found.problems[0])
    assert found.site is not None
    assert len(found.site.groups[0].model.point) > 1  # the shipped one


def test_two_own_models_of_one_name(tmp_path: Path) -> None:
    put(tmp_path, "a.toml", METER)
    put(tmp_path, "b.toml", METER)
    problems = surveyed(WITH_MINE, tmp_path).problems
    assert [(p.rule, p.file) for p in problems] == [("model-shadowed", "catalogue/b.toml")]


def test_mistakes_in_own_models_are_told_with_their_file_and_line(tmp_path: Path) -> None:
    bad = METER.replace("port = 502", "prt = 502").replace('at = "203.W"', 'att = "203.W"')
    put(tmp_path, "mine.toml", bad)
    problems = surveyed(WITH_MINE, tmp_path).problems
    assert [(p.file, p.line, p.where) for p in problems] == [
        ("catalogue/mine.toml", 8, "protocol.sunspec.prt"),
        ("catalogue/mine.toml", 12, "point.import_w.att"),
    ]  # and not that the model is missing
    with pytest.raises(ConfigError, match=r"catalogue/mine.toml:8: protocol.sunspec.prt: unknown"):
        load_site(tmp_path / "site.toml")


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    put(tmp_path, "my-meter.toml", "model = ")
    problems = surveyed(WITH_MINE, tmp_path).problems
    assert [(p.rule, p.file) for p in problems] == [("model-file", "catalogue/my-meter.toml")]


@pytest.mark.parametrize("first", [True, False])
def test_an_extra_point_is_read_and_kept_in_any_order_of_models(
    first: bool, root: Path, tmp_path: Path
) -> None:
    text = (root / "src/mallee/catalogue/models/cdu-1300kw.toml").read_text(encoding="utf-8")
    extra = '[[point]]\nname = "filter_pa"\nprotocol = "redfish"\n'
    extra += 'at = "Chassis/CDU/Sensors/F#/Reading"\n'
    text = text.replace('model = "cdu-1300kw"', 'model = "cdu-mine"').replace(
        "[physics]", f"{extra}\n[physics]"
    )
    put(tmp_path, "cdu-mine.toml", text)
    models = ["cdu-mine", "cdu-1300kw"] if first else ["cdu-1300kw", "cdu-mine"]
    cdus = ", ".join(
        f'{{ name = "cdu{n}", model = "{model}", fed_by = "q-pod" }}'
        for n, model in enumerate(models, 1)
    )
    site_text = changed(
        DEMO_TEXT, ('[{ name = "cdu1", model = "cdu-1300kw", fed_by = "q-pod" }]', f"[{cdus}]")
    )
    found = surveyed(site_text, tmp_path)
    assert found.problems == ()
    assert found.site is not None
    name = f"pod1/cdu{1 if first else 2}/filter_pa"
    row = found.site.find_point(name)
    assert row is not None
    assert found.site.point_path(row) == name
    notes = [f for f in check_site(found.site) if f.rule == "extra-point"]
    assert [(f.where, f.level) for f in notes] == [("cdu-mine", "note")]


def test_a_model_without_what_its_kind_needs_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "mine.toml", METER.replace('"import_w"', '"power_w"'))
    found = surveyed(WITH_MINE, tmp_path)
    assert found.site is not None
    errors = [f for f in check_site(found.site) if f.level == "error"]
    assert [(f.rule, f.where) for f in errors] == [("model-lacks-point", "my-meter")]
    assert "lacks the point 'import_w'" in errors[0].text


def test_nodes_without_a_cap_and_without_physics_are_told(root: Path, tmp_path: Path) -> None:
    text = (root / "src/mallee/catalogue/models/nvidia-hgx-h100-node.toml").read_text("utf-8")
    text = text.replace("nvidia-hgx-h100-node", "mine").replace('access = "readwrite"\n', "")
    text = text.replace("gpu_tau_up_s", "other_s")
    put(tmp_path, "mine.toml", text)
    hall = (root / "examples/sites/single-rack.toml").read_text("utf-8")
    found = surveyed(hall.replace("nvidia-hgx-h100-node", "mine"), tmp_path)
    assert found.site is not None
    rules = [(f.rule, f.level) for f in check_site(found.site)]
    assert ("no-cap", "warning") in rules
    assert ("model-lacks-parameter", "error") in rules


def test_own_models_travel_with_the_run(tmp_path: Path) -> None:
    """Every process builds the site again; it must not need the folder of the site file."""
    put(tmp_path, "mine.toml", METER)
    (tmp_path / "site.toml").write_text(WITH_MINE, encoding="utf-8")
    site = load_site(tmp_path / "site.toml")
    used = list({group.model.model: group.model for group in site.groups}.values())
    folder = RunFolder(tmp_path / "data")
    folder.make()
    folder.save(
        Run(site=site.file, source="site.toml", pid=1, console="x:1", addresses={}, models=used)
    )
    (tmp_path / "catalogue" / "mine.toml").unlink()
    _, again = load_run(folder)
    assert again.digest == site.digest
    assert msgspec.to_builtins(again.groups[0].model) == msgspec.to_builtins(site.groups[0].model)
