"""`mallee do ACTION`, `mallee requests`, `mallee undo`: operating a running site.

The commands are made from the table of actions: what an action needs without a default comes in
order, the rest by name.
"""

import inspect
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from mallee.actions import ACTIONS, Action
from mallee.cli.client import ask
from mallee.cli.inspect import Json
from mallee.cli.output import GREEN, GREY, RED, YELLOW, paint, power, table
from mallee.core.errors import ConfigError

_POWER = re.compile(r"^([+-]?[0-9.]+(?:e[+-]?[0-9]+)?) ?(W|kW|MW)?$", re.IGNORECASE)
_TIMES = {"w": 1.0, "kw": 1e3, "mw": 1e6}
_STATES = {"in force": GREEN, "refused": RED, "requested": YELLOW}

do = App(name="do", help="Do something to the running site; `mallee do ACTION --help` tells how.")


def parse_power(text: str, where: str) -> float:
    """Watts of a power as people write it: ``400kW``, ``1.2 MW``, ``400e3``.

    Raises:
        ConfigError: it is none.
    """
    match = _POWER.match(text.strip())
    try:
        number = float(match[1]) if match else float("nan")
    except ValueError:
        number = float("nan")
    if match is None or number != number:
        raise ConfigError(where, f"{text!r} is no power", "such as 400kW, 1.2MW or 400e3")
    return number * _TIMES[(match[2] or "W").lower()]


def _command(action: Action) -> Callable[..., int]:
    """The command of an action, with its form's fields as parameters."""
    fields = msgspec.structs.fields(action.form)
    in_order = [one for one in fields if one.required and one.encode_name != "reason"]

    def run(*words: Any, **asked: Any) -> int:
        given = unasked | asked
        given |= {one.name: word for one, word in zip(in_order, words, strict=True)}
        body = {}
        for one in fields:
            value = given[one.name]
            is_power = one.name.endswith("_w")
            body[one.encode_name] = parse_power(value, one.encode_name) if is_power else value
        path = f"/api/v1/actions/{action.name}" + ("?dry_run=1" if given["dry_run"] else "")
        return _print_done(ask(given["data"], path, body), as_json=given["json_"])

    kind = inspect.Parameter
    parameters = [
        kind(one.name, kind.POSITIONAL_ONLY, annotation=_hint(one)) for one in in_order
    ] + [
        kind(
            one.name,
            kind.KEYWORD_ONLY,
            default=kind.empty if one.required else one.default,
            annotation=_hint(one, f"--{one.encode_name}"),
        )
        for one in fields
        if one not in in_order
    ]
    dry_run = Annotated[bool, Parameter(negative="", help="try it on the twin instead")]
    data = Annotated[Path | None, Parameter(help="data folder of the site")]
    for name, default, hint in (
        ("dry_run", False, dry_run),
        ("data", None, data),
        ("json_", False, Json),
    ):
        parameters.append(kind(name, kind.KEYWORD_ONLY, default=default, annotation=hint))
    unasked = {one.name: one.default for one in parameters if one.default is not kind.empty}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__doc__ = f"{action.what} Needs the role {action.role}."
    return run


def _hint(field: msgspec.structs.FieldInfo, name: str | None = None) -> Any:
    metas = [one for one in getattr(field.type, "__metadata__", ()) if one.description]
    text = str(metas[-1].description) if metas else ""
    text += ", such as 400kW" if field.name.endswith("_w") else ""
    kind: Any = float if field.name.endswith("_degc") else str
    return Annotated[kind, Parameter(name=name, help=text, allow_leading_hyphen=True)]


for _action in ACTIONS.values():
    do.command(_command(_action), name=_action.name)


def requests(
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    data: Path | None = None,
    json_: Json = False,
) -> int:
    """Print what people and programs asked of the running site, and what became of it.

    `requested` until the devices' own readings show it, then `in force`; `refused` with the limit
    that stands against it, `expired`, `withdrawn`.

    Parameters
    ----------
    all_
        Also those that are over.
    data
        Data folder of the site; by default the one that runs below ./mallee-data.
    json_
        Print one JSON list, for programs.
    """
    found = ask(data, "/api/v1/requests")["requests"]
    if not all_:
        found = [row for row in found if row["state"] in ("requested", "in force")]
    if json_:
        print(json.dumps(found))
        return 0
    print(table([_row(row) for row in found], _HEADER) if found else "nothing is asked for")
    return 0


def undo(id_: str, /, *, reason: str, data: Path | None = None, json_: Json = False) -> int:
    """Withdraw a request; control lets go of it at once.

    Parameters
    ----------
    id_
        As `mallee requests` shows it.
    reason
        Why, for the audit.
    data
        Data folder of the site; by default the one that runs below ./mallee-data.
    json_
        Print one JSON object, for programs.
    """
    path = f"/api/v1/requests/{id_}/undo"
    return _print_done(ask(data, path, {"reason": reason}), as_json=json_)


_HEADER = ("id", "state", "what", "until", "by", "reason", "seen")


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    until = "-" if row["until_utc_s"] is None else _clock(row["until_utc_s"])
    state = paint(row["state"], _STATES.get(row["state"], GREY))
    return (row["id"], state, row["what"], until, row["actor"], row["reason"], row["text"])


def _clock(time_utc_s: float) -> str:
    return datetime.fromtimestamp(time_utc_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _print_done(done: dict[str, Any], *, as_json: bool) -> int:
    row, trial = done["request"], done["preview"]
    broken = ", ".join(trial["breaks"]) if trial is not None else ""
    if as_json:
        print(json.dumps(done))
        return 1 if broken else 0
    if row is not None:
        print(table([_row(row)], _HEADER))
        return 0
    print(f"tried for {trial['trial_s']} s from {trial['start']}; nothing was done to the site")
    pairs = [(key, trial["without"][key], trial["with_it"][key]) for key in trial["without"]]
    rows = [(key, _number(key, a), _number(key, b), _limit(key, trial)) for key, a, b in pairs]
    print(table(rows, ("", "without", "with it", "limit")))
    print(paint(f"breaks: {broken}", RED) if broken else "breaks no limit")
    return 1 if broken else 0


def _number(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    return power(value) if key.endswith("_w") else f"{value:.3g}"


def _limit(key: str, trial: dict[str, Any]) -> str:
    name = {"import_max_w": "limit_w", "soc_min": "soc_floor", "die_max_degc": "throttle_degc"}
    return _number(key, trial[name[key]]) if key in name else ""
