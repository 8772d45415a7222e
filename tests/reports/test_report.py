"""The report page: self-contained, correct figures, spectra that keep their energy."""

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.reports.chart import Band, Chart, Level, Line
from mallee.reports.page import ROWS_MAX, Page, Table, render, write_page
from mallee.reports.scale import (
    clock,
    number,
    prefix_for,
    quantity,
    round_steps,
    step_label,
    time_steps,
)
from mallee.reports.spectrum import spectrum_of
from mallee.reports.thin import thin


def page(samples: int = 300, **changes: object) -> Page:
    t_s = np.arange(samples, dtype=float)
    soc = Line(name="true", style="battery", x=t_s, y=np.linspace(60.0, 59.94, samples))
    power = Line(name="import <1>", style="grid", x=t_s, y=np.full(samples, 200e3))
    charts = (
        Chart(
            title="Power",
            unit="W",
            lines=[power],
            levels=[Level(name="import limit", value=600e3)],
            bands=[Band(name="battery-trip", low=50.0, high=80.0, style="fault")],
            marks=[(60.0, "1")],
            floor=0.0,
        ),
        Chart(title="State of charge", unit="%", lines=[soc]),
        Table(title="Events", heads=["", "what"], rows=[["1", "it <trips>"]], texts=(0, 1)),
        Table(title="Dark", heads=["rack"], rows=[]),
    )
    values: dict[str, object] = {
        "title": "charging-site <1>", "note": "seed 1", "held": False,
        "verdict": ["1 of 2 limits", "import: 883 kW where 600 kW holds, for 1 s"],
        "tiles": [("highest import", "200 kW")], "parts": charts,
    }  # fmt: skip
    return Page(**(values | changes))  # type: ignore[arg-type]


class Balanced(HTMLParser):
    """Fails on tags that do not nest, collects what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.loads.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag, attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    write_page(path, page())
    text = path.read_text(encoding="utf-8")
    seen = Balanced()
    seen.feed(text)
    assert seen.open == []
    assert seen.loads == []
    assert "url(" not in text
    assert "@import" not in text
    assert "charging-site &lt;1&gt;" in text
    assert "nan" not in re.sub(r"<style>.*</style>", "", text).lower()


def test_page_says_its_verdict_first_and_names_limits_faults_and_events() -> None:
    text = render(page())
    body = text[text.index("<body>") :]
    assert body.index("Broken") < body.index("highest import") < body.index("<figure>")
    for words in (
        "import limit 600", "battery-trip", ">1</text>", "it &lt;trips&gt;", "883 kW", "None.",
        "prefers-color-scheme: dark",
    ):  # fmt: skip
        assert words in text, words
    assert "<b>Held</b>all 6 limits" in render(page(held=True, verdict=["all 6 limits"]))


def test_marks_of_an_axis_are_told_apart() -> None:
    """State of charge moves by hundredths: its axis said 60, 60, 60, 60.1, 60.1."""
    text = render(page())
    soc = text[text.index("State of charge") :]
    labels = re.findall(r'text-anchor="end">([^<]+)</text>', soc)
    assert len(labels) == len(set(labels)) > 2


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-2, 1e6))
def test_labels_of_any_axis_differ(low: float, span: float) -> None:
    steps = round_steps(low, low + span)
    labels = [step_label(value, steps[1] - steps[0]) for value in steps]
    assert len(set(labels)) == len(steps)


def test_quantities_read_as_people_write_them() -> None:
    told = [
        quantity(1.54795e6, "w"), quantity(68_600.0, "wh"), quantity(0.599, "frac"),
        quantity(750.0, "s"), quantity(71.0, "degc"), quantity(math.nan, "w"),
        quantity(3.0, "count"),
    ]  # fmt: skip
    assert told == ["1.55 MW", "68.6 kWh", "59.9 %", "12:30", "71 °C", "\N{EN DASH}", "3"]


def test_long_tables_are_cut_and_say_so() -> None:
    rows = [[str(n)] for n in range(ROWS_MAX + 5)]
    text = render(page(parts=[Table(title="Events", heads=["n"], rows=rows)]))
    assert "and 5 more" in text


def test_spectrum_keeps_the_energy_of_the_swing() -> None:
    """Parseval: effective swing over all frequencies is that of the signal."""
    step_s = 0.02
    time_s = np.arange(0.0, 400.0, step_s)
    power_w = 1e6 + 5e3 * np.sqrt(2.0) * np.sin(2.0 * np.pi * 0.4 * time_s)
    found = spectrum_of(power_w, step_s)
    assert found is not None
    assert found.swing_w(0.2, 3.0) == pytest.approx(5e3, rel=0.01)
    assert found.swing_w(1.0, 20.0) < 10.0
    peak_hz = found.frequency_hz[np.argmax(found.density)]
    assert peak_hz == pytest.approx(0.4, abs=0.01)


def test_spectrum_ignores_a_slow_ramp() -> None:
    found = spectrum_of(np.linspace(0.0, 1e6, 30_000), 0.02)
    assert found is not None
    assert found.swing_w(0.2, 20.0) < 100.0
    assert spectrum_of(np.zeros(10), 0.02) is None


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400),
    points_max=st.integers(4, 100),
)
def test_thinning_keeps_every_extreme(values: list[float], points_max: int) -> None:
    y = np.array(values)
    x = np.arange(len(y), dtype=float)
    few_x, few_y = thin(x, y, points_max)
    assert few_y.min() == y.min()
    assert few_y.max() == y.max()
    assert (np.diff(few_x) > 0).all()
    assert len(few_x) <= max(points_max, len(y) if len(y) <= points_max else points_max)


@given(low=st.floats(-1e9, 1e9), span=st.floats(1e-3, 1e9))
def test_round_steps_cover_the_range(low: float, span: float) -> None:
    steps = round_steps(low, low + span)
    tolerance = 1e-6 * max(abs(low), span, 1.0)
    assert steps[0] <= low + tolerance
    assert steps[-1] >= low + span - tolerance
    assert 2 <= len(steps) <= 12


def test_words_on_axes() -> None:
    assert [clock(s) for s in (5, 300, 3661, 200_000)] == ["5 s", "5:00", "1:01:01", "2 d 07:33"]
    assert [number(v) for v in (0.0, 12.0, -60.04, 1234.0, 0.25)] == [
        "0", "12", "\N{MINUS SIGN}60", "1234", "0.25",
    ]  # fmt: skip
    assert prefix_for(2.5e6) == (1e6, "M")
    assert time_steps(0.0, 1200.0) == [0.0, 300.0, 600.0, 900.0, 1200.0]
