"""A simulated run as one HTML page that an engineer can hand on."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from mallee.core.arrays import Float32Array, FloatArray
from mallee.core.errors import ConfigError
from mallee.core.units import SECONDS_PER_HOUR
from mallee.reports.chart import Band, Chart, Level, Line
from mallee.reports.page import Page, Table, write_page
from mallee.reports.scale import clock, quantity
from mallee.reports.spectrum import GRID_BAND_HZ, WORKLOAD_BAND_HZ, Spectrum, spectrum_of
from mallee.simulation.figures import Figures
from mallee.simulation.run import Simulation
from mallee.simulation.summary import headline, summary, verdict_lines
from mallee.simulation.verdict import Finding
from mallee.twin.clock import STEP_S
from mallee.twin.faults.registry import KINDS
from mallee.twin.parts.compute.work import CAUSES

DASH = "\N{EN DASH}"
PALETTE = 8
LINES_MAX = 8
CHANGE_WINDOW_S = 60


def write_simulation_report(
    path: Path, run: Simulation, figures: Figures, verdict: list[Finding], note: str
) -> None:
    """Write the page.

    Args:
        path: HTML file to write.
        run: what happened.
        figures: its figures, as the command prints them.
        verdict: its limits.
        note: what was run, a few words.

    Raises:
        ConfigError: the run is too short for a picture, or the file cannot be written.
    """
    seconds = run.series["grid_w"].size
    if seconds < 2:
        raise ConfigError(
            "--report", f"{seconds} s is too short for a picture", "simulate 2s or more"
        )
    page = page_of(run, figures, verdict, note)
    try:
        write_page(path, page)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from None


def page_of(run: Simulation, figures: Figures, verdict: list[Finding], note: str) -> Page:
    """The page of a run; every number in it is one of `figures` or a point of the record."""
    rows = summary(run, figures)
    load, grid = spectrum_of(run.load_20ms_w, STEP_S), spectrum_of(run.grid_20ms_w, STEP_S)
    charts = [_power(run), _parts(run), _pods(run), _branches(run), _ramps(run), _charge(run)]
    charts += [_caps(run), _temperatures(run)]
    parts: list[Chart | Table] = [
        Table(title="Summary", heads=_SUMMARY_HEADS, rows=rows, texts=(0, 2))
    ]
    parts += _over_time(run, charts)
    if load is not None and grid is not None:
        parts += [_spectrum(load, grid), _bands(load, grid)]
    parts += [_events(run), *_dark(run), _branch_energy(run), _energy(figures), _lost(figures)]
    return Page(
        title=f"{run.site.name}: simulated run",
        note=f"{headline(run)}; {note}",
        held=all(finding.held for finding in verdict),
        verdict=verdict_lines(verdict),
        tiles=[(row.name, row.value) for row in rows if row.name in _TILES],
        parts=parts,
    )


_SUMMARY_HEADS = ("", "value", "")
_TILES = (
    "import, highest second",
    "seconds outside the limits",
    "change within 60 s",
    "seconds over the ramp",
    "battery power, highest",
    "throughput lost",
    "hottest accelerator",
    "imported",
    "PUE",
)


def _line(run: Simulation, name: str, style: str, values: FloatArray) -> Line:
    return Line(name=name, style=style, x=run.time_s, y=values)


def _over_time(run: Simulation, charts: list[Chart | None]) -> list[Chart]:
    """The charts that there are, each with numbered events and bands of faults."""
    end_s = float(run.series["grid_w"].size)
    bands = []
    for fault in run.faults.events if run.faults is not None else ():
        ends_s = fault.at_s if KINDS[fault.kind].end is None else min(fault.until_s, end_s)
        bands.append(Band(name=fault.kind, low=fault.at_s, high=ends_s, style="fault"))
    told = [event for event in run.events if event.kind != "fault"]
    marks = [(event.time_s, str(number)) for number, event in enumerate(told, 1)]
    return [replace(chart, marks=marks, bands=bands) for chart in charts if chart is not None]


def _power(run: Simulation) -> Chart:
    feed, series = run.site.grid, run.series
    levels = [Level(name="import limit", value=feed.import_max_w)]
    if feed.export_max_w > 0.0:
        levels.append(Level(name="export limit", value=-feed.export_max_w))
    lines = []
    if np.isfinite(series["soc"]).any():
        lines.append(_line(run, "load without battery", "load", series["load_w"]))
    if np.isfinite(series["meter_reading_w"]).any():
        lines.append(_line(run, "meter's reading", "reading", series["meter_reading_w"]))
    lines.append(_line(run, "import", "grid", series["grid_w"]))
    return Chart(
        title="Power at the connection, 1 s means",
        unit="W",
        height=320,
        lines=lines,
        levels=levels,
        floor=0.0,
    )


def _parts(run: Simulation) -> Chart:
    series = run.series
    named = (
        ("battery (positive charges)", "battery", "battery_charge_w"),
        ("vehicle chargers", "chargers", "chargers_w"),
        ("nodes and switches", "it", "it_w"),
        ("losses", "load", "losses_w"),
    )
    lines = [
        _line(run, name, style, series[column])
        for name, style, column in named
        if np.abs(series[column]).max(initial=0.0) > 0.0
    ]
    return Chart(title="Who draws it", unit="W", lines=lines, floor=0.0)


def _largest(names: list[str], columns: Float32Array) -> list[tuple[str, FloatArray]]:
    """The few that drew most, in the order of the site file."""
    order = np.argsort(-columns.max(axis=0), kind="stable")[:LINES_MAX]
    return [(names[i], columns[:, i].astype(np.float64)) for i in sorted(order.tolist())]


def _several(run: Simulation, title: str, names: list[str], columns: Float32Array) -> Chart | None:
    if not names:
        return None
    chosen = _largest(names, columns)
    more = f", the {len(chosen)} largest of {len(names)}" if len(names) > len(chosen) else ""
    lines = [
        _line(run, name, f"c{place % PALETTE}", values)
        for place, (name, values) in enumerate(chosen)
    ]
    return Chart(title=title + more, unit="W", lines=lines, floor=0.0)


def _pods(run: Simulation) -> Chart | None:
    return _several(run, "Racks by pod", list(run.site.pods), run.record.pods_each_w)


def _branches(run: Simulation) -> Chart | None:
    record = run.record
    below = record.branch_rows > 0  # the feed itself is the picture above
    names = [run.site.branches[i].name for i in record.branch_rows[below]]
    return _several(run, "Branches", names, record.branches_w[:, below])


def _ramps(run: Simulation) -> Chart | None:
    feed, grid_w = run.site.grid, run.series["grid_w"]
    levels = [
        Level(name=f"allowed {name}", value=sign * rate * CHANGE_WINDOW_S)
        for name, sign, rate in (
            ("up", 1.0, feed.ramp_up_w_per_s),
            ("down", -1.0, feed.ramp_down_w_per_s),
        )
        if math.isfinite(rate)
    ]
    if not levels:
        return None
    change_w = np.full(grid_w.size, np.nan)
    change_w[CHANGE_WINDOW_S:] = grid_w[CHANGE_WINDOW_S:] - grid_w[:-CHANGE_WINDOW_S]
    return Chart(
        title="Change of import over 60 s",
        unit="W",
        height=200,
        lines=[_line(run, "change", "grid", change_w)],
        levels=levels,
        floor=0.0,
    )


def _charge(run: Simulation) -> Chart | None:
    soc, control = run.series["soc"], run.site.file.control
    if not np.isfinite(soc).any():
        return None
    levels = [
        Level(name=name, value=100.0 * value)
        for name, value in (("lowest", control.soc_min), ("highest", control.soc_max))
        if abs(value - float(np.nanmean(soc))) < 0.25
    ]
    line = _line(run, "true", "battery", 100.0 * soc)
    return Chart(
        title="State of charge",
        unit="%",
        height=180,
        lines=[line],
        levels=levels,
    )


def _caps(run: Simulation) -> Chart | None:
    series = run.series
    if not np.isfinite(series["cap_frac"]).any():
        return None
    lines = [
        _line(run, "node caps, mean of their most", "grid", 100.0 * series["cap_frac"]),
        _line(run, "work done of what was offered", "it", 100.0 * series["throughput"]),
    ]
    return Chart(
        title="Caps and work",
        unit="%",
        height=180,
        lines=lines,
        floor=0.0,
        ceiling=100.0,
    )


def _temperatures(run: Simulation) -> Chart | None:
    named = (
        ("hottest accelerator", "hot", "gpu_max_degc"),
        ("coolant return", "warm", "return_degc"),
        ("coolant supply", "cold", "supply_degc"),
    )
    lines = [
        _line(run, name, style, run.series[column])
        for name, style, column in named
        if np.isfinite(run.series[column]).any()
    ]
    if not lines:
        return None
    return Chart(title="Temperatures", unit="\N{DEGREE SIGN}C", lines=lines)


def _spectrum(load: Spectrum, grid: Spectrum) -> Chart:
    bands = (
        (f"0.1{DASH}20 Hz: grid operators", GRID_BAND_HZ),
        (f"0.2{DASH}3 Hz: training iterations", WORKLOAD_BAND_HZ),
    )
    return Chart(
        title="Spectrum of load and import",
        unit="W/√Hz",
        height=320,
        spectrum=True,
        lines=[
            Line(name="load without battery", style="load", x=load.frequency_hz, y=load.density),
            Line(name="import", style="grid", x=grid.frequency_hz, y=grid.density),
        ],
        bands=[Band(name=name, low=low, high=high, style="band") for name, (low, high) in bands],
    )


def _bands(load: Spectrum, grid: Spectrum) -> Table:
    rows = []
    for name, band in ((f"0.2{DASH}3 Hz", WORKLOAD_BAND_HZ), (f"0.1{DASH}20 Hz", GRID_BAND_HZ)):
        load_w, grid_w = load.swing_w(*band), grid.swing_w(*band)
        left = quantity(grid_w / load_w, "frac") if load_w > 0.0 else DASH
        rows.append([name, quantity(load_w, "w"), quantity(grid_w, "w"), left])
    heads = ["effective swing in", "load", "import", "left of it"]
    return Table(title="Swing by band", heads=heads, rows=rows)


def _events(run: Simulation) -> Table:
    rows, told = [], 0
    for event in run.events:
        told += event.kind != "fault"
        local = run.clock.local(event.time_s)
        label = "" if event.kind == "fault" else str(told)
        rows.append(
            [
                label,
                clock(event.time_s),
                f"{local:%H:%M:%S}",
                event.severity.name.lower(),
                event.text,
            ]
        )
    heads = ["", "time", "local", "severity", "what"]
    return Table(title="Events", heads=heads, rows=rows, texts=range(5))


def _dark(run: Simulation) -> list[Table]:
    rows = [[name, clock(time_s)] for name, time_s in run.record.dark_racks.items()]
    return [Table(title="Racks that went dark", heads=["rack", "first"], rows=rows)] if rows else []


def _branch_energy(run: Simulation) -> Table:
    record = run.record
    rows = []
    for place, branch in enumerate(record.branch_rows.tolist()):
        flow_w = record.branches_w[:, place].astype(np.float64)
        wh = float(flow_w.sum()) / SECONDS_PER_HOUR
        one = run.site.branches[branch]
        rating = quantity(one.rating_w, "w")
        rows.append(
            [one.name, one.kind, quantity(wh, "wh"), quantity(float(flow_w.max()), "w"), rating]
        )
    heads = ["branch", "kind", "energy", "highest second", "rating"]
    return Table(title="Energy by branch", heads=heads, rows=rows, texts=(0, 1))


def _energy(figures: Figures) -> Table:
    names = {
        "import_wh": "imported",
        "export_wh": "exported",
        "battery_charged_wh": "into the battery",
        "battery_discharged_wh": "out of the battery",
        "pods_wh": "pods with their cooling",
        "it_wh": "nodes and switches",
        "chargers_wh": "vehicle chargers",
        "losses_wh": "losses: transformers, cables, UPS, battery auxiliaries",
    }
    rows = [
        [text, quantity(float(figures[key]), "wh")] for key, text in names.items() if key in figures
    ]
    return Table(title="Energy", heads=["what", "energy"], rows=rows)


def _lost(figures: Figures) -> Table:
    rows = [[cause, f"{float(figures[f'throughput_lost_{cause}']):.2%}"] for cause in CAUSES]
    rows.append(["in all", f"{float(figures['throughput_lost']):.2%}"])
    return Table(title="Work lost of what was offered", heads=["cause", "share"], rows=rows)
