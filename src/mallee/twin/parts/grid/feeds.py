"""The utility feeds of a site, each with voltage and frequency of its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.site.model import SiteModel
from mallee.twin.clock import Clock
from mallee.twin.part import Part, Saved
from mallee.twin.parts.grid.grid import Grid


class Feeds(Part):
    """All utility feeds, in the order of the site file.

    Attributes:
        grids: what the utility does at each.
    """

    def __init__(self, site: SiteModel, clock: Clock) -> None:
        self.grids = tuple(Grid(feed.frequency_hz, clock) for feed in site.file.feeds)

    def block(self, start_ms: int, steps: int) -> tuple[FloatArray, FloatArray]:
        """Voltage in per unit and frequency of each feed and step.  # (feeds, steps) each"""
        if len(self.grids) == 1:
            voltage_pu, frequency_hz = self.grids[0].block(start_ms, steps)
            return voltage_pu[None], frequency_hz[None]
        blocks = [grid.block(start_ms, steps) for grid in self.grids]
        return np.stack([pu for pu, _ in blocks]), np.stack([hz for _, hz in blocks])

    def save(self) -> Saved:
        """See `Part.save`."""
        return {
            f"{number}/{name}": array
            for number, grid in enumerate(self.grids)
            for name, array in grid.save().items()
        }

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """See `Part.restore`."""
        for number, grid in enumerate(self.grids):
            prefix = f"{number}/"
            own = {n.removeprefix(prefix): a for n, a in saved.items() if n.startswith(prefix)}
            grid.restore(own)
