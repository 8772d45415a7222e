"""Which devices of a simulated site answer real protocols, and which are read in memory.

An emulated device costs processor time on both sides of its socket, about 0.8 ms a reading for the
collector and 0.5 ms for the twin (measured: 600 readings a second took 0.47 and 0.30 of a core).
Two cores hold some 900 beside everything else. A larger site keeps a sample of each group of equal
devices on real protocols; the rest are read from the twin's reported values through shared memory,
see `twin_feed`. Sites of real devices have no such rest.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.device_model import DeviceModel
from mallee.site.model import DeviceGroup, SiteModel

READINGS_MAX_PER_S: Final = 900.0
"""Simulated sites are emulated whole up to so many readings a second over all devices."""
SAMPLE_PER_S: Final = 150.0
"""Readings a second of a larger site that go by protocol, shared out evenly among its groups."""


def speaking(site: SiteModel) -> NDArray[np.bool_]:
    """Whether each device answers a real protocol; the first of each group do.  # (devices,)"""
    speaks = _counts(site.file.twin is not None, site.groups)
    chosen = np.zeros(site.device_count, np.bool_)
    for group, count in zip(site.groups, speaks, strict=True):
        chosen[group.first_device : group.first_device + count] = True
    return chosen


def readings_per_s(model: DeviceModel) -> float:
    """How often a device of a model is read, over all its protocols."""
    return sum(1.0 / protocol.poll_s for protocol in model.protocol.values())


def _counts(simulated: bool, groups: tuple[DeviceGroup, ...]) -> list[int]:
    """How many of each group speak."""
    total_per_s = sum(group.count * readings_per_s(group.model) for group in groups)
    if not simulated or total_per_s <= READINGS_MAX_PER_S:
        return [group.count for group in groups]
    share_per_s = SAMPLE_PER_S / len(groups)
    return [
        min(group.count, max(1, int(share_per_s / max(readings_per_s(group.model), 1e-3))))
        for group in groups
    ]
