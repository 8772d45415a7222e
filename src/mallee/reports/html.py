"""The report page: key figures, charts, spectrum, events; light or dark as the reader likes."""

from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.reports.chart import Band, Chart, Level, Line, draw
from mallee.reports.data import RunRecord
from mallee.reports.scale import clock, number, prefix_for
from mallee.reports.spectrum import (
    GRID_BAND_HZ,
    WORKLOAD_BAND_HZ,
    Spectrum,
    spectrum_of,
)
from mallee.reports.style import STYLE

RAMP_WINDOW_S: Final = 60.0
EVENTS_MAX: Final = 300
DASH: Final = "\N{EN DASH}"


def write_report(path: Path, record: RunRecord) -> None:
    """Write the page of a run; it needs no other file and no network.

    Args:
        record: at least one sample.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(render_report(record), encoding="utf-8")


def render_report(record: RunRecord) -> str:
    """The page as text."""
    load, grid = (
        spectrum_of(power_w, record.fast_step_s)
        for power_w in (record.fast_load_w, record.fast_grid_w)
    )
    charts = [_power(record), _storage(record), _ramps(record), _charge(record)]
    if np.isfinite(record.gpu_max_degc).any() or np.isfinite(record.supply_degc).any():
        charts.append(_temperatures(record))
    body = [
        f"<header><h1>{escape(record.site)}</h1><p>{escape(record.note)}</p></header>",
        _tiles(record),
        *(draw(chart) for chart in charts),
    ]
    if load is not None and grid is not None:
        body += [draw(_spectrum(load, grid)), _band_table(load, grid)]
    body += [_event_table(record), _figure_table(record)]
    title = f"{record.site}: simulated run"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def change_w(t_s: FloatArray, power_w: FloatArray, window_s: float) -> FloatArray:
    """Change of a power against one window earlier; NaN in the first window.  # (samples,)"""
    back = max(round(window_s / _step_s(t_s)), 1)
    change = np.full(len(power_w), np.nan)
    change[back:] = power_w[back:] - power_w[:-back]
    return change


def _step_s(t_s: FloatArray) -> float:
    return float(t_s[1] - t_s[0]) if len(t_s) > 1 else 1.0


def _line(record: RunRecord, name: str, style: str, values: FloatArray) -> Line:
    return Line(name=name, style=style, x=record.t_s, y=values)


def _times(record: RunRecord) -> list[float]:
    return [time_s for time_s, _ in record.events]


def _power(record: RunRecord) -> Chart:
    levels = [Level(name="import limit", value=record.import_max_w)]
    if record.export_max_w > 0.0:
        levels.append(Level(name="export limit", value=-record.export_max_w))
    return Chart(
        title="Power at the connection",
        unit="W",
        height=300,
        lines=[
            _line(record, "load without battery", "load", record.load_w),
            _line(record, "grid", "grid", record.grid_w),
        ],
        levels=levels,
        events=_times(record),
        floor=0.0,
    )


def _storage(record: RunRecord) -> Chart:
    lines = [_line(record, "battery (positive charges)", "battery", record.battery_charge_w)]
    if np.abs(record.chargers_w).max(initial=0.0) > 0.0:
        lines.append(_line(record, "vehicle chargers", "chargers", record.chargers_w))
    lines.append(_line(record, "nodes", "it", record.it_w))
    return Chart(
        title="Battery, chargers, nodes", unit="W", lines=lines, events=_times(record), floor=0.0
    )


def _ramps(record: RunRecord) -> Chart:
    change = change_w(record.t_s, record.grid_w, RAMP_WINDOW_S)
    return Chart(
        title="Change of grid power over 60 s",
        unit="W",
        height=190,
        lines=[_line(record, "change", "grid", change)],
        levels=[
            Level(name="allowed up", value=record.ramp_up_max_w_per_s * RAMP_WINDOW_S),
            Level(name="allowed down", value=-record.ramp_down_max_w_per_s * RAMP_WINDOW_S),
        ],
        events=_times(record),
        floor=0.0,
    )


def _charge(record: RunRecord) -> Chart:
    return Chart(
        title="State of charge",
        unit="%",
        height=170,
        lines=[_line(record, "true", "battery", 100.0 * record.soc)],
        events=_times(record),
    )


def _temperatures(record: RunRecord) -> Chart:
    return Chart(
        title="Temperatures",
        unit="°C",
        lines=[
            _line(record, "hottest accelerator", "hot", record.gpu_max_degc),
            _line(record, "coolant return", "warm", record.return_degc),
            _line(record, "coolant supply", "cold", record.supply_degc),
        ],
        events=_times(record),
    )


def _spectrum(load: Spectrum, grid: Spectrum) -> Chart:
    return Chart(
        title="Spectrum of load and grid power",
        unit="W/√Hz",
        height=320,
        spectrum=True,
        lines=[
            Line(name="load without battery", style="load", x=load.frequency_hz, y=load.density),
            Line(name="grid", style="grid", x=grid.frequency_hz, y=grid.density),
        ],
        bands=[
            Band(
                name=f"0.1{DASH}20 Hz: grid operators",
                low=GRID_BAND_HZ[0],
                high=GRID_BAND_HZ[1],
                style="band",
            ),
            Band(
                name=f"0.2{DASH}3 Hz: training iterations",
                low=WORKLOAD_BAND_HZ[0],
                high=WORKLOAD_BAND_HZ[1],
                style="band",
            ),
        ],
    )


def _watts(value_w: float) -> str:
    divisor, prefix = prefix_for(abs(value_w))
    return f"{number(value_w / divisor)} {prefix}W"


def _tiles(record: RunRecord) -> str:
    change_1s_w, change_60s_w = (
        float(np.nanmax(np.abs(change), initial=0.0))
        for change in (change_w(record.t_s, record.grid_w, s) for s in (1.0, RAMP_WINDOW_S))
    )
    span_s = float(record.t_s[-1] - record.t_s[0]) + _step_s(record.t_s)
    low, high = (number(100.0 * float(end)) for end in (record.soc.min(), record.soc.max()))
    tiles = [
        ("simulated", clock(span_s)),
        ("highest import", _watts(float(record.grid_w.max()))),
        ("import limit", _watts(record.import_max_w)),
        ("largest change in 1 s", _watts(change_1s_w)),
        ("largest change in 60 s", _watts(change_60s_w)),
        ("battery at most", _watts(float(np.abs(record.battery_charge_w).max()))),
        ("state of charge", f"{low}{DASH}{high} %"),
    ]
    if np.isfinite(record.gpu_max_degc).any():
        hottest = number(float(np.nanmax(record.gpu_max_degc)))
        tiles.append(("hottest accelerator", f"{hottest} °C"))
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in tiles
    )
    return f"<dl class='tiles'>{cells}</dl>"


def _band_table(load: Spectrum, grid: Spectrum) -> str:
    rows = []
    for name, band in ((f"0.2{DASH}3 Hz", WORKLOAD_BAND_HZ), (f"0.1{DASH}20 Hz", GRID_BAND_HZ)):
        load_w, grid_w = load.swing_w(*band), grid.swing_w(*band)
        left = f"{number(100.0 * grid_w / load_w)} %" if load_w > 0.0 else DASH
        rows.append([name, _watts(load_w), _watts(grid_w), left])
    heads = ["effective swing in", "load", "grid", "left at the grid"]
    return _table("Swing by band", heads, rows, numbers_from=1)


def _event_table(record: RunRecord) -> str:
    if not record.events:
        return "<section><h2>Events</h2><p>None.</p></section>"
    shown = record.events[:EVENTS_MAX]
    rows = [[clock(time_s), text] for time_s, text in shown]
    if len(record.events) > len(shown):
        rows.append(["", f"and {len(record.events) - len(shown)} more"])
    return _table("Events", ["time", "what"], rows, numbers_from=9)


def _figure_table(record: RunRecord) -> str:
    if not record.figures:
        return ""
    rows = [[name, f"{value:.6g}"] for name, value in record.figures.items()]
    return _table("Key figures", ["figure", "value"], rows, numbers_from=1)


def _table(title: str, heads: list[str], rows: list[list[str]], numbers_from: int) -> str:
    def cell(tag: str, column: int, text: str) -> str:
        style = " class='number'" if column >= numbers_from else ""
        return f"<{tag}{style}>{escape(text)}</{tag}>"

    head = "".join(cell("th", column, text) for column, text in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(cell("td", column, text) for column, text in enumerate(row)) + "</tr>"
        for row in rows
    )
    return (
        f"<section><h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></section>"
    )
