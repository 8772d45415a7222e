"""Means of fast points: of the last second to keep, of the same time as slow ones to show."""

import math

import numpy as np
import pytest

from mallee.console.aligned import SecondMeans
from mallee.core.snapshot import Quality, Snapshot
from mallee.site.model import SiteModel

PERIOD_S = 2.5


def snapshot(site: SiteModel, value: float, quality: Quality = Quality.GOOD) -> Snapshot:
    count = site.point_count
    return Snapshot(
        time_s=1.0,
        values=np.full(count, value),
        times_s=np.ones(count),
        quality=np.full(count, quality, np.uint8),
        progress=np.zeros(count, np.uint8),
    )


def test_powers_of_meter_and_battery_are_averaged_and_nothing_else(demo_site: SiteModel) -> None:
    means = SecondMeans(demo_site)
    averaged = {demo_site.point_path(int(row)) for row in means.rows}
    assert {"meter/import_w", "meter/frequency_hz", "bess1/charge_w"} <= averaged
    for other in ("bess1/soc", "bess1/mode", "bess1/charge_set_w", "meter/import_energy_wh"):
        assert other not in averaged
    assert not any(path.startswith("pod1") for path in averaged)


def test_a_mean_is_of_the_good_samples_of_the_last_second(demo_site: SiteModel) -> None:
    means = SecondMeans(demo_site)
    row = demo_site.find_point("bess1/charge_w")
    for value, quality in ((-100.0, Quality.GOOD), (300.0, Quality.GOOD), (9e9, Quality.STALE)):
        means.add(snapshot(demo_site, value, quality))
    latest = np.zeros(demo_site.point_count)
    assert means.of_last_second(latest)[row] == 100.0
    assert latest[row] == 0.0
    for _ in range(10):
        means.add(snapshot(demo_site, 9e9, Quality.STALE))
    assert means.of_last_second(latest)[row] == 0.0  # no sample since: the latest value stands


def load_w(time_s: float) -> float:
    return 200e3 + 60e3 * math.sin(2.0 * math.pi * time_s / PERIOD_S)


def mean_w(until_s: float) -> float:
    """Mean of the load over the second before."""
    turns = [2.0 * math.pi * time_s / PERIOD_S for time_s in (until_s - 1.0, until_s)]
    swing = (math.cos(turns[0]) - math.cos(turns[1])) * PERIOD_S / (2.0 * math.pi)
    return 200e3 + 60e3 * swing


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_meter_is_averaged_over_the_time_that_nodes_speak_of(
    demo_site: SiteModel, seed: int
) -> None:
    """Nodes refresh once a second and are polled once a second, each when it likes."""
    site, rng = demo_site, np.random.default_rng(seed)
    nodes, meter = site.rows("node", "power_w"), site.rows("meter", "import_w")
    refreshes_s, polls_s = rng.random(len(nodes)), rng.random(len(nodes))
    means, apart, apart_unaligned = SecondMeans(site), [], []
    now = snapshot(site, np.nan)
    for tick in range(250):
        time_s = 10.0 + tick / 10.0
        values, times_s = np.full(site.point_count, np.nan), np.full(site.point_count, -np.inf)
        read_s = np.floor(time_s - polls_s) + polls_s
        formed_s = np.floor(read_s - refreshes_s) + refreshes_s
        values[nodes] = [mean_w(until_s) / len(nodes) for until_s in formed_s]
        times_s[nodes] = read_s
        values[meter], times_s[meter] = load_w(time_s - 0.1), time_s - 0.05
        now = Snapshot(
            time_s=time_s,
            values=values,
            times_s=times_s,
            quality=np.zeros(site.point_count, np.uint8),
            progress=np.zeros(site.point_count, np.uint8),
        )
        means.add(now)
        if tick > 100:
            apart.append(means.aligned(now)[meter][0] - values[nodes].sum())
            apart_unaligned.append(means.of_last_second(values)[meter][0] - values[nodes].sum())
    assert np.std(apart) < 10e3
    assert np.std(apart_unaligned) > 3.0 * np.std(apart)  # the null case
