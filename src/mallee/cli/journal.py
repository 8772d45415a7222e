"""Commands that read what was told and done: `events` and `audit`."""

import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter, validators

from mallee.cli.inspect import data_folder
from mallee.cli.output import RED, YELLOW, paint, table
from mallee.core.duration import parse_duration
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.history import StoredEvent, StoredWrite

Json = Annotated[bool, Parameter(name="--json", negative="")]
Count = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Level = Literal["info", "warning", "critical"]


def events(
    *,
    last: str = "24h",
    severity: Level = "info",
    kind: str = "*",
    count: Count = 200,
    data: Path | None = None,
    json_: Json = False,
) -> int:
    """Print what happened, newest first: events of control, devices and processes.

    Works while the site runs and after it stopped. Times are UTC; `docs/events.md` says of every
    kind what to do about it.

    Parameters
    ----------
    last
        How far back from now, such as 90s, 10m, 2h, 7d.
    severity
        Leave out what matters less.
    kind
        Only this kind, such as device-lost; `*` stands for any letters.
    count
        No more events than this.
    data
        Data folder of the site.
    json_
        Print one JSON list, for programs.
    """
    from mallee.core.event import Severity
    from mallee.history import EventStore

    path, start_s = _store(data, "events.sqlite", last)
    with EventStore(path, read_only=True) as store:
        found = store.list(
            start_s, kind=kind, severity_min=Severity[severity.upper()], count_max=count
        )
    if json_:
        print(json.dumps([_event_object(event) for event in found]))
        return 0
    styles = {Severity.WARNING: YELLOW, Severity.CRITICAL: RED}
    print(
        table(
            [
                (
                    _clock(event.time_utc_s),
                    event.severity.name.lower(),
                    event.kind,
                    event.source,
                    paint(event.text, styles[event.severity])
                    if event.severity in styles
                    else event.text,
                )
                for event in found
            ],
            ("time", "severity", "kind", "source", "text"),
        )
    )
    return 0


def audit(
    path: str = "*",
    /,
    *,
    last: str = "24h",
    actor: str = "*",
    count: Count = 200,
    verify: bool = False,
    data: Path | None = None,
    json_: Json = False,
) -> int:
    """Print what was commanded, by whom, why, and what came of it, newest first.

    Renewals of a value that stands are left out. Works while the site runs and after it stopped.

    ```console
    mallee audit 'pod1/r1/*/cap_w' --last 2h
    mallee audit verify
    ```

    Parameters
    ----------
    path
        Point that was written; `*` stands for any letters. The word `verify` does as --verify.
    last
        How far back from now, such as 90s, 10m, 2h, 7d.
    actor
        Only what this one asked for, `control` for what control decided by itself.
    count
        No more rows than this.
    verify
        Check instead that nothing was changed or removed since it was written.
    data
        Data folder of the site.
    json_
        Print one JSON list, for programs.
    """
    from mallee.history import AuditStore

    file, start_s = _store(data, "audit.sqlite", last)
    with AuditStore(file, read_only=True) as store:
        if verify or path == "verify":
            return _print_verdict(file, store.verify(), as_json=json_)
        found = store.list(start_s, path=path, actor=actor, count_max=count)
    if json_:
        print(json.dumps(msgspec.to_builtins(found)))
        return 0
    print(table([_audit_row(write) for write in found], _AUDIT_HEADER))
    return 0


_AUDIT_HEADER = ("time", "point", "value", "actor", "outcome", "reads", "reason")


def _audit_row(write: "StoredWrite") -> tuple[str, ...]:
    bad = write.outcome in ("rejected", "lost")
    return (
        _clock(write.time_utc_s),
        write.path,
        f"{write.value:.6g}",
        write.actor,
        paint(write.outcome, YELLOW) if bad else write.outcome,
        "-" if write.reading is None else f"{write.reading:.6g}",
        write.reason,
    )


def _print_verdict(file: Path, broken: tuple[str, int] | None, *, as_json: bool) -> int:
    if as_json:
        answer = None if broken is None else {"table": broken[0], "number": broken[1]}
        print(json.dumps({"ok": broken is None, "first_broken": answer}))
    elif broken is None:
        print(f"{file}: whole")
    else:
        print(f"{file}: {broken[0]} {broken[1]} is not as it was written")
    return 0 if broken is None else 1


def _store(data: Path | None, name: str, last: str) -> tuple[Path, float]:
    """The database asked for, and the time from which on it is to be read."""
    path = data_folder(data).history / name
    duration_s = parse_duration(last, "--last")
    if not path.exists():
        raise ConfigError(str(path), "does not exist yet", "start the site with `mallee up`")
    return path, time.time() - duration_s


def _event_object(event: "StoredEvent") -> dict[str, object]:
    numbers = {key: value if math.isfinite(value) else None for key, value in event.numbers.items()}
    fields: dict[str, object] = msgspec.to_builtins(event)
    return {**fields, "severity": event.severity.name.lower(), "numbers": numbers}


def _clock(time_utc_s: float) -> str:
    return datetime.fromtimestamp(time_utc_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
