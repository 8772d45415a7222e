"""`mallee plan show` and `mallee plan why`: what is proposed for the time ahead, and why."""

import datetime as dt
import json
import math
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from cyclopts import App

from mallee.cli.inspect import Json, running
from mallee.cli.output import BOLD, paint, power, table
from mallee.core.outlook import Month, Outlook, Past
from mallee.core.plan import Plan

plan = App(name="plan", help="What is proposed for the time ahead, and why.")

SHOWN_PAST = 6


@plan.command
def show(*, data: Path | None = None, json_: Json = False) -> int:
    """Show the plans that stand, the time ahead, and the last half hour as planned and as it was.

    Parameters
    ----------
    data
        Data folder of the site; by default the one that runs below ./mallee-data.
    json_
        Print one JSON object, for programs.
    """
    _, _, site, board = running(data)
    found, outlook = board.plans(), board.outlook()
    if json_:
        print(json.dumps(msgspec.to_builtins({"plans": found, "outlook": outlook})))
        return 0
    print(paint(site.name, BOLD))
    if not found.plans:
        print("no plan; control keeps the contract and the state of charge by itself")
    for one in found.plans:
        _print_plan(one, time.monotonic())
    if outlook is not None:
        zone = ZoneInfo(site.file.timezone)
        print(f"\ntime ahead, {zone.key}")
        print(_ahead_table(outlook, zone))
        _print_past(outlook.past, zone)
    return 0


@plan.command
def why(*, data: Path | None = None, json_: Json = False) -> int:
    """Say what the plans run into, what they could not keep, what they save, and the bill so far.

    Parameters
    ----------
    data
        Data folder of the site; by default the one that runs below ./mallee-data.
    json_
        Print one JSON object, for programs.
    """
    _, _, _, board = running(data)
    found, outlook = board.plans(), board.outlook()
    if json_:
        said = {one.source: list(one.notes) for one in found.plans}
        print(json.dumps(msgspec.to_builtins({"said": said, "outlook": outlook})))
        return 0
    for one in found.plans:
        reasons = one.notes or tuple(dict.fromkeys(step.reason for step in one.steps))
        for note in reasons:
            print(f"{one.source}: {note}")
    if not found.plans:
        print("no plan stands")
    if outlook is not None:
        print("\n".join(_why_lines(outlook)))
        _print_month(outlook.month, outlook.currency)
    return 0


def _print_plan(one: Plan, now_s: float) -> None:
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


def _ahead_table(outlook: Outlook, zone: ZoneInfo) -> str:
    """The hours of the plan: the first step of each."""
    ahead, rows, hour_before = outlook.ahead, [], ""
    for k, from_utc_s in enumerate(ahead.from_utc_s):
        clock = dt.datetime.fromtimestamp(from_utc_s, zone).strftime("%a %H")
        if clock == hour_before:
            continue
        hour_before = clock
        soc = ahead.soc[k]
        rows.append(
            (
                f"{clock}:00" if k else "now",
                _number(ahead.price_per_mwh[k]),
                _power(ahead.load_w[k]),
                _power(ahead.import_w[k]),
                _power(ahead.charge_w[k]),
                "-" if soc is None else f"{soc:.0%}",
            )
        )
    header = ("from", f"{outlook.currency}/MWh", "load", "import", "battery charges", "stored")
    return table(rows, header=header)


def _print_past(past: Past, zone: ZoneInfo) -> None:
    if not past.from_utc_s:
        return
    print("\nplan and actual")
    rows = [
        (
            dt.datetime.fromtimestamp(past.from_utc_s[k], zone).strftime("%H:%M"),
            _power(past.planned_import_w[k]),
            _power(past.import_w[k]),
            _power(past.planned_charge_w[k]),
            _power(past.charge_w[k]),
        )
        for k in range(len(past.from_utc_s))
    ][-SHOWN_PAST:]
    print(table(rows, header=("from", "import planned", "was", "charge planned", "was")))


def _why_lines(outlook: Outlook) -> list[str]:
    saved = outlook.cost_without - outlook.cost + outlook.worth_after
    saving = f"saving against no battery, over the time ahead: {saved:,.2f} {outlook.currency}"
    left = f"{outlook.worth_after:+,.2f} of it is stored at the end"
    lines = [f"{saving} ({left}); {outlook.made} plans made, {outlook.lost} not sent"]
    for score in outlook.scores:
        lead = f"forecast of {score.name} {score.lead_s / 3600:.0f} h ahead"
        if score.error is None or score.skill is None:
            lines.append(f"{lead}: no score yet")
            continue
        against = f"{score.skill:+.0%} against yesterday's value ({score.count} values)"
        lines.append(f"{lead}: off by {power(score.error)}, {against}")
    return lines


def _print_month(month: Month, currency: str) -> None:
    print(f"\n{month.name} so far, {currency}")
    rows = [
        (
            line.name,
            f"{line.quantity:,.3f} {line.unit}",
            f"{line.amount:,.2f}",
            f"{line.amount_without:,.2f}",
        )
        for line in month.lines
    ]
    total = sum(line.amount for line in month.lines)
    without = sum(line.amount_without for line in month.lines)
    rows.append(("total", "", f"{total:,.2f}", f"{without:,.2f}"))
    print(table(rows, header=("", "quantity", "amount", "without batteries")))
    for peak in month.peaks:
        risk = ""
        if peak.at_risk_w is not None:
            more = max(0.0, peak.at_risk_w - peak.so_far_w) / 1e3 * peak.price_per_kw
            risk = f"; {power(peak.at_risk_w)} if load runs high for a day ({more:+,.2f})"
        print(
            f"peak of {peak.name}: {power(peak.so_far_w)} so far, held below "
            f"{power(peak.aimed_w)}{risk}"
        )
    for note in month.notes:
        print(f"note: {note}")


def _power(value_w: float | None) -> str:
    return power(value_w) if value_w is not None and math.isfinite(value_w) else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
