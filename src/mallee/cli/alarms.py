"""`mallee alarms`: what stands at the running site, and what a person does about it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter, validators

from mallee.cli.inspect import running
from mallee.cli.output import BOLD, GREY, RED, YELLOW, paint, table
from mallee.core.duration import parse_duration
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.console.client import Client

alarms = App(name="alarms", help="List, acknowledge and shelve alarms of the running site.")

Json = Annotated[bool, Parameter(name="--json", negative="")]
Show = Literal["open", "sounding", "explained", "shelved", "out", "all"]
Hours = Annotated[int, Parameter(validator=validators.Number(gte=1))]
STYLES = {1: RED, 2: YELLOW, 3: ""}


@alarms.command(name="list")
def list_alarms(
    *,
    show: Show = "open",
    place: str = "",
    count: int = 200,
    data: Path | None = None,
    json_: Json = False,
) -> int:
    """List alarms: unseen before seen, then by priority, then the oldest first.

    Parameters
    ----------
    show
        open: what stands and nothing hides; sounding: what nobody has seen; explained: what
        another alarm explains; shelved; out: out of service; all.
    place
        Only alarms about this device, rack, pod or branch and what hangs on it.
    count
        No more than this.
    data
        Data folder of the site.
    json_
        Print one JSON object, for programs.
    """
    query = {"place": place} if place else {}
    found = _client(data).get("alarms", show=show, count=count, **query)
    if json_:
        print(json.dumps(found))
        return 0
    summary = found["summary"]
    if summary["first"]:
        print(paint(f"First out: {summary['first']}  {summary['first_text']}", BOLD))
    if summary["flood"]:
        print(paint("Alarm flood: more comes than a person can follow.", RED))
    print(table([_line(one) for one in found["alarms"]], _HEADER))
    hidden = [f"{summary[k]} {k}" for k in ("explained", "shelved", "out") if summary[k]]
    print(paint(f"{found['more']} more; hidden: {', '.join(hidden) or 'none'}", GREY))
    return 0


@alarms.command
def ack(*alarm: str, by: str = "", data: Path | None = None) -> int:
    """Say that alarms have been seen.

    ```console
    mallee alarms ack rack-dark@pod1/r1 'node-silent@pod1/*'
    ```

    Parameters
    ----------
    alarm
        KIND@PLACE as the list shows it; `*` stands for any letters.
    by
        Who does it; the user of this terminal if left out.
    data
        Data folder of the site.
    """
    return _act("acknowledge", alarm, by, data)


@alarms.command
def reset(*alarm: str, by: str = "", data: Path | None = None) -> int:
    """Let go of latched alarms (a leak, an open breaker) that are over and have been seen.

    Parameters
    ----------
    alarm
        KIND@PLACE; `*` stands for any letters.
    by
        Who does it.
    data
        Data folder of the site.
    """
    return _act("reset", alarm, by, data)


@alarms.command
def shelve(
    *alarm: str,
    why: str,
    last: Annotated[str, Parameter(name="--for")] = "",
    by: str = "",
    data: Path | None = None,
) -> int:
    """Hide alarms for a while, at most 24 h; they come back by themselves.

    Parameters
    ----------
    alarm
        KIND@PLACE; `*` stands for any letters.
    why
        The reason; it is shown wherever they are missed.
    last
        How long, such as 30m or 8h; until the condition is over if left out.
    by
        Who does it.
    data
        Data folder of the site.
    """
    for_s = parse_duration(last, "--for") if last else None
    return _act("shelve", alarm, by, data, reason=why, for_s=for_s)


@alarms.command
def unshelve(*alarm: str, by: str = "", data: Path | None = None) -> int:
    """Show shelved alarms again.

    Parameters
    ----------
    alarm
        KIND@PLACE; `*` stands for any letters.
    by
        Who does it.
    data
        Data folder of the site.
    """
    return _act("unshelve", alarm, by, data)


@alarms.command
def out(place: str, /, *, why: str, by: str = "", data: Path | None = None) -> int:
    """Take all alarms of a place out of service, for maintenance, until they are put back.

    Parameters
    ----------
    place
        A device, rack or pod with all that is in it; a branch with all that only it feeds.
    why
        The reason.
    by
        Who does it.
    data
        Data folder of the site.
    """
    return _act("take out", (), by, data, place=place, reason=why)


@alarms.command(name="in")
def put_in(place: str, /, *, by: str = "", data: Path | None = None) -> int:
    """Put all alarms of a place back into service.

    Parameters
    ----------
    place
        As for `out`.
    by
        Who does it.
    data
        Data folder of the site.
    """
    return _act("put back", (), by, data, place=place)


@alarms.command
def note(alarm: str, text: str, /, *, by: str = "", data: Path | None = None) -> int:
    """Write something about an alarm for the next shift.

    Parameters
    ----------
    alarm
        KIND@PLACE.
    text
        What is to be known.
    by
        Who writes it.
    data
        Data folder of the site.
    """
    _client(data, by).act("note", [alarm], reason=text)
    return 0


@alarms.command
def kpi(*, hours: Hours = 24, data: Path | None = None, json_: Json = False) -> int:
    """Show how well the alarms serve their people: rate, floods, chatter, time to acknowledge.

    Parameters
    ----------
    hours
        How far back from now.
    data
        Data folder of the site.
    json_
        Print one JSON object, for programs.
    """
    found = _client(data).get("alarms/kpi", hours=hours)
    if json_:
        print(json.dumps(found))
        return 0
    shares = ", ".join(f"{p}: {100.0 * s:.0f} %" for p, s in found["priorities"].items())
    print(
        table(
            [
                ("annunciated", str(found["annunciated"]), "each needs a person"),
                ("in ten minutes", f"{found['per_10min']:.2f}", "at most 1 (EEMUA 191)"),
                ("time in floods", f"{100.0 * found['flood_frac']:.1f} %", "below 1 %"),
                ("ten busiest", f"{100.0 * found['top_frac']:.0f} %", "of all"),
                ("by priority", shares or "-", "5, 15 and 80 % are meant"),
                ("time to acknowledge", _seconds(found["ack_p50_s"]), "median"),
                ("", _seconds(found["ack_p95_s"]), "19 of 20 within"),
                ("chattering", ", ".join(found["chattering"]) or "none", ""),
                ("standing over a day", ", ".join(found["stale"]) or "none", ""),
            ],
            (f"last {hours} h", "", ""),
        )
    )
    return 0


_HEADER = ("since", "", "alarm", "state", "says", "explains", "do")


def _line(one: dict[str, Any]) -> tuple[str, ...]:
    hidden = one["hidden"]
    if one["hidden_until_utc_s"] is not None:
        hidden += f" until {_clock(one['hidden_until_utc_s'])}"
    if one["hidden_why"] is not None:
        hidden += f" by {one['hidden_why']['actor']}: {one['hidden_why']['text']}"
    if one["cause"]:
        hidden += f" by {one['cause']}"
    says = f"{one['text']} ({hidden})" if hidden else one["text"]
    return (
        "-" if one["raised_utc_s"] is None else _clock(one["raised_utc_s"]),
        paint(str(one["priority"]), STYLES[one["priority"]]),
        one["id"],
        one["state"],
        says,
        str(one["explains"] or ""),
        one["response"],
    )


def _act(
    what: str,
    alarm: tuple[str, ...],
    by: str,
    data: Path | None,
    *,
    place: str = "",
    reason: str = "",
    for_s: float | None = None,
) -> int:
    if not alarm and not place:
        raise ConfigError("alarms", "names none", "such as: mallee alarms ack rack-dark@pod1/r1")
    changed = _client(data, by).act(what, alarm, place=place, reason=reason, for_s=for_s)
    for one in changed:
        print(one)
    if not changed:
        print("nothing to change: they are so already")
    return 0


def _client(data: Path | None, by: str = "") -> "Client":
    from mallee.console.access.door import local_token
    from mallee.console.client import Client

    folder, run, _, _ = running(data)
    try:
        token = local_token(folder)
    except OSError:
        token = ""  # not ours: what may be done without is done
    return Client(run.url, by, token)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"


def _clock(time_utc_s: float) -> str:
    return datetime.fromtimestamp(time_utc_s, UTC).strftime("%m-%d %H:%M:%S")
