"""The judge of a meter record: limits and ramps over every distance up to 60 s."""

from pathlib import Path

import numpy as np
from msgspec.structs import replace

from mallee.catalogue import load_site
from mallee.site.compliance import check_record, ramp_tolerance_w
from mallee.site.contract import Ramp

GRID = load_site(Path(__file__).parents[2] / "examples/sites/charging-site.toml").grid


def test_a_ramp_at_the_limit_is_no_violation() -> None:
    record = 200e3 + 1000.0 * np.arange(300.0)
    found = check_record(record, GRID)
    assert found.over_ramp.sum() == found.over_ramp_strict.sum() == 0
    assert found.ramp_excess_w.max() == 0.0


def test_a_step_beyond_the_tolerance_is_one_until_the_ramp_has_caught_up() -> None:
    record = np.full(300, 200e3)
    record[100:] += 40e3
    found = check_record(record, GRID)
    assert found.over_ramp.sum() == 27  # after 28 s, 28 kW and 12 kW of tolerance
    assert found.over_ramp_strict.sum() == 39
    assert found.ramp_excess_w.max() == 39e3
    assert ramp_tolerance_w(GRID) == 12e3
    assert found.change_1s_max_w == 40e3


def test_a_step_down_counts_too() -> None:
    record = np.full(300, 200e3)
    record[100:] -= 40e3
    assert check_record(record, GRID).over_ramp.sum() == 27


def test_seconds_over_the_import_limit_and_of_export_are_counted() -> None:
    record = np.full(100, 590e3)
    record[10:13] = 601e3
    record[20] = -1.0
    found = check_record(record, GRID)
    assert (found.over_import.sum(), found.over_export.sum()) == (3, 1)


def test_a_record_shorter_than_the_window_is_judged_as_far_as_it_goes() -> None:
    assert check_record(np.array([1.0]), GRID).over_ramp.sum() == 0
    assert check_record(np.empty(0), GRID).over_import.size == 0


def test_a_window_counts_any_two_seconds_within_it() -> None:
    """A contract "30 kW within 10 s" allows the step at once, and no more for ten seconds."""
    window = Ramp(window_s=10.0, up_max_w=30e3, down_max_w=20e3)
    feed = replace(GRID, ramps=[window], ramp_up_max_w_per_s=None, ramp_down_max_w_per_s=None)
    step = np.full(60, 200e3)
    step[20:] += 30e3
    assert check_record(step, feed).over_ramp_strict.sum() == 0
    step[25:] += 5e3
    assert check_record(step, feed).over_ramp_strict.sum() == 5
    assert check_record(step[::-1], feed).ramp_excess_w.max() == 15e3


def test_a_contract_without_ramps_limits_none() -> None:
    feed = replace(GRID, ramp_up_max_w_per_s=None, ramp_down_max_w_per_s=None)
    record = np.array([0.0, 600e3, 0.0])
    assert check_record(record, feed).over_ramp_strict.sum() == 0
