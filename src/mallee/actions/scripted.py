"""Actions from a file: who asks for what, when, in a simulated run.

[[action]]
do = "cap"
where = "pod1/r1"
limit_w = 60e3
at = "2m"
for = "5m"
by = "anna"
reason = "work behind rack 1"
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mallee.actions.forms import Leased
from mallee.actions.table import ACTIONS, Action
from mallee.core.duration import parse_duration
from mallee.core.errors import ConfigError
from mallee.core.request import Origin, Request
from mallee.site.problems import nearest

_OWN = ("do", "at", "by", "origin")


def load_actions(path: Path) -> tuple[Request, ...]:
    """The requests of a file, in its order; times count from the start of the run.

    Raises:
        ConfigError: no such file, not TOML, or an action that there is not or that lacks something.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from None
    if list(document) != ["action"] or not isinstance(document["action"], list):
        raise ConfigError(str(path), "holds no [[action]]", "and nothing else belongs there")
    return tuple(
        request
        for number, entry in enumerate(document["action"])
        if (request := _request(entry, number, f"{path.name}: action[{number}]")) is not None
    )


def _request(entry: Mapping[str, Any], number: int, where: str) -> Request | None:
    name = str(entry.get("do", ""))
    if name not in ACTIONS:
        raise ConfigError(f"{where}.do", f"there is no action {name!r}", nearest(name, ACTIONS))
    action = ACTIONS[name]
    fields = {key: value for key, value in entry.items() if key not in _OWN}
    from_s = parse_duration(entry["at"], f"{where}.at") if entry.get("at", "0s") != "0s" else 0.0
    return request_of(
        action,
        read_form(action, fields, where),
        id_=str(number + 1),
        actor=str(entry.get("by", "operator")),
        origin=entry.get("origin", "person"),
        from_s=from_s,
    )


def read_form(action: Action, fields: Mapping[str, Any], where: str) -> Any:
    """An action's form from what was given.

    Raises:
        ConfigError: something is missing, unknown or out of its range.
    """
    try:
        return msgspec.convert(fields, action.form, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(where, str(error).replace("`$.", "`"), action.what) from None


def request_of(
    action: Action, form: Any, *, id_: str, actor: str, origin: Origin, from_s: float
) -> Request | None:
    """What an action asks of control from a time on; None where it asks nothing."""
    asked = action.asks(form)
    if asked is None or not isinstance(form, Leased):
        return None
    return Request(
        id=id_,
        origin=origin,
        actor=actor,
        reason=form.reason,
        ask=asked.ask,
        subject=asked.subject,
        low=asked.low,
        high=asked.high,
        from_s=from_s,
        until_s=from_s + parse_duration(form.for_, "for"),
    )
