"""A run in words: the verdict's sentences and the lines that people read first.

Command line and report both take them from here, so that no number is told twice differently.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from mallee.reports.scale import quantity
from mallee.simulation.figures import Figures
from mallee.simulation.run import Simulation
from mallee.simulation.verdict import Finding

SHARE_SHOWN = 5e-5
"""A cause that took less of the work is not told."""


class Row(NamedTuple):
    """One line of the summary."""

    name: str
    value: str
    remark: str = ""


def headline(run: Simulation) -> str:
    """What was run, from when, by whom."""
    local, seconds = run.clock.local(0.0), run.series["grid_w"].size
    who = "" if run.control == "auto" else f", control {run.control}"
    span = quantity(float(seconds), "s")
    return f"{span} from {local:%Y-%m-%d %H:%M %Z}, seed {run.seed}{who}"


def sentence(finding: Finding) -> str:
    """A broken limit in words: which, by how much, for how long, when first."""
    first = quantity(finding.first_s, "s")
    if finding.unit == "count":
        what = f"{finding.limit}: {finding.worst:.0f} opened, first at {first}"
    else:
        worst, allowed = (
            quantity(value, finding.unit) for value in (finding.worst, finding.allowed)
        )
        over = "beyond the allowed change" if finding.limit == "ramp" else f"where {allowed} holds"
        what = f"{finding.limit}: {worst} {over}, for {finding.broken_s:.0f} s, first at {first}"
    return what + (f" ({finding.note})" if finding.note else "")


def verdict_lines(verdict: Sequence[Finding]) -> list[str]:
    """A headline, then a sentence for each broken limit."""
    broken = [finding for finding in verdict if not finding.held]
    if not broken:
        return [f"all {len(verdict)} limits: {', '.join(finding.limit for finding in verdict)}"]
    return [f"{len(broken)} of {len(verdict)} limits", *map(sentence, broken)]


def summary(run: Simulation, figures: Figures) -> list[Row]:
    """The lines that people read first."""
    number = {key: value for key, value in figures.items() if isinstance(value, int | float)}
    return [*_meter(run, number), *_battery(number), *_work(number), *_energy(number)]


def _meter(run: Simulation, number: dict[str, float]) -> list[Row]:
    feed, watts = (
        run.site.grid,
        {k: quantity(v, "w") for k, v in number.items() if k.endswith("_w")},
    )
    rates = {feed.ramp_up_w_per_s, feed.ramp_down_w_per_s} - {math.inf}
    allowed = " and ".join(quantity(60.0 * rate, "w") for rate in sorted(rates))
    rows = [
        Row(
            "import, highest second",
            watts["grid_max_w"],
            f"limit {quantity(feed.import_max_w, 'w')}; highest 20 ms {watts['grid_max_20ms_w']}",
        ),
        Row(
            "import, lowest second",
            watts["grid_min_w"],
            f"export limit {quantity(feed.export_max_w, 'w')}; "
            f"lowest 20 ms {watts['grid_min_20ms_w']}",
        ),
        Row("seconds outside the limits", f"{number['limit_violations']:.0f}"),
        Row("change within 1 s", watts["change_1s_max_w"]),
        Row("change within 60 s", watts["change_60s_max_w"], f"allowed {allowed}" if rates else ""),
    ]
    if rates or feed.ramps:
        remark = f"with {watts['ramp_tolerance_w']} tolerated; "
        remark += f"{number['ramp_violations_strict']:.0f} without"
        rows.append(Row("seconds over the ramp", f"{number['ramp_violations']:.0f}", remark))
    return rows


def _battery(number: dict[str, float]) -> list[Row]:
    if math.isnan(number["soc_end"]):
        return []
    low, high, end = (quantity(number[f"soc_{name}"], "frac") for name in ("min", "max", "end"))
    return [
        Row(
            "battery energy used",
            quantity(number["battery_energy_used_wh"], "wh"),
            f"charge {low} to {high}, {end} at the end; {number['soc_outside_s']:.0f} s outside",
        ),
        Row("battery power, highest", quantity(number["battery_power_max_w"], "w")),
    ]


def _work(number: dict[str, float]) -> list[Row]:
    causes = [
        f"{name.removeprefix('throughput_lost_')} {quantity(share, 'frac')}"
        for name, share in number.items()
        if name.startswith("throughput_lost_") and share >= SHARE_SHOWN
    ]
    rows = [Row("throughput lost", quantity(number["throughput_lost"], "frac"), ", ".join(causes))]
    if number["racks_dark"]:
        rows.append(Row("racks that went dark", f"{number['racks_dark']:.0f}"))
    if not math.isnan(number["gpu_max_degc"]):
        rows.append(Row("hottest accelerator", quantity(number["gpu_max_degc"], "degc")))
    return rows


def _energy(number: dict[str, float]) -> list[Row]:
    rows = [Row("imported", quantity(number["import_wh"], "wh"))]
    if number["export_wh"] > 0.0:
        rows.append(Row("exported", quantity(number["export_wh"], "wh")))
    if not math.isnan(number["pue"]):
        rows.append(Row("PUE", f"{number['pue']:.3f}", "pods with their cooling over their IT"))
    return rows
