"""Network and NVLink switches, in racks or in a pod."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

SWITCH = DeviceKind(
    name="switch",
    stands=("pod", "rack"),
    order=16,
    table="switch",
    rack_table="switches",
    letter="sw",
    role="load",
    power="power_w",
    points=(
        PointKind(
            name="power_w",
            needed=True,
            sensor=Sensor(window_s=1.0, gain_frac=0.03, quantum=1.0),  # [assumed]
            shown="sum",
            total="switches",
        ),
        PointKind(name="*_degc", sensor=Sensor(bias=1.0, quantum=1.0)),
    ),
    parameters=("idle_w", "max_w"),
    drawing=Drawing(symbol="network", order=8, label="Network"),
)
