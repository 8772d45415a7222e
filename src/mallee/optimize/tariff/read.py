"""Reads a tariff file and says what does not fit."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from mallee.catalogue.mistakes import examine
from mallee.catalogue.toml_file import TomlFile
from mallee.core.errors import ConfigError
from mallee.optimize.tariff.file import TariffFile
from mallee.site.problems import SiteProblems, nearest


def load_tariff(path: Path) -> TariffFile:
    """A tariff from its TOML file.

    Raises:
        ConfigError: not readable, an unknown key, a value out of range, two rows of one name.
    """
    file = TomlFile(path)
    examined = examine(file.raw, TariffFile)
    if examined.problems:
        lines = [replace(problem, line=file.line(problem.where)) for problem in examined.problems]
        raise SiteProblems(path.name, lines)
    tariff = msgspec.convert(examined.usable, TariffFile)
    _check_timezone(tariff.timezone, path.name)
    for table, rows in (
        ("energy", tariff.energy),
        ("export", tariff.export),
        ("demand", tariff.demand),
    ):
        names = [row.name for row in rows]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(
                f"{path.name}: {table}",
                f"has two rows named {twice[0]!r}",
                "give each row a name of its own: bills show it",
            )
    if not tariff.energy:
        raise ConfigError(
            f"{path.name}: energy",
            "has no rows, so energy would cost nothing",
            "write at least one [[energy]] row with usd_per_mwh or a market",
        )
    return tariff


def _check_timezone(name: str, source: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        if name != "UTC":
            hint = nearest(name, available_timezones())
            raise ConfigError(f"{source}: timezone", f"no time zone {name!r}", hint) from None
