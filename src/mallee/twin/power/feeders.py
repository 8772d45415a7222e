"""The power tree of a site as arrays, from the site model."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.patterns import expand_range
from mallee.core.site import NO_INDEX, SiteModel
from mallee.twin.power import layout

CABLE_LOSS_FRAC: Final = 0.005
"""I2R loss of a breaker's cable or busway at its rating (assumed: 0.5 %)."""


class Feeders:
    """Parameters and state of the power tree.

    Attributes:
        units, state: what the feeders are, and their state.  # (feeders,)
        rack_feeder: feeder that each rack hangs on now.  # (racks,)
    """

    def __init__(self, site: SiteModel) -> None:
        self.names = tuple(feeder.name for feeder in site.feeders)
        self.units: NDArray[np.void] = np.zeros(len(self.names), layout.FEEDER)
        self.state: NDArray[np.void] = np.zeros(len(self.names), layout.FEEDER_STATE)
        kinds = {"grid": layout.GRID, "transformer": layout.TRANSFORMER, "breaker": layout.BREAKER}
        transformers = _by_name(site)
        for unit, feeder in zip(self.units, site.feeders, strict=True):
            unit["parent"], unit["kind"] = feeder.parent, kinds[feeder.kind]
            unit["rating_w"] = feeder.rating_w
            if feeder.kind == "transformer":
                no_load_frac, load_frac, impedance_frac = transformers[feeder.name]
                unit["no_load_w"] = no_load_frac * feeder.rating_w
                unit["load_loss_w"] = load_frac * feeder.rating_w
                unit["resistance_frac"] = load_frac
                unit["reactance_frac"] = max(0.0, impedance_frac**2 - load_frac**2) ** 0.5
            elif feeder.kind == "breaker":
                unit["load_loss_w"] = CABLE_LOSS_FRAC * feeder.rating_w
        self.state["closed"] = self.state["alive"] = 1
        self.rack_feeder = np.maximum(site.racks.feeder, 0)
        assert all(unit["parent"] == NO_INDEX for unit in self.units[:1])


def _by_name(site: SiteModel) -> dict[str, tuple[float, float, float]]:
    return {
        name: (one.no_load_loss_frac, one.load_loss_frac, one.impedance_frac)
        for one in site.file.transformer
        for name in expand_range(one.name)
    }
