"""Coolant distribution units: pumps and a heat exchanger between facility water and racks."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

CDU = DeviceKind(
    name="cdu",
    stands=("pod",),
    order=10,
    table="cdu",
    role="load",
    power="power_w",
    points=(
        PointKind(
            name="supply_set_degc", write=("supply_min_degc", "supply_max_degc"), shown="min"
        ),
        # Pt1000 class B with its transmitter, magnetic-inductive flow meter [assumed].
        PointKind(name="supply_degc", sensor=Sensor(bias=0.3, quantum=0.1), shown="max"),
        PointKind(name="return_degc", sensor=Sensor(bias=0.3, quantum=0.1), shown="max"),
        PointKind(name="*_degc", sensor=Sensor(bias=0.3, quantum=0.1)),
        PointKind(name="flow_kgps", sensor=Sensor(gain_frac=0.01, noise_frac=0.003, quantum=0.001)),
        PointKind(name="heat_w", sensor=Sensor(gain_frac=0.03, noise_frac=0.005, quantum=100.0)),
        PointKind(
            name="power_w", sensor=Sensor(gain_frac=0.02, quantum=10.0), shown="sum", total="CDUs"
        ),
        PointKind(name="pump*_speed_frac", sensor=Sensor(quantum=0.01)),
        PointKind(name="leak_count", shown="sum"),
    ),
    parameters=(
        "rating_w",
        "conductance_w_per_k",
        "secondary_kgps",
        "primary_kgps",
        "pump_max_w",
        "supply_min_degc",
        "supply_max_degc",
    ),
    drawing=Drawing(symbol="cdu", order=7, label="CDU"),
)
