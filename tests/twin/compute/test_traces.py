"""Replayed traces: what is accepted, what is refused and how, and what comes out at the racks."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.site.model import SiteModel
from mallee.site.simulated import Load
from mallee.twin.parts.compute import Compute
from mallee.twin.parts.compute.workload.deaverage import deaverage
from mallee.twin.parts.compute.workload.trace_file import Trace, read_trace

MakeSite = Callable[..., SiteModel]
Run = Callable[..., FloatArray]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"bad\.csv: is empty; expected a header line t_s,power_w"),
        ("t_s,power_w\n", "has 0 samples"),
        ("t_s,power_w\n0,1\n", "has 1 samples"),
        ("time,power_w\n0,1\n1,1\n", "line 1: no column t_s in time,power_w"),
        ("t_s,kw\n0,1\n1,1\n", "line 1: no power column in t_s,kw; expected t_s,power_w or"),
        ("t_s,power_w\n0,1\n1,nan\n", "line 3: power_w is 'nan'; expected a finite number"),
        ("t_s,power_w\n0,1\n1,\n", "line 3: power_w is ''"),
        ("t_s,power_w\n0,1\n1,-5\n", "line 3: power_w is -5; expected 0 or more"),
        ("t_s,power_w\n0,1\n1,2,3\n", "line 3: has 3 values for 2 columns"),
        ("t_s,power_w\n0,1\n2,1\n1,1\n", "line 4: t_s goes from 2 to 1; time must rise"),
        ("t_s,power_w\n0,1\n0,1\n", "line 3: t_s goes from 0 to 0"),
        (
            "t_s,power_w\n0,1\n1,1\n2,1\n13,1\n",
            "line 5: no samples from 2 to 13 s; holes up to 10 s",
        ),
    ],
)
def test_errors_name_file_line_and_fault(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_trace(path)


def test_unreadable_files(tmp_path: Path, make_site: MakeSite) -> None:
    with pytest.raises(ConfigError, match=r"twin\.load\.trace: is empty"):
        Compute(make_site(Load(kind="trace")))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_trace(tmp_path / "none.csv")
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"no gzip at all")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_trace(broken)


def test_short_gaps_are_noted_and_long_even_steps_accepted(tmp_path: Path) -> None:
    path = tmp_path / "gap.csv.gz"
    with gzip.open(path, "wt") as lines:
        lines.write("t_s,gpu0_w,gpu1_w,total_w\n0,1,2,3\n0.1,1,2,3\n3.0,1,2,3\n\n3.1,1,2,3\n")
    trace = read_trace(path)
    assert trace.gpu_w.shape == (4, 2)
    assert "1 gaps interpolated, the longest 2.90 s" in trace.notes[0]
    slow = tmp_path / "minutes.csv"
    slow.write_text("t_s,total_w\n" + "".join(f"{60 * i},5\n" for i in range(10)))
    assert read_trace(slow).duration_s == 540.0


def test_power_is_taken_as_it_is_without_a_scale(
    tmp_path: Path, make_site: MakeSite, run: Run
) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("t_s,power_w\n0,60000\n2,60000\n2.02,200000\n6,200000\n")
    compute = Compute(make_site(Load(kind="trace", trace=str(path))))
    it_w = run(compute, 8.0).sum(axis=1)
    assert it_w[90] == pytest.approx(60e3, rel=1e-4)
    assert it_w[-1] == pytest.approx(200e3, rel=1e-4), "the last value holds"


def test_peaks_beyond_nameplate_are_replayed_until_a_cap_is_written(
    tmp_path: Path, make_site: MakeSite, run: Run
) -> None:
    path = tmp_path / "flat.csv"
    path.write_text("t_s,power_w\n0,1\n100,1\n")
    compute = Compute(make_site(Load(kind="trace", trace=str(path), scale_to_w=264e3)))
    assert run(compute, 2.0)[-1].sum() == pytest.approx(264e3, rel=1e-4)
    compute.write_caps(np.arange(36), np.full(36, 6000.0))
    assert run(compute, 2.0)[-1].sum() <= 36 * 6000.0 + 2 * 9 * 900.0


def test_columns_map_onto_accelerators(tmp_path: Path, make_site: MakeSite, run: Run) -> None:
    path = tmp_path / "two.csv"
    path.write_text("t_s,gpu0_w,gpu1_w,total_w\n0,700,350,1050\n9,700,350,1050\n")
    compute = Compute(make_site(Load(kind="trace", trace=str(path))))
    run(compute, 2.0)
    power_w = compute.slots.power_w[:, :72]
    np.testing.assert_allclose(power_w[:, ::2], 1200.0, rtol=1e-4)
    np.testing.assert_allclose(power_w[:, 1::2], 600.0, rtol=1e-4)


@pytest.mark.parametrize("name", ["ckpt100", "ckpt500", "ckpt1000"])
def test_measured_training_traces_keep_their_energy(
    shared: Path, make_site: MakeSite, run: Run, name: str
) -> None:
    path = shared / f"data/power/h100x8_train_{name}_10hz.csv.gz"
    trace = read_trace(path)
    compute = Compute(make_site(Load(kind="trace", trace=str(path), scale_to_w=264e3)))
    it_w = run(compute, 600.0, block=50).sum(axis=1).reshape(-1, 5).mean(axis=1)
    time_s = 0.1 * np.arange(len(it_w)) + 0.05
    expected_w = np.interp(time_s, trace.time_s, trace.total_w) * 264e3 / trace.total_w.max()
    assert it_w.sum() == pytest.approx(expected_w.sum(), rel=0.005)
    assert np.sqrt(((it_w - expected_w) ** 2).mean()) < 2e3
    assert compute.throughput_mean == 1.0


def test_deaveraging_sharpens_edges_and_keeps_energy() -> None:
    time_s = np.arange(0.0, 60.0, 0.1)
    true_w = np.where(time_s % 10.0 < 5.0, 700.0, 100.0)
    seen_w = np.convolve(np.pad(true_w, (9, 0), mode="edge"), np.ones(10) / 10.0, "valid")
    trace = Trace(source="x", time_s=time_s, total_w=seen_w, gpu_w=np.empty((600, 0)))
    back = deaverage(trace)
    assert back.total_w.sum() == pytest.approx(seen_w.sum())
    inner = slice(50, 550)
    error_before = np.sqrt(((seen_w - true_w)[inner] ** 2).mean())
    error_after = np.sqrt(((back.total_w - true_w)[inner] ** 2).mean())
    assert error_after < 0.5 * error_before
    assert "whole hertz" in back.notes[-1]
