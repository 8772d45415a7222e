"""Every kind of event: how much it matters, its sentence, what to do about it, and what ends it.

One row a kind. Whoever tells of something names its kind and the words of its sentence; the rest
stands here, and `docs/events.md` is made from it. A new kind of event is a new row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mallee.core.event import Event, Severity

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One kind of event.

    Attributes:
        name: stable name.
        severity: how much it matters.
        sentence: what it says; words in braces are given with the event, ``source`` always.
        response: what a person should do; empty where there is nothing to do.
        ended_by: kind that says of the same source that it is over; empty where nothing does,
            because it is over when it is told, or because nobody can observe its end.
    """

    name: str
    severity: Severity
    sentence: str
    response: str = ""
    ended_by: str = ""


_ROWS: Final = (
    # What control decides
    EventKind(
        name="safe-state",
        severity=CRITICAL,
        sentence="{why}",
        response=(
            "Find out why the grid meter cannot be read or contradicts the devices: its address, "
            "its wiring, the current transformers' direction and ratio. Chargers and nodes stay "
            "at their safe shares until it is back."
        ),
        ended_by="safe-state-ended",
    ),
    EventKind(
        name="safe-state-ended",
        severity=INFO,
        sentence="The grid meter is back; control acts again.",
    ),
    EventKind(
        name="meter-degraded",
        severity=WARNING,
        sentence="{why}",
        response=(
            "Find out why the meter cannot be read or contradicts the devices: its address, its "
            "wiring, the current transformers' direction and ratio. Control goes on with what the "
            "devices say and keeps a wider margin."
        ),
        ended_by="meter-restored",
    ),
    EventKind(
        name="meter-restored",
        severity=INFO,
        sentence="The meter is gone by again.",
    ),
    EventKind(
        name="flow-lost",
        severity=CRITICAL,
        sentence="{source} has lost its coolant flow; the nodes that it cools are held down.",
        response=(
            "Look at the CDU: its pumps, its power, its valves and for leaks. Nodes come back by "
            "themselves when it flows again; accelerators that shut down must be restarted."
        ),
        ended_by="flow-restored",
    ),
    EventKind(name="flow-restored", severity=INFO, sentence="{source} flows again."),
    EventKind(
        name="load-unknown",
        severity=WARNING,
        sentence=(
            "{unknown_kw} kW flow through {source} that no device of the site file accounts for; "
            "they count as a load that cannot be steered."
        ),
        response=(
            "Find out what it is: a load that the site file does not name, a device that reads too "
            "low, or a meter with a wrong ratio."
        ),
        ended_by="load-known",
    ),
    EventKind(name="load-known", severity=INFO, sentence="Flow through {source} is explained."),
    EventKind(
        name="battery-not-following",
        severity=CRITICAL,
        sentence=(
            "{source} gives {given_kw} kW although it says that it can give {said_kw} kW and "
            "import stands above its limit; control counts on no more than it delivers."
        ),
        response=(
            "Look at the battery's own alarms, its mode and its breaker. It is tried again with a "
            "little power from time to time and counted on again as far as it delivers."
        ),
        ended_by="battery-following",
    ),
    EventKind(name="battery-following", severity=INFO, sentence="{source} delivers again."),
    EventKind(
        name="import-over-limit",
        severity=CRITICAL,
        sentence="Import {import_kw:.0f} kW is above the limit of {limit_kw:.0f} kW.",
        response=(
            "Look at what draws more than it was told to (`mallee status`), and shed it by hand "
            "if the excess stays for more than a few seconds: a protection device may open."
        ),
        ended_by="import-within-limit",
    ),
    EventKind(
        name="import-within-limit",
        severity=INFO,
        sentence="Import is back within its limit.",
    ),
    EventKind(
        name="nodes-capped",
        severity=WARNING,
        sentence="{why}",
        response=(
            "Nothing is broken. Free power if the work matters more: end charging sessions, wait "
            "for the battery to recover, or ask for a higher import limit."
        ),
        ended_by="nodes-released",
    ),
    EventKind(name="nodes-released", severity=INFO, sentence="Node caps are released."),
    EventKind(name="charge-recovery", severity=INFO, sentence="{why}", ended_by="charge-recovered"),
    EventKind(
        name="charge-recovered",
        severity=INFO,
        sentence="The state of charge is back at its target.",
    ),
    EventKind(
        name="filter-overridden",
        severity=CRITICAL,
        sentence="{why}",
        response=(
            "The battery's own ramp filter let import stand above the limit: check its settings "
            "and the current transformer it watches. Control holds the limit, not the ripple."
        ),
        ended_by="filter-restored",
    ),
    EventKind(
        name="filter-restored",
        severity=INFO,
        sentence="The inverters' own ramp filters work again.",
    ),
    EventKind(
        name="battery-unseen",
        severity=WARNING,
        sentence="{source} cannot be seen; control no longer counts on it.",
        response=(
            "Check the battery's communication. It goes on with its last settings; chargers and "
            "nodes are held to what the grid alone can give."
        ),
        ended_by="battery-seen",
    ),
    EventKind(name="battery-seen", severity=INFO, sentence="{source} is seen again."),
    EventKind(
        name="request-in-force",
        severity=INFO,
        sentence="{actor} asks for {what}: {reason}",
        ended_by="request-over",
    ),
    EventKind(
        name="request-over",
        severity=INFO,
        sentence="The request {source} is withdrawn or its time is over.",
    ),
    EventKind(
        name="request-refused",
        severity=WARNING,
        sentence="{actor} asks for {what} ({reason}); control cannot follow: {why_not}.",
        response="File a request whose subject and bounds this site can follow.",
    ),
    EventKind(
        name="command-clipped",
        severity=WARNING,
        sentence="{count} value(s) out of range: {why}",
        response="A rule of control asked for what the device cannot do. Report it with the log.",
    ),
    EventKind(
        name="control-failed",
        severity=CRITICAL,
        sentence="Control cycle {cycle} failed ({error}); safe state.",
        response=(
            "The devices hold safe values and control starts afresh by itself. Report it with "
            "`logs/control.log`; if it comes again, stop the site's flexible loads by hand."
        ),
    ),
    EventKind(
        name="cycle-missed",
        severity=WARNING,
        sentence="Control was late: {missed} cycle(s) of {period_s:g} s left out.",
        response="The computer is too busy or was suspended: take other work off it.",
    ),
    # Devices and commands
    EventKind(
        name="device-lost",
        severity=WARNING,
        sentence="{source}: {why}",
        response=(
            "Check the device's power, network and login. Its points are marked stale and control "
            "assumes the worst of it."
        ),
        ended_by="device-back",
    ),
    EventKind(name="device-back", severity=INFO, sentence="{source}: {why}"),
    EventKind(
        name="device-remark",
        severity=WARNING,
        sentence="{source} ({protocol}): {what}",
        response="Something about the device is not as its model says; see docs/devices.",
    ),
    EventKind(
        name="device-mistaken",
        severity=WARNING,
        sentence="{source}: another device answers at its address over {protocol}: {found}; {why}",
        response=(
            "Compare the address in the site file, the cabling and the unit id with the device. "
            "Until the right one answers its readings do not count and nothing is written to it."
        ),
        ended_by="device-recognised",
    ),
    EventKind(
        name="device-recognised",
        severity=INFO,
        sentence="{source}: the right device answers again over {protocol}: {found}.",
    ),
    EventKind(
        name="devices-lost",
        severity=WARNING,
        sentence="{count} devices stopped answering, among them {first}: {why}",
        response="So many rarely break one by one: check what they share, a switch first.",
        ended_by="devices-back",
    ),
    EventKind(
        name="devices-back",
        severity=INFO,
        sentence="{count} devices answer again, among them {first}: {why}",
    ),
    EventKind(
        name="reading-implausible",
        severity=WARNING,
        sentence="{source}: {point} reads {value:g}, possible are {low:g}..{high:g}",
        response=(
            "Check the sensor, and the unit and address of the point in the device's model. The "
            "reading is left out until it is possible again."
        ),
    ),
    EventKind(
        name="command-rejected",
        severity=WARNING,
        sentence="{why}",
        response=(
            "The device declined a write: look at its mode (local, locked, faulted) and the rights "
            "of the login."
        ),
    ),
    EventKind(
        name="command-lost",
        severity=WARNING,
        sentence="{source}: {point} = {value:g} {why}",
        response=(
            "The device does not do what it was told: look for another system that writes to it, "
            "or a local limit that overrules the value."
        ),
    ),
    # Processes of this software
    EventKind(
        name="process-hung",
        severity=CRITICAL,
        sentence="{source} gave no sign of life for {silent_s:.1f} s and was killed.",
        response="It is started again by itself. If it comes again, report it with its log.",
    ),
    EventKind(
        name="process-died",
        severity=WARNING,
        sentence="{source} ended ({how}) and is started again {then}.",
        response="Nothing, once. If it comes again, look into its log and report it.",
    ),
    EventKind(
        name="history-stopped",
        severity=CRITICAL,
        sentence="History is not written: {why}",
        response="Make room on the disk of the data folder, or find out why it fails.",
        ended_by="history-written",
    ),
    EventKind(name="history-written", severity=INFO, sentence="History is written again."),
    EventKind(
        name="disk-filling",
        severity=WARNING,
        sentence="The disk of the data folder has {free_gb:.1f} GB left, {free_percent:.0f} %.",
        response="Make room, or keep less history; when it is full history stops.",
        ended_by="disk-roomy",
    ),
    EventKind(name="disk-roomy", severity=INFO, sentence="The disk has room again."),
    EventKind(
        name="notification-failed",
        severity=WARNING,
        sentence="{why}",
        response="Check the receivers in `notify.toml`, their logins, and the way out.",
        ended_by="notification-works",
    ),
    EventKind(name="notification-works", severity=INFO, sentence="All receivers are reached."),
    EventKind(
        name="clock-stepped",
        severity=WARNING,
        sentence="The computer's clock was set by {step_s:+.1f} s.",
        response="Check the computer's time service; history before and after do not fit in time.",
    ),
    # The physics of a simulated site
    EventKind(
        name="fault",
        severity=INFO,
        sentence="{what}",
        response="An exercise: the fault plan of this run made or mended something.",
    ),
    EventKind(
        name="breaker-trip",
        severity=CRITICAL,
        sentence="{source} {why}.",
        response="Find what overloaded it or the fault behind it before it is closed again.",
        ended_by="breaker-closed",
    ),
    EventKind(
        name="breaker-opened",
        severity=WARNING,
        sentence="{source} was opened{why}.",
        response="Find out who opened it, and why, before it is closed again.",
        ended_by="breaker-closed",
    ),
    EventKind(name="breaker-closed", severity=INFO, sentence="{source} is closed again."),
    EventKind(
        name="late-write-rejected",
        severity=INFO,
        sentence="{why}",
        response="A simulated device declined a command that a fault had delayed.",
    ),
)

EVENT_KINDS: Final[Mapping[str, EventKind]] = {kind.name: kind for kind in _ROWS}
"""Every kind of event by name."""


def new_event(
    kind: str,
    time_s: float,
    source: str,
    numbers: Mapping[str, float] | None = None,
    /,
    **words: object,
) -> Event:
    """An event of a known kind, its sentence filled in.

    Args:
        kind: name of a row of `EVENT_KINDS`.
        time_s: monotonic time at which it was seen.
        source: the device, branch or concern it is about.
        numbers: kept beside the text, for programs.
        words: what the kind's sentence needs.

    Raises:
        KeyError: no such kind, or a word of its sentence is missing: a programming error.
    """
    row = EVENT_KINDS[kind]
    return Event(
        time_s=time_s,
        kind=kind,
        source=source,
        text=row.sentence.format(source=source, **words),
        severity=row.severity,
        numbers=dict(numbers or {}),
    )


def describe_event_kinds(kinds: Mapping[str, EventKind] = EVENT_KINDS) -> str:
    """All kinds as a Markdown table: name, severity, sentence, what to do, what ends it."""
    lines = [
        "| kind | severity | says | what to do | ended by |",
        "|---|---|---|---|---|",
    ]
    for kind in kinds.values():
        ended_by = f"`{kind.ended_by}`" if kind.ended_by else ""
        lines.append(
            f"| `{kind.name}` | {kind.severity.name.lower()} | {kind.sentence} "
            f"| {kind.response} | {ended_by} |"
        )
    return "\n".join(lines) + "\n"
