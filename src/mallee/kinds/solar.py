"""Solar plants behind an inverter."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

SOLAR = DeviceKind(
    name="solar",
    stands=("site",),
    order=6,
    table="solar",
    role="source",
    power="output_w",
    points=(
        PointKind(
            name="output_w",
            needed=True,
            sensor=Sensor(window_s=1.0, gain_frac=0.01, quantum=10.0),
            shown="sum",
            total="solar",
        ),
        PointKind(name="output_max_w", write=(0.0, "power_max_w"), lease_s=60.0),
        PointKind(name="voltage_v", sensor=Sensor(gain_frac=0.005, quantum=0.1)),
        PointKind(name="*_degc", sensor=Sensor(bias=1.0, quantum=0.1)),
        PointKind(name="energy_wh", sensor=Sensor(gain_frac=0.01, quantum=1.0)),
    ),
    drawing=Drawing(symbol="solar", order=3, label="Solar"),
)
