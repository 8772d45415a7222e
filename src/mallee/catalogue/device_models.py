"""Device models: those that come with Mallee, and those of a site in the folder beside its file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import msgspec

from mallee.catalogue.mistakes import LOST, examine
from mallee.catalogue.toml_file import TomlFile
from mallee.core.device_model import DeviceModel, expand_points
from mallee.core.errors import ConfigError
from mallee.core.identity import FIELDS
from mallee.core.protocols import PROTOCOLS
from mallee.kinds import KINDS
from mallee.site.problems import Problem, SiteProblems, nearest

MODELS_FOLDER = Path(__file__).parent / "models"

OWN_FOLDER = "catalogue"
"""Name of the folder beside a site file whose models join the shipped ones."""


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """All models that a site may name.

    Attributes:
        models: by name.
        files: where each was read from, by name.
        problems: what is wrong with the site's own files, with file and line.
        lost: names of models that could not be read.
    """

    models: dict[str, DeviceModel] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)


@cache
def load_models() -> dict[str, DeviceModel]:
    """The device models that come with Mallee, by name.

    Raises:
        ConfigError: a model file that does not fit the schema.
    """
    models = (load_model(path) for path in sorted(MODELS_FOLDER.glob("*.toml")))
    return {model.model: model for model in models}


def catalogue_of(site: Path) -> Catalogue:
    """The shipped models, and those in the folder `catalogue` beside a site file.

    Only the folder beside the file counts, not those further up: what a site is made of can be seen
    in one place. An own model never replaces a shipped one of its name, nor another own one.

    Args:
        site: the site file, or any file of its folder.
    """
    found = Catalogue(
        models=dict(load_models()),
        files={name: MODELS_FOLDER / f"{name}.toml" for name in load_models()},
    )
    folder = site.parent / OWN_FOLDER
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        _add(found, path)
    return found


def _add(found: Catalogue, path: Path) -> None:
    shown = f"{OWN_FOLDER}/{path.name}"
    try:
        file = TomlFile(path)
    except ConfigError as error:
        found.problems.append(Problem("", error.what, error.hint, "model-file", file=shown))
        found.lost.add(path.stem)
        return
    model, problems = read_model(file)
    name = file.raw.get("model")
    other = found.files.get(name) if isinstance(name, str) else None
    if other is not None:
        whose = "Mallee's own" if other.parent == MODELS_FOLDER else f"{OWN_FOLDER}/{other.name}'s"
        hint = f"give it a name of its own, such as {name}-mine"
        what = f"the name {name!r} is {whose} already"
        problems = (*problems, Problem("model", what, hint, "model-shadowed"))
    found.problems += [replace(p, file=shown, line=file.line(p.where)) for p in problems]
    if isinstance(name, str) and other is None:
        if model is None or problems:
            found.lost.add(name)
        else:
            found.models[name], found.files[name] = model, path


def load_model(path: Path) -> DeviceModel:
    """One model file, its point ranges expanded and its references checked.

    Raises:
        ConfigError: unknown keys, a point on a protocol that the model does not speak, a repeated
            point, or a read-back of a point that does not exist; all of them.
    """
    file = TomlFile(path)
    model, problems = read_model(file)
    if problems or model is None:
        lines = [replace(problem, line=file.line(problem.where)) for problem in problems]
        raise SiteProblems(path.name, lines)
    return model


def read_model(file: TomlFile) -> tuple[DeviceModel | None, tuple[Problem, ...]]:
    """A model, None where too little of it can be used, and all that is wrong with its file."""
    examined = examine(file.raw, DeviceModel)
    if examined.usable is LOST:
        return None, tuple(examined.problems)
    model = msgspec.convert(examined.usable, DeviceModel)
    problems = list(examined.problems)
    if model.kind not in KINDS:
        hint = nearest(model.kind, KINDS)
        problems.append(Problem("kind", f"is {model.kind!r}", hint, "wrong-value"))
    try:
        model.point[:] = expand_points(model.point)
    except ValueError as error:
        problems.append(Problem("point", str(error), rule="name-range"))
        return None, tuple(problems)
    return model, (*problems, *_references(model, examined.lost), *_protocols(model))


def _protocols(model: DeviceModel) -> list[Problem]:
    """Protocols that nobody speaks, options that they do not have, and keys of an identity."""
    problems: list[Problem] = []
    for name, protocol in model.protocol.items():
        where = f"protocol.{name}"
        if name not in PROTOCOLS:
            what = f"no protocol {name!r}"
            problems.append(Problem(where, what, nearest(name, PROTOCOLS), "unknown-key"))
            continue
        problems += [
            replace(one, where=f"{where}.options.{one.where}".rstrip("."))
            for one in examine(protocol.options, PROTOCOLS[name].options).problems
        ]
    known = [f"{protocol}_{key}" for protocol in model.protocol for key in FIELDS]
    problems += [
        Problem(f"identity.{key}", "unknown key", nearest(key, known), "unknown-key")
        for key in model.identity
        if key not in known
    ]
    return problems


def _references(model: DeviceModel, lost: set[str]) -> list[Problem]:
    """Points that come twice, or name a protocol or a read-back that is not there."""
    problems: list[Problem] = []
    names = [point.name for point in model.point]
    known: Mapping[str, object] = model.protocol
    for point in model.point:
        where = f"point.{point.name}"
        if names.count(point.name) > 1:
            problems.append(Problem(where, "the name is used twice", rule="name-twice"))
        if point.constant is None and point.protocol not in known and point.protocol not in lost:
            what = f"no protocol {point.protocol!r} in this model"
            hint = nearest(point.protocol, known)
            problems.append(Problem(f"{where}.protocol", what, hint))
        if point.read_back and point.read_back not in [*names, *lost]:
            what = f"reads back {point.read_back!r}, which is no point"
            problems.append(Problem(f"{where}.read_back", what, nearest(point.read_back, names)))
    return list(dict.fromkeys(problems))
