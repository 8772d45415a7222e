"""Power shelves: rectifiers between a rack's feed and its busbar."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, PointKind

POWER_SHELF = DeviceKind(
    name="power_shelf",
    stands=("rack",),
    order=18,
    rack_table="power_shelves",
    letter="ps",
    role="passes",
    points=(
        PointKind(
            name="*_w", sensor=Sensor(window_s=1.0, gain_frac=0.02, quantum=1.0), shown="sum"
        ),
        PointKind(name="*_energy_wh", sensor=Sensor(gain_frac=0.02, quantum=1.0)),
        PointKind(name="*_degc", sensor=Sensor(bias=1.0, quantum=1.0)),
    ),
)
