"""`mallee response`: what an event of the grid asks for, before anybody acts on it."""

import datetime as dt
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from mallee.cli.output import power, table
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.optimize.response.event import GridEvent


def response(
    event: Path,
    /,
    *,
    baseline_w: float = 0.0,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Read an event of the grid and say what it asks for, when, and how much that is here.

    ```console
    mallee response event.json --baseline-w 900e3
    ```

    Parameters
    ----------
    event
        OpenADR 3.1 (JSON), OpenADR 2.0b (XML) or an NVIDIA DSX Flex load target (JSON).
    baseline_w
        What the site would draw; relative targets are fractions of it.
    json_
        Print one JSON object.
    """
    found, notes = _read(event)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if json_:
        print(json.dumps({"events": [_as_json(one) for one in found], "notes": notes}))
        return 0
    for one in found:
        test = ", a test: nobody acts on it" if one.is_test else ""
        order = "no priority" if one.priority == float("inf") else f"priority {one.priority:g}"
        print(f"{one.source} {one.id}: {one.reason} ({order}{test})")
        rows = [
            (_clock(t.from_utc_s), _clock(t.until_utc_s), _asked(t.kind, t.value, baseline_w))
            for t in one.targets
        ]
        print(table(rows, header=("from", "until", "import at most")))
    return 0


def _read(path: Path) -> "tuple[list[GridEvent], list[str]]":
    from mallee.optimize.response.dsx import SET_TYPE, from_load_target
    from mallee.optimize.response.openadr2 import from_openadr2
    from mallee.optimize.response.openadr3 import from_openadr3

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    now_utc_s = time.time()
    if raw.lstrip().startswith(b"<"):
        return from_openadr2(raw)
    if SET_TYPE.encode() in raw:
        return from_load_target(raw, now_utc_s=now_utc_s), []
    return from_openadr3(raw, now_utc_s=now_utc_s)


def _asked(kind: str, value: float, baseline_w: float) -> str:
    if value == float("inf"):
        return "nothing"
    if kind == "absolute":
        return power(value)
    if kind == "reduction":
        here = f" = {power(baseline_w - value)}" if baseline_w else ""
        return f"{power(value)} below the baseline{here}"
    here = f" = {power(baseline_w * value)}" if baseline_w else ""
    return f"{value:.0%} of the baseline{here}"


def _clock(utc_s: float) -> str:
    if abs(utc_s) > 1e11:
        return "further notice"
    return dt.datetime.fromtimestamp(utc_s, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _as_json(event: "GridEvent") -> dict[str, object]:
    return {
        "id": event.id,
        "source": event.source,
        "reason": event.reason,
        "priority": None if event.priority == float("inf") else event.priority,
        "test": event.is_test,
        "feeds": list(event.feeds),
        "targets": [
            {
                "from_utc_s": t.from_utc_s,
                "until_utc_s": t.until_utc_s if t.until_utc_s < 1e11 else None,
                "kind": t.kind,
                "value": None if t.value == float("inf") else t.value,
            }
            for t in event.targets
        ],
    }
