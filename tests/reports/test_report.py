"""The report page: self-contained, correct figures, spectra that keep their energy."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.reports import RunRecord, write_report
from mallee.reports.html import change_w, render_report
from mallee.reports.scale import clock, number, prefix_for, round_steps, time_steps
from mallee.reports.spectrum import spectrum_of
from mallee.reports.thin import thin


def record(samples: int = 300, **changes: object) -> RunRecord:
    t_s = np.arange(samples, dtype=float)
    fast_s = np.arange(samples * 50) * 0.02
    load_w = 200e3 + 60e3 * np.sign(np.sin(2.0 * np.pi * 0.5 * fast_s))
    values: dict[str, object] = {
        "site": "charging-site <1>", "note": "square load, seed 1", "t_s": t_s,
        "grid_w": np.full(samples, 200e3), "load_w": load_w.reshape(samples, 50).mean(axis=1),
        "battery_charge_w": 200e3 - load_w.reshape(samples, 50).mean(axis=1),
        "chargers_w": np.zeros(samples), "it_w": np.full(samples, 180e3),
        "soc": np.linspace(0.6, 0.59, samples), "gpu_max_degc": np.full(samples, 71.0),
        "supply_degc": np.full(samples, 35.0), "return_degc": np.full(samples, 44.0),
        "import_max_w": 600e3, "ramp_up_max_w_per_s": 1e3, "ramp_down_max_w_per_s": 1e3,
        "fast_grid_w": np.full(samples * 50, 200e3), "fast_load_w": load_w,
        "events": ((100.0, "ev1: plug-in-rush starts"),), "figures": {"throughput_lost": 0.0},
    }  # fmt: skip
    return RunRecord(**(values | changes))  # type: ignore[arg-type]


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
    write_report(path, record())
    text = path.read_text(encoding="utf-8")
    page = Balanced()
    page.feed(text)
    assert page.open == []
    assert page.loads == []
    assert "url(" not in text
    assert "@import" not in text
    assert "charging-site &lt;1&gt;" in text
    assert "nan" not in re.sub(r"<style>.*</style>", "", text).lower()


def test_page_names_limits_bands_events_and_figures() -> None:
    text = render_report(record())
    for words in (
        "import limit 600", "allowed up 60", "0.2\N{EN DASH}3 Hz", "0.1\N{EN DASH}20 Hz",
        "plug-in-rush", "throughput_lost", "highest import", "200 kW", "prefers-color-scheme: dark",
    ):  # fmt: skip
        assert words in text, words
    assert text.count("<figure>") == 6


def test_runs_without_gpus_events_or_length_still_give_a_page() -> None:
    nothing = np.full(300, np.nan)
    text = render_report(
        record(
            gpu_max_degc=nothing, supply_degc=nothing, return_degc=nothing, events=(), figures={}
        )
    )
    assert text.count("<figure>") == 5
    assert "Temperatures" not in text
    short = render_report(record(samples=1))
    assert short.count("<figure>") == 5  # too short for a spectrum


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


def test_change_is_against_one_window_before() -> None:
    t_s = np.arange(200.0)
    change = change_w(t_s, 10.0 * t_s, 60.0)
    assert np.isnan(change[:60]).all()
    assert (change[60:] == 600.0).all()


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
