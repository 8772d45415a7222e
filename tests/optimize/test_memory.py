"""What the planner remembers: holes, long gaps, plan beside actual, and a restart."""

import math

import numpy as np
import pytest

from mallee.optimize.horizon import FINE_S
from mallee.optimize.memory import COLUMNS, KEPT, Memory, decode, encode


def filled(count: int, start_utc_s: float = 0.0) -> Memory:
    memory = Memory()
    for k in range(count):
        memory.close(start_utc_s + FINE_S * k, 100.0 + k, 90.0 + k, -10.0)
    return memory


def test_a_hole_repeats_the_load_and_blanks_the_meter() -> None:
    memory = filled(3)
    memory.close(5 * FINE_S, 200.0, 190.0, -10.0)
    assert memory.columns["load_w"] == [100.0, 101.0, 102.0, 102.0, 102.0, 200.0]
    assert np.isnan(memory.columns["import_w"][3:5]).all()
    assert [utc_s for utc_s, _ in memory.readings()] == [0.0, 300.0, 600.0, 1500.0]
    assert memory.end_utc_s == 6 * FINE_S


@pytest.mark.parametrize("at_s", [-FINE_S, 40 * 86400.0])
def test_after_a_jump_of_the_clock_it_begins_anew(at_s: float) -> None:
    memory = filled(5)
    memory.close(at_s, 7.0, 7.0, 0.0)
    assert memory.columns["load_w"] == [7.0]


def test_what_was_planned_stands_beside_what_came() -> None:
    memory = filled(2)
    memory.foretell(2 * FINE_S, planned_import_w=50.0)
    memory.foretell(2 * FINE_S, forecast_hour_w=60.0)
    memory.foretell(9 * FINE_S, forecast_hour_w=1.0)
    memory.close(2 * FINE_S, 61.0, 51.0, -10.0)
    assert memory.columns["planned_import_w"][-1] == 50.0
    assert memory.columns["forecast_hour_w"][-1] == 60.0
    assert math.isnan(memory.columns["planned_charge_w"][-1])
    assert list(memory.pending) == [9]


def test_it_survives_a_restart_and_nothing_else_is_taken_for_it() -> None:
    memory = filled(4)
    memory.foretell(9 * FINE_S, forecast_hour_w=1.0)
    again = decode(encode(memory))
    assert again is not None
    assert again.columns["load_w"] == memory.columns["load_w"]
    assert again.pending == memory.pending
    assert decode(b"rubbish") is None
    memory.columns["load_w"].append(1.0)
    assert decode(encode(memory)) is None


def test_series_and_yesterday() -> None:
    memory = filled(300)
    assert memory.series("load_w", 298 * FINE_S).values.tolist() == [398.0, 399.0]
    assert memory.series("load_w", 1e9).values.size == 0
    yesterday = memory.yesterday_w()
    assert np.isnan(yesterday[:288]).all()
    assert yesterday[288:].tolist() == [100.0 + k for k in range(12)]
    assert np.isnan(filled(5).yesterday_w()).all()
    assert set(memory.columns) == set(COLUMNS)
    assert KEPT > 31 * 288
