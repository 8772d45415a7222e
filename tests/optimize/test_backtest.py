"""Closed loops: a plan saves money against nothing, stays under perfection, and loses nothing."""

import numpy as np
import pytest

from mallee.optimize.backtest import bound, play, rule
from mallee.optimize.closed_loop import Case
from mallee.optimize.forecast import persistence, quantile, score, seasonal
from mallee.optimize.inputs import Battery
from mallee.optimize.peak import holdable_peaks_w, ride_through_wh
from mallee.optimize.scenarios import load_paths_w
from mallee.optimize.series import Series
from mallee.optimize.tariff.file import DemandRate, EnergyRate, TariffFile

START_UTC_S = 1_783_900_800.0
TARIFF = TariffFile(
    name="t",
    energy=[EnergyRate(name="energy", market="da")],
    demand=[DemandRate(name="peak", usd_per_w_month=10e-3)],
)


def case(days: int) -> Case:
    rng = np.random.default_rng(3)
    fives = np.arange(288 * (days + 5))
    shape = 1e6 + 8e5 * ((fives % 288 > 200) & (fives % 288 < 236))
    load = Series(START_UTC_S - 2 * 86400.0, 300.0, shape + rng.normal(0.0, 2e4, fives.size))
    price = 50.0 + 30.0 * np.sin(np.arange(24 * (days + 5)) / 24.0 * 2.0 * np.pi)
    return Case(
        battery=Battery(
            name="b", energy_wh=3e6, soc=0.5, charge_max_w=1.5e6, discharge_max_w=1.5e6
        ),
        tariff=TARIFF,
        load_w=load,
        markets={"da": Series(load.start_utc_s, 3600.0, price)},
        import_max_w=3e6,
        from_utc_s=START_UTC_S,
        until_utc_s=START_UTC_S + days * 86400.0,
    )


@pytest.mark.slow
def test_plans_save_most_of_what_can_be_saved() -> None:
    here = case(1)
    nothing, planned, best = play(here, None), play(here, "persistence"), bound(here)
    ruled = rule(here, 1.3e6, 1.1e6)
    assert nothing.cost_usd > planned.cost_usd > best.cost_usd
    possible = nothing.cost_usd - best.cost_usd
    assert (nothing.cost_usd - planned.cost_usd) / possible > 0.85
    assert planned.cost_usd < ruled.cost_usd
    assert planned.plans == 288
    assert (planned.lost, planned.over_limit) == (0, 0)


def test_a_peak_is_held_exactly_as_far_as_energy_goes() -> None:
    battery = Battery(
        name="b", energy_wh=2e6, soc=0.5, soc_min=0.0, soc_max=1.0, charge_max_w=1e6,
        discharge_max_w=1e6, charge_efficiency=1.0, discharge_efficiency=1.0,
    )  # fmt: skip
    path = np.array([[1e6, 1e6, 2e6, 2e6, 1e6]])
    hours, everywhere = np.ones(5), np.ones(5)
    [peak] = holdable_peaks_w(battery, 0.0, path, hours, everywhere, 0.0)
    assert peak == pytest.approx(1.5e6, rel=0.01)  # charged in two hours, used in two
    [free] = holdable_peaks_w(battery, 2e6, path, hours, everywhere, 1.2e6)
    assert free == pytest.approx(1.2e6, rel=0.01)
    [need] = ride_through_wh(battery, hours, path, 1.5e6)
    assert need.tolist() == [0.0, 5e5, 1e6, 5e5, 0.0, 0.0]


def test_scenarios_surround_the_history_and_repeat() -> None:
    fives = np.arange(288 * 6)
    day = 1e6 + 3e5 * np.sin(fives / 288.0 * 2.0 * np.pi)
    history = Series(0.0, 300.0, day + np.repeat([0.0, 4e4, -3e4, 5e4, 0.0, 2e4], 288))
    edges = history.end_utc_s + 900.0 * np.arange(193, dtype=np.float64)
    paths = load_paths_w(history, edges)
    assert paths.shape[1] == 192
    assert (paths == load_paths_w(history, edges)).all()
    expected = day.reshape(6, 96, 3)[0].mean(axis=1)
    middle = np.median(paths[:, :96], axis=0)
    assert np.abs(middle - expected).mean() < 0.05 * 1e6
    assert paths.min(axis=0)[:96].mean() < expected.mean() < paths.max(axis=0)[:96].mean()
    assert paths[:, :4].std() < paths[:, -96:-92].std()  # farther away less is known
    flat = load_paths_w(
        Series(0.0, 300.0, np.array([5e5])), 300.0 + 900.0 * np.arange(5, dtype=np.float64)
    )
    assert flat.mean() == pytest.approx(5e5, rel=0.05)


def test_forecasts() -> None:
    fives = np.arange(288 * 8)
    history = Series(0.0, 300.0, 1e6 + 1e5 * np.sin(fives / 288.0 * 2.0 * np.pi) + 100.0 * fives)
    edges = history.end_utc_s + np.array([0.0, 300.0, 3600.0, 86400.0])
    path = persistence(history, edges)
    assert path[0] == pytest.approx(history.values[-288] + 28800.0, rel=0.01)  # today's level
    assert persistence(history, edges, level_s=0.0)[0] == history.values[-288]
    assert quantile(history, edges, share=1.0)[0] >= seasonal(history, edges)[0]
    assert persistence(Series(0.0, 300.0, np.array([5.0])), edges).tolist() == [5.0] * 3
    actual = np.array([1.0, 2.0, np.nan])
    good = score(np.array([1.0, 2.5, 3.0]), actual, np.array([3.0, 3.0, 3.0]))
    assert (good.count, good.mean_absolute_error) == (2, 0.25)
    assert good.skill == pytest.approx(1.0 - 0.25 / 1.5)
