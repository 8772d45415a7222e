"""Transfer switches: a branch that takes one of two sources.

A site file writes them as a branch, `[[transfer_switch]]`, with a model where one has an address.
"""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

TRANSFER_SWITCH = DeviceKind(
    name="transfer_switch",
    stands=("site",),
    order=4,
    role="in_line",
    points=(
        PointKind(name="*_w", sensor=Sensor(gain_frac=0.01, quantum=100.0), shown="sum"),
        PointKind(name="source_count", shown="max"),
    ),
    two_feeds=True,
    drawing=Drawing(symbol="transfer_switch", order=3, label="Transfer switch"),
)
