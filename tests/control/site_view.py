"""A demo-like site whose readings a test sets by hand: what `cycle` sees, without any twin."""

from pathlib import Path

import numpy as np

from mallee.catalogue import load_site
from mallee.control import limits_of
from mallee.core.snapshot import Quality, Snapshot
from mallee.site.model import SiteModel

EXAMPLE = Path(__file__).parents[2] / "examples/sites/charging-site.toml"


class SiteView:
    """The charging site with all devices answering: half-full battery, idle chargers."""

    def __init__(self, site: SiteModel | None = None) -> None:
        self.site = site or load_site(EXAMPLE)
        self.limits = limits_of(self.site)
        count = self.site.point_count
        self.values = np.zeros(count)
        self.ages_s = np.zeros(count)
        self.quality = np.zeros(count, np.uint8)
        nodes = self.limits.nodes
        self.values[nodes.cap_rows] = nodes.cap_max_w
        for battery in self.limits.batteries:
            self.values[battery.rows["soc"]] = 0.6
            self.values[battery.rows["charge_available_w"]] = battery.charge_max_w
            self.values[battery.rows["discharge_available_w"]] = battery.discharge_max_w
        self.set(import_w=300e3)

    def set(
        self, *, import_w: float, charge_w: float = 0.0, chargers_w: tuple[float, ...] = (0.0, 0.0)
    ) -> None:
        """Meter, battery and chargers; the nodes draw what is left, so that readings agree."""
        pods_w = max(0.0, import_w - charge_w - sum(chargers_w))
        nodes = self.limits.nodes
        self.values[nodes.power_rows] = pods_w / nodes.factor.sum()
        self.values[self.limits.meter_row] = import_w
        self.values[self.limits.batteries[0].rows["charge_w"]] = charge_w
        for charger, power_w in zip(self.limits.chargers, chargers_w, strict=True):
            self.values[charger.power_row] = power_w

    def lose(self, path: str) -> None:
        """A point goes stale and keeps its last value."""
        row = self.site.find_point(path)
        assert row is not None
        self.quality[row] = Quality.STALE
        self.ages_s[row] = 10.0

    def battery(self, point: str, value: float) -> None:
        """Set a reading of the battery."""
        self.values[self.limits.batteries[0].rows[point]] = value

    def snapshot(self, time_s: float) -> Snapshot:
        """What control sees at a time."""
        return Snapshot(
            time_s=time_s,
            values=self.values.copy(),
            times_s=time_s - self.ages_s,
            quality=self.quality.copy(),
            progress=np.zeros(self.values.size, np.uint8),
        )
