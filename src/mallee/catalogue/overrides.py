"""``KEY=VALUE`` on the command line in place of a key of a file, for studies.

A key is the path that error messages show: ``grid.import_max_w``, ``battery.bess1.model``,
``pod.pod1.rack.0.nodes.count``. A member of a list is called by its name or by its place, counted
from 0. A value is TOML; what is no TOML is taken as a text, so that names need no quotes.
"""

import tomllib
from collections.abc import Iterable
from typing import Any

from mallee.core.errors import ConfigError
from mallee.site.problems import nearest


def override(raw: dict[str, Any], settings: Iterable[str]) -> None:
    """Change a decoded file in place; whether the result is right is for its schema to say.

    Args:
        raw: the file's tables.
        settings: ``KEY=VALUE`` each, applied in order.

    Raises:
        ConfigError: no ``=``, or a path that leads nowhere.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        where = f"--set {setting}"
        steps = [step.strip() for step in key.split(".")]
        if not equals or not all(steps):
            raise ConfigError(where, "is no KEY=VALUE", "such as grid.import_max_w=500e3")
        _put(raw, steps, _value(text.strip()), where)


def _put(place: Any, steps: list[str], value: Any, where: str) -> None:
    if isinstance(place, list):
        number, rest = _member(place, steps, where)
        if rest:
            _put(place[number], rest, value, where)
        else:
            place[number] = value
    elif not isinstance(place, dict):
        kind = "text" if isinstance(place, str) else "number"
        raise ConfigError(where, f"there is no {steps[0]!r} below a {kind}")
    elif len(steps) > 1:
        _put(place.setdefault(steps[0], {}), steps[1:], value, where)
    else:
        place[steps[0]] = value


def _member(place: list[Any], steps: list[str], where: str) -> tuple[int, list[str]]:
    """Place in a list that the next steps name, and the steps that are left.

    Names may hold dots, so the longest run of steps that is a name counts.
    """
    names = [item.get("name") if isinstance(item, dict) else None for item in place]
    for length in range(len(steps), 0, -1):
        name = ".".join(steps[:length])
        if name in names:
            return names.index(name), steps[length:]
    if steps[0].isdigit() and int(steps[0]) < len(place):
        return int(steps[0]), steps[1:]
    known = [name for name in names if name]
    hint = nearest(steps[0], known) if known else f"count from 0 to {len(place) - 1}"
    raise ConfigError(where, f"there is no {steps[0]!r} here", hint)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
