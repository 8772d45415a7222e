"""What `simulate` says of a run: verdict, figures, events; for people and for programs."""

import math
from typing import TYPE_CHECKING, Any

from mallee.cli.output import BOLD, RED, paint, table
from mallee.core.event import Event
from mallee.simulation.summary import headline, summary, verdict_lines

if TYPE_CHECKING:
    from mallee.simulation.figures import Figures
    from mallee.simulation.run import Simulation
    from mallee.simulation.verdict import Finding

EVENTS_SHOWN = 20


def run_as_json(run: "Simulation", figures: "Figures", verdict: "list[Finding]") -> dict[str, Any]:
    """Everything as one object; a figure that a site cannot have is null."""
    return {
        "site": run.site.name,
        "start": run.clock.local(0.0).isoformat(),
        "timezone": run.site.file.timezone,
        "seed": run.seed,
        "control": run.control,
        "figures": {name: _or_null(figure) for name, figure in figures.items()},
        "verdict": {
            "held": all(finding.held for finding in verdict),
            "limits": [
                {k: _or_null(v) for k, v in finding._asdict().items()} | {"held": finding.held}
                for finding in verdict
            ],
        },
        "events": [_event(event) for event in run.events],
    }


def print_run(
    run: "Simulation", figures: "Figures", verdict: "list[Finding]", *, all_events: bool
) -> None:
    """The same for people, the verdict first."""
    held = all(finding.held for finding in verdict)
    print(f"{run.site.name}: {headline(run)}")
    first, *lines = verdict_lines(verdict)
    print(paint(f"HELD    {first}", BOLD) if held else paint(f"BROKEN  {first}", RED))
    for line in lines:
        print(f"        {line}")
    speed = f"{figures['realtime_ratio']:.0f}x"
    print(table([*summary(run, figures), ("speed", speed, "real time")]))
    shown = run.events if all_events else run.events[:EVENTS_SHOWN]
    for event in shown:
        print(f"{event.time_s:9.1f} s  {event.kind:<22} {event.text}")
    if len(run.events) > len(shown):
        print(f"           ... and {len(run.events) - len(shown)} more; --events prints all")


def _event(event: Event) -> dict[str, Any]:
    return {
        "time_s": event.time_s,
        "kind": event.kind,
        "source": event.source,
        "severity": event.severity.name.lower(),
        "text": event.text,
        "numbers": event.numbers,
    }


def _or_null(figure: float | int | str) -> float | int | str | None:
    """What JSON can hold: a figure that a site cannot have (no battery) is null."""
    return None if isinstance(figure, float) and not math.isfinite(figure) else figure
