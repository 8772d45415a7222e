"""Engine generators: a source of their own, started when the feed they stand in for is gone."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

GENSET = DeviceKind(
    name="genset",
    stands=("site",),
    order=5,
    table="genset",
    role="source",
    power="output_w",
    points=(
        PointKind(
            name="output_w",
            needed=True,
            sensor=Sensor(window_s=0.1, gain_frac=0.01, quantum=100.0),
            shown="sum",
            total="gensets",
        ),
        PointKind(name="fuel_frac", sensor=Sensor(quantum=0.01), shown="min"),
        PointKind(name="voltage_v", sensor=Sensor(gain_frac=0.005, quantum=0.1)),
        PointKind(
            name="frequency_hz",
            plausible=(-1.0, 100.0),  # an engine at rest has none
            sensor=Sensor(refresh_s=0.1, bias=0.01, quantum=0.01),
        ),
        PointKind(name="start_count", write=(0.0, 1.0)),
        PointKind(name="*_degc", sensor=Sensor(bias=1.0, quantum=1.0)),
    ),
    synchronous=True,
    drawing=Drawing(symbol="genset", order=0, label="Genset"),
)
