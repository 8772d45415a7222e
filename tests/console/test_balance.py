"""Branch sums that close: against known truth, and against a sensor that lies."""

import numpy as np
import pytest

from mallee.console.balance import ADJUSTED_MAX_FRAC, KNOWN_S, MEAN_S, Balance, Smooth
from mallee.console.places import Place, PowerTree, Sources


def tree() -> PowerTree:
    """A metered feed with a battery, a transformer of its own loss with two racks, and losses."""
    places = [
        Place(id="grid", parent=-1, symbol="grid", label="", order=0, metered=True),
        Place(id="bess", parent=0, symbol="battery", label="", order=0, box=True),
        Place(id="tx", parent=0, symbol="transformer", label="", order=0, rating_w=1e6),
        Place(id="r1", parent=2, symbol="rack", label="", order=0, box=True),
        Place(id="r2", parent=2, symbol="rack", label="", order=0, box=True),
        Place(id="tx/l", parent=2, symbol="losses", label="", order=0, box=True, computed=True),
        Place(id="grid/l", parent=0, symbol="losses", label="", order=0, box=True, computed=True),
    ]
    sources = [Sources() for _ in places]
    sources[1].fast = True
    sources[2].no_load_w, sources[2].load_loss_w = 1500.0, 9000.0
    return PowerTree(places=places, sources=sources)


UNMETERED_W = 8e3


def own(bess_w: float, r1_w: float, r2_w: float, seen: float = 1.0) -> np.ndarray:
    load_w = r1_w + r2_w
    loss_w = 1500.0 + 9000.0 * (load_w / 1e6) ** 2
    meter_w = bess_w + load_w + loss_w + UNMETERED_W
    nan = np.nan
    return np.array([meter_w, bess_w, nan, r1_w * seen, r2_w * seen, nan, nan])


def apart_w(power_w: np.ndarray, branch: int) -> float:
    below = [i for i, place in enumerate(tree().places) if place.parent == branch]
    return float(abs(power_w[branch] - power_w[below].sum()))


def test_a_branch_without_a_meter_is_its_sum_and_its_own_loss() -> None:
    balance = Balance(tree())
    for _ in range(MEAN_S + KNOWN_S):
        power_w = balance.powers(own(50e3, 100e3, 120e3))
        assert np.isnan(power_w[6]), "what a meter loses is not told before it is known"
    power_w = balance.powers(own(50e3, 100e3, 120e3))
    assert power_w[2] == pytest.approx(220e3 + 1500.0 + 9000.0 * 0.22**2)
    assert power_w[5] == pytest.approx(1500.0 + 9000.0 * 0.22**2)
    assert power_w[6] == pytest.approx(UNMETERED_W)
    assert apart_w(power_w, 0) < 1e-6 and apart_w(power_w, 2) < 1e-6


def test_the_first_frames_close_or_say_nothing() -> None:
    """Short means of the first seconds do not add up; they must not be shown as losses."""
    smooth, balance, worst_plain = Smooth(), Balance(tree()), 0.0
    for second in range(40):
        swing, late = (1.0 + 0.3 * np.sin(1.1 * at) for at in (second, second - 1.2))
        read = smooth.add(own(50e3, 100e3 * swing, 120e3 * swing, late / swing))
        power_w = balance.powers(read)
        gap_w = apart_w(power_w, 0)
        assert np.isnan(gap_w) == (second < MEAN_S + KNOWN_S)
        assert np.isnan(gap_w) or gap_w < 0.01 * power_w[0]
        if second < MEAN_S:
            plain_w = read[0] - np.nansum(read[[1, 3, 4]]) - power_w[5] - UNMETERED_W
            worst_plain = max(worst_plain, abs(plain_w) / read[0])
    assert worst_plain > 0.03  # the null case: what was shown before


def test_a_swing_that_sensors_see_late_closes_and_without_reconciling_does_not() -> None:
    balance, worst, worst_plain = Balance(tree()), 0.0, 0.0
    for second in range(200):
        swing = 1.0 + 0.06 * np.sin(second)
        late = (1.0 + 0.06 * np.sin(second - 1.2)) / swing
        read = own(50e3, 100e3 * swing, 120e3 * swing, late)
        power_w = balance.powers(read)
        if second > 80:
            worst = max(worst, apart_w(power_w, 0) / power_w[0])
            plain_w = read[0] - np.nansum(read[[1, 3, 4]]) - power_w[5] - power_w[6]
            worst_plain = max(worst_plain, abs(plain_w) / read[0])
    assert worst < 0.01
    assert worst_plain > 0.03  # the null case


def test_a_lasting_difference_is_shown_as_loss_and_not_hidden() -> None:
    balance = Balance(tree())
    power_w = np.zeros(0)
    for second in range(200):
        seen = 1.0 if second < 100 else 0.9  # a tenth of what the racks draw is no longer told
        power_w = balance.powers(own(50e3, 100e3, 120e3, seen))
    assert power_w[3] == pytest.approx(90e3, rel=1e-3)
    assert power_w[6] == pytest.approx(UNMETERED_W + 22e3, rel=0.01)
    assert balance.adjusted_w < 100.0


def test_more_than_a_tenth_is_not_adjusted_but_stays_apart() -> None:
    balance = Balance(tree())
    for _ in range(60):
        balance.powers(own(50e3, 100e3, 120e3))
    power_w = balance.powers(own(50e3, 100e3, 120e3, 0.5))
    assert power_w[3] == pytest.approx(50e3 * (1.0 + ADJUSTED_MAX_FRAC))
    assert apart_w(power_w, 0) / power_w[0] > 0.2


def test_what_is_read_fast_is_not_adjusted() -> None:
    balance = Balance(tree())
    for second in range(100):
        power_w = balance.powers(own(50e3, 100e3, 120e3, 1.0 + 0.03 * (second % 2)))
        assert power_w[1] == 50e3


def test_a_mean_forgets_after_ten_seconds_and_keeps_the_unknown_unknown() -> None:
    smooth, mean = Smooth(), np.zeros(0)
    for _ in range(20):
        mean = smooth.add(np.array([1.0, np.nan]))
    assert mean[0] == pytest.approx(1.0) and np.isnan(mean[1])
    for _ in range(10):
        mean = smooth.add(np.array([3.0, 5.0]))
    assert mean.tolist() == pytest.approx([3.0, 5.0])


@pytest.mark.parametrize("period_s", [2.0, 2.5, 3.3, 5.0])
def test_a_swing_is_gone_from_the_mean(period_s: float) -> None:
    smooth = Smooth()
    means = [
        smooth.add(np.array([np.sin(2.0 * np.pi * second / period_s)]))[0] for second in range(60)
    ]
    assert np.abs(means[20:]).max() < 0.06
