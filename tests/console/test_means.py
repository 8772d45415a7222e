"""One-second means of fast points."""

import numpy as np

from mallee.console.means import SecondMeans
from mallee.core.snapshot import Quality, Snapshot
from mallee.site.model import SiteModel


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


def test_a_mean_is_of_the_good_samples_since_the_last(demo_site: SiteModel) -> None:
    means = SecondMeans(demo_site)
    row = demo_site.find_point("bess1/charge_w")
    for value, quality in ((-100.0, Quality.GOOD), (300.0, Quality.GOOD), (9e9, Quality.STALE)):
        means.add(snapshot(demo_site, value, quality))
    latest = np.zeros(demo_site.point_count)
    assert means.take(latest)[row] == 100.0
    assert latest[row] == 0.0
    assert means.take(latest)[row] == 0.0  # no sample since: the latest value stands
