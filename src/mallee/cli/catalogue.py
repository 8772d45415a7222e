"""`mallee catalogue`: the device models that site files may name, explained."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from mallee.cli.output import BOLD, GREY, RED, YELLOW, paint, table
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.catalogue.device_models import Catalogue
    from mallee.core.device_model import DeviceModel

catalogue = App(name="catalogue", help="List, show and check device models.")

Json = Annotated[bool, Parameter(name="--json", negative="")]
Site = Annotated[Path | None, Parameter(name="--site")]


@catalogue.command(name="list")
def list_models(*, kind: str = "", site: Site = None, json_: Json = False) -> int:
    """List device models: those that come with Mallee, and those beside a site file.

    Parameters
    ----------
    kind
        Only models of this kind, such as node or battery.
    site
        Site file; the models in the folder `catalogue` beside it are listed too. Without it, those
        in ./catalogue.
    json_
        Print one JSON object, for programs.
    """
    from mallee.catalogue.device_models import MODELS_FOLDER
    from mallee.kinds import KINDS
    from mallee.site.problems import nearest

    if kind and kind not in KINDS:
        raise ConfigError("--kind", f"no kind {kind!r}", nearest(kind, KINDS))
    found = _read(site)
    order = list(KINDS)
    models = sorted(found.models.values(), key=lambda m: (order.index(m.kind), m.model))
    models = [model for model in models if kind in ("", model.kind)]
    own = {name for name, path in found.files.items() if path.parent != MODELS_FOLDER}
    if json_:
        rows = [
            {
                "model": m.model,
                "kind": m.kind,
                "product": m.product,
                "protocols": list(m.protocol),
                "power_max_w": m.power_max_w,
                "own": m.model in own,
            }
            for m in models
        ]
        print(json.dumps({"models": rows}))
        return 0
    lines = [
        (
            m.model,
            m.kind,
            f"{m.power_max_w:g}",
            " ".join(m.protocol),
            m.product + (paint("  (own)", YELLOW) if m.model in own else ""),
        )
        for m in models
    ]
    print(table(lines, ("model", "kind", "most, W", "protocols", "product")))
    return 0


@catalogue.command
def show(model: str, /, *, site: Site = None, json_: Json = False) -> int:
    """Show one device model: points, protocol, physics with source and mark, what its kind needs.

    Parameters
    ----------
    model
        Its name, as `mallee catalogue list` tells it.
    site
        Site file beside whose folder `catalogue` the model is.
    json_
        Print the model as one JSON object, for programs.
    """
    from mallee.catalogue import explain
    from mallee.site.problems import nearest

    found = _read(site)
    if model not in found.models:
        raise ConfigError(f"model {model!r}", "does not exist", nearest(model, found.models))
    one = found.models[model]
    if json_:
        gaps = list(explain.gaps(one))
        print(json.dumps({**msgspec.to_builtins(one), "gaps": gaps}))
        return 0
    print(paint(one.model, BOLD) + paint(f"  {found.files[model]}", GREY))
    print(table(explain.about(one)))
    print()
    print(table(explain.points(one), ("point", "what", "protocol", "at")))
    rows = explain.parameters(one)
    if rows:
        print()
        print(table(rows, ("parameter", "value", "mark", "source")))
    for gap in explain.gaps(one):
        print(paint(f"{one.model} {gap}", YELLOW))
    return 0


@catalogue.command(name="check")
def check_models(*files: Path, site: Site = None, json_: Json = False) -> int:
    """Check device models: files, or all in the folder `catalogue` beside a site file.

    Tells everything at once, with lines. Ends with status 1 when a model cannot be used, or lacks
    what its kind needs; 2 when there is nothing to check.

    Parameters
    ----------
    files
        Model files; without them those of the site, or in ./catalogue.
    site
        Site file.
    json_
        Print one JSON object, for programs.
    """
    from mallee.catalogue import explain

    problems, models = _of_files(files) if files else _of_folder(site)
    gaps = [(model.model, gap) for model in models for gap in explain.gaps(model)]
    bad = [gap for gap in gaps if not gap[1].startswith("has ")]
    ok = not problems and not bad
    if json_:
        rows = [{"level": "error", "text": text} for text in problems]
        rows += [
            {"level": "error" if gap in bad else "note", "text": f"{gap[0]} {gap[1]}"}
            for gap in gaps
        ]
        print(json.dumps({"ok": ok, "models": [m.model for m in models], "findings": rows}))
        return 0 if ok else 1
    for text in problems:
        print(f"{paint('error   ', RED)}{text}")
    for gap in gaps:
        label = paint("error   ", RED) if gap in bad else "note    "
        print(f"{label}{gap[0]} {gap[1]}")
    print(f"{len(models)} model(s): {len(problems) + len(bad)} error(s)")
    return 0 if ok else 1


def _read(site: Path | None) -> "Catalogue":
    """The catalogue as a site sees it; every mistake in its own models is told.

    Raises:
        ConfigError: an own model is wrong.
    """
    from mallee.catalogue.device_models import OWN_FOLDER, catalogue_of
    from mallee.site.problems import SiteProblems

    if site is not None and not site.is_file():
        raise ConfigError(f"--site {site}", "is no file", "name a site file")
    found = catalogue_of(site if site is not None else Path("site.toml"))
    if found.problems:
        raise SiteProblems(OWN_FOLDER, found.problems)
    return found


def _of_files(files: tuple[Path, ...]) -> "tuple[list[str], list[DeviceModel]]":
    from mallee.catalogue.device_models import load_model

    problems: list[str] = []
    models: list[DeviceModel] = []
    for path in files:
        try:
            models.append(load_model(path))
        except ConfigError as error:
            problems += str(error).splitlines()
    return problems, models


def _of_folder(site: Path | None) -> "tuple[list[str], list[DeviceModel]]":
    from mallee.catalogue.device_models import MODELS_FOLDER, OWN_FOLDER, catalogue_of
    from mallee.site.problems import SiteProblems

    found = catalogue_of(site if site is not None else Path("site.toml"))
    own = [m for name, m in found.models.items() if found.files[name].parent != MODELS_FOLDER]
    if not own and not found.problems:
        hint = f"name model files, or put them into a folder {OWN_FOLDER} beside the site file"
        raise ConfigError("catalogue check", "there are no own models here", hint)
    problems = str(SiteProblems(OWN_FOLDER, found.problems)) if found.problems else ""
    return problems.splitlines(), own
