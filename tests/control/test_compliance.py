"""The judge of a meter record: limits and ramps over every distance up to 60 s."""

from pathlib import Path

import numpy as np

from mallee.catalogue import load_site
from mallee.control.compliance import check_record

GRID = load_site(Path(__file__).parents[2] / "examples/sites/charging-site.toml").grid


def test_a_ramp_at_the_limit_is_no_violation() -> None:
    record = 200e3 + 1000.0 * np.arange(300.0)
    assert check_record(record, GRID).ramp_violations == 0


def test_a_step_beyond_the_tolerance_is_one_until_the_ramp_has_caught_up() -> None:
    record = np.full(300, 200e3)
    record[100:] += 40e3
    found = check_record(record, GRID)
    assert found.ramp_violations == 27  # after 28 s, 28 kW and 12 kW of tolerance
    assert found.change_1s_max_w == 40e3


def test_a_step_down_counts_too() -> None:
    record = np.full(300, 200e3)
    record[100:] -= 40e3
    assert check_record(record, GRID).ramp_violations == 27


def test_seconds_over_the_import_limit_and_of_export_are_counted() -> None:
    record = np.full(100, 590e3)
    record[10:13] = 601e3
    record[20] = -1.0
    found = check_record(record, GRID)
    assert found.limit_violations == 4
    assert (found.grid_max_w, found.grid_min_w) == (601e3, -1.0)


def test_a_record_shorter_than_the_window_is_judged_as_far_as_it_goes() -> None:
    assert check_record(np.array([1.0]), GRID).ramp_violations == 0
    assert check_record(np.empty(0), GRID).limit_violations == 0
