"""`mallee plan show` and `mallee plan why`: what is proposed for the time ahead, and why."""

import json
import math
import time
from pathlib import Path

import msgspec
from cyclopts import App

from mallee.cli.inspect import Json, running
from mallee.cli.output import BOLD, paint, power, table

plan = App(name="plan", help="What is proposed for the time ahead, and why.")


@plan.command
def show(*, data: Path | None = None, json_: Json = False) -> int:
    """Show the plans that stand: import targets and battery power, step by step.

    Parameters
    ----------
    data
        Data folder of the site; by default the one that runs below ./mallee-data.
    json_
        Print one JSON object, for programs.
    """
    _, _, site, board = running(data)
    found = board.plans()
    now_s = time.monotonic()
    if json_:
        print(json.dumps(msgspec.to_builtins(found)))
        return 0
    print(paint(site.name, BOLD))
    if not found.plans:
        print("no plan; control keeps the contract and the state of charge by itself")
    for one in found.plans:
        left_s = one.valid_until_s - now_s
        age = f"{left_s / 60.0:.0f} min left" if left_s > 0.0 else "lapsed"
        print(f"\n{one.source}, generation {one.generation}, {age}")
        rows = [
            (
                f"{(step.from_s - now_s) / 60.0:+.0f} min",
                _power(step.import_target_w),
                _power(step.charge_w),
                step.reason,
            )
            for step in one.steps
        ]
        print(table(rows, header=("from", "import below", "battery charges", "reason")))
    return 0


@plan.command
def why(*, data: Path | None = None, json_: Json = False) -> int:
    """Say what the plans run into, what they could not keep, and what they save.

    Parameters
    ----------
    data
        Data folder of the site; by default the one that runs below ./mallee-data.
    json_
        Print one JSON object, for programs.
    """
    _, _, _, board = running(data)
    found = board.plans()
    if json_:
        print(json.dumps({one.source: list(one.notes) for one in found.plans}))
        return 0
    for one in found.plans:
        reasons = one.notes or tuple(dict.fromkeys(step.reason for step in one.steps))
        for note in reasons:
            print(f"{one.source}: {note}")
    if not found.plans:
        print("no plan stands")
    return 0


def _power(value_w: float | None) -> str:
    return power(value_w) if value_w is not None and math.isfinite(value_w) else "-"
