"""Reads catalogue models and site files; errors name the key and the nearest valid one."""

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from mallee.catalogue.mistakes import explain, place_in_list
from mallee.core.device_model import DeviceModel, expand_points
from mallee.core.errors import ConfigError
from mallee.kinds import KINDS
from mallee.site.build import build_site
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel
from mallee.site.problems import nearest

MODELS_FOLDER = Path(__file__).parent / "models"
T = TypeVar("T")


@cache
def load_models() -> dict[str, DeviceModel]:
    """All device models of the catalogue, by name.

    Raises:
        ConfigError: a model file that does not fit the schema.
    """
    models = (load_model(path) for path in sorted(MODELS_FOLDER.glob("*.toml")))
    return {model.model: model for model in models}


def load_model(path: Path) -> DeviceModel:
    """One model file, its point ranges expanded and its references checked.

    Raises:
        ConfigError: unknown keys, a point on a protocol that the model does not speak, a repeated
            point, or a read-back of a point that does not exist.
    """
    model = _decode(path, DeviceModel)
    if model.kind not in KINDS:
        raise ConfigError(f"{path.name}: kind", f"is {model.kind!r}", nearest(model.kind, KINDS))
    model.point[:] = expand_points(model.point)
    names = [point.name for point in model.point]
    for point in model.point:
        where = f"{path.name}: point.{point.name}"
        if names.count(point.name) > 1:
            raise ConfigError(where, "the name is used twice")
        if point.constant is None and point.protocol not in model.protocol:
            hint = nearest(point.protocol, model.protocol)
            raise ConfigError(where, f"no protocol {point.protocol!r} in this model", hint)
        if point.read_back and point.read_back not in names:
            hint = nearest(point.read_back, names)
            raise ConfigError(where, f"reads back {point.read_back!r}, which is no point", hint)
    return model


def load_site_file(path: Path) -> SiteFile:
    """A site file as data, not yet resolved.

    Raises:
        ConfigError: not readable, not TOML, an unknown key, a value out of range.
    """
    file = _decode(path, SiteFile)
    _check_timezone(file.timezone, path.name)
    return file


def load_site(path: Path) -> SiteModel:
    """The model of the site that a file describes.

    Raises:
        ConfigError: as `load_site_file`, or a name that does not resolve.
    """
    return build_site(load_site_file(path), load_models(), path.name)


def _decode(path: Path, shape: type[T]) -> T:
    try:
        raw = tomllib.loads(_read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not valid TOML: {error}") from None
    _check_keys(raw, shape, path.name, "")
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as error:
        raise explain(path.name, raw, shape, str(error)) from None


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    try:
        return content.decode("utf-8-sig")  # some editors put a mark at the start
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        hint = "save the file as UTF-8"
        raise ConfigError(f"{path}: line {line}", "is not UTF-8 text", hint) from None


def _check_timezone(name: str, source: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        hint = nearest(name, known) if known else "this computer has no time zones: install tzdata"
        hint = 'such as "Europe/Berlin" or "UTC"' if hint.startswith("known") else hint
        if name != "UTC":  # known to everybody, data or not
            raise ConfigError(f"{source}: timezone", f"no time zone {name!r}", hint) from None


def _check_keys(raw: Any, shape: Any, source: str, path: str) -> None:
    """Report the first unknown key anywhere, with the nearest valid one, and endless numbers."""
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ConfigError(f"{source}: {path}", f"is {raw}", "must be a finite number")
    if get_origin(shape) is list and isinstance(raw, list):
        for position, item in enumerate(raw):
            at = path + place_in_list(item, position)
            _check_keys(item, get_args(shape)[0], source, at)
        return
    if get_origin(shape) is dict and isinstance(raw, dict):
        for key, value in raw.items():
            _check_keys(value, get_args(shape)[1], source, f"{path}.{key}")
        return
    structs = [
        s
        for s in (shape, *get_args(shape))
        if isinstance(s, type) and issubclass(s, msgspec.Struct)
    ]
    if not structs or not isinstance(raw, dict):
        return
    hints = get_type_hints(structs[0])
    for key, value in raw.items():
        where = f"{path}.{key}".lstrip(".")
        if key not in hints:
            raise ConfigError(f"{source}: {where}", "unknown key", nearest(key, hints))
        _check_keys(value, hints[key], source, where)
