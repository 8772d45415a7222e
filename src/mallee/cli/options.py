"""What several commands take: their types, and checks that come before any work is done."""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from mallee.core.errors import ConfigError
from mallee.site.problems import nearest

Seed = Annotated[int, Parameter(validator=validators.Number(gte=0, lt=2**63))]
Port = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))]


def check_scale(scale_to_w: float, has_trace: bool) -> None:
    """See that --scale-to can be obeyed; 0 means that it was not given.

    Raises:
        ConfigError: it is no power, or there is no trace to scale.
    """
    if scale_to_w < 0.0:
        raise ConfigError("--scale-to", f"{scale_to_w} is negative", "give watts above zero")
    if not math.isfinite(scale_to_w):
        raise ConfigError("--scale-to", f"{scale_to_w} is no power", "give watts, such as 264e3")
    if scale_to_w > 0.0 and not has_trace:
        raise ConfigError("--scale-to", "there is no trace to scale", "name one with --trace")


def check_writable(option: str, path: Path | None) -> None:
    """See that a file can be written before the work for it is done.

    Raises:
        ConfigError: it is a folder, or its folder does not exist or cannot be written to.
    """
    if path is None:
        return
    where, folder = f"{option} {path}", path.absolute().parent
    if path.is_dir():
        raise ConfigError(where, "is a folder", "name a file")
    if not folder.is_dir():
        raise ConfigError(where, f"there is no folder {folder}", "make it first")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise ConfigError(where, "cannot be written", "choose a place that is yours")


def check_choice(option: str, word: str, known: Iterable[str]) -> None:
    """See that a word is one of those that there are.

    Raises:
        ConfigError: it is not; names the nearest.
    """
    if word not in known:
        raise ConfigError(option, f"there is no {word!r}", nearest(word, known))
