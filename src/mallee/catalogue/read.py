"""Reads site files: everything that is wrong with one, told at once, with lines."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from mallee.catalogue.device_models import MODELS_FOLDER, catalogue_of, load_model, load_models
from mallee.catalogue.mistakes import LOST, Examined, examine
from mallee.catalogue.overrides import override
from mallee.catalogue.toml_file import TomlFile
from mallee.site.build import survey_site
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel
from mallee.site.problems import Problem, SiteProblems, nearest

__all__ = [
    "MODELS_FOLDER",
    "Survey",
    "load_model",
    "load_models",
    "load_site",
    "load_site_file",
    "survey",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A site as far as its file can be understood.

    Attributes:
        file: the site file as text with lines.
        site: None where too little of it can be used.
        problems: all that keeps it from being run, in the order of lines.
    """

    file: TomlFile
    site: SiteModel | None
    problems: tuple[Problem, ...]


def survey(path: Path, settings: Iterable[str] = ()) -> Survey:
    """Look a site file over, with the models beside it, and build what can be built.

    Args:
        settings: ``KEY=VALUE`` each, in place of what the file says.

    Raises:
        ConfigError: it cannot be read, or is not TOML; a setting leads nowhere.
    """
    file = TomlFile(path)
    override(file.raw, settings)
    examined = _examine(file)
    catalogue = catalogue_of(path)
    problems, site = list(examined.problems), None
    if examined.usable is not LOST:
        decoded = msgspec.convert(examined.usable, SiteFile)
        lost = {*examined.lost, *catalogue.lost}
        site, more = survey_site(decoded, catalogue.models, lost)
        problems += more
    placed = [replace(problem, line=file.line(problem.where)) for problem in problems]
    placed = sorted(dict.fromkeys(placed), key=lambda problem: problem.line)
    return Survey(file=file, site=site, problems=(*placed, *catalogue.problems))


def load_site_file(path: Path, settings: Iterable[str] = ()) -> SiteFile:
    """A site file as data, not yet resolved.

    Args:
        settings: as `survey`.

    Raises:
        ConfigError: not readable, not TOML, unknown keys, values out of range.
    """
    file = TomlFile(path)
    override(file.raw, settings)
    examined = _examine(file)
    if examined.problems:
        lines = [replace(problem, line=file.line(problem.where)) for problem in examined.problems]
        raise SiteProblems(path.name, lines)
    return msgspec.convert(examined.usable, SiteFile)


def load_site(path: Path, settings: Iterable[str] = ()) -> SiteModel:
    """The model of the site that a file describes, with the models beside it.

    Args:
        settings: as `survey`.

    Raises:
        ConfigError: as `load_site_file`, or names that do not resolve; all of it.
    """
    found = survey(path, settings)
    if found.problems or found.site is None:
        raise SiteProblems(path.name, found.problems)
    return found.site


def _examine(file: TomlFile) -> Examined:
    examined = examine(file.raw, SiteFile)
    zone = file.raw.get("timezone")
    if isinstance(zone, str):
        examined.problems += _check_timezone(zone)
    return examined


def _check_timezone(name: str) -> list[Problem]:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if name == "UTC":  # known to everybody, data or not
            return []
        return [Problem("timezone", f"no time zone {name!r}", _zone_hint(name), "wrong-value")]
    return []


def _zone_hint(name: str) -> str:
    """The zone of the most similar city; a whole name is similar for its continent alone."""
    known = available_timezones()
    if not known:
        return "this computer has no time zones: install tzdata"
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(known)}
    city = nearest(name.rpartition("/")[2], cities)
    near = city.removeprefix("did you mean '").removesuffix("'?")
    if city.startswith("did") and _similar(near, name.rpartition("/")[2]):
        return f"did you mean {cities[near]!r}?"
    return 'such as "Europe/Berlin" or "UTC", a city of the IANA list'


def _similar(one: str, other: str) -> bool:
    import difflib

    return difflib.SequenceMatcher(None, one, other).ratio() >= 0.75
