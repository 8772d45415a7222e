"""Meters: at a utility feed, or at any branch inside the site."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

_CLASS_02S = Sensor(window_s=0.1, refresh_s=0.1, gain_frac=0.002, noise_frac=2e-4, quantum=1.0)
"""IEC 62053-22 class 0.2 S; a meter for control refreshes within 0.2 s."""

METER = DeviceKind(
    name="meter",
    stands=("site", "pod"),
    order=0,
    table="meter",
    role="measures",
    points=(
        PointKind(
            name="import_w", needed=True, sensor=_CLASS_02S, shown="sum", total="grid import"
        ),
        PointKind(name="frequency_hz", sensor=Sensor(refresh_s=0.1, bias=0.005, quantum=0.001)),
        PointKind(
            name="voltage_v",
            sensor=Sensor(window_s=0.1, refresh_s=0.1, gain_frac=0.002, quantum=0.1),
        ),
        PointKind(
            name="current_a",
            sensor=Sensor(window_s=0.1, refresh_s=0.1, gain_frac=0.002, quantum=0.01),
        ),
        PointKind(name="reactive_var", sensor=_CLASS_02S),
        PointKind(name="apparent_va", sensor=_CLASS_02S),
        PointKind(name="*_energy_wh", sensor=_CLASS_02S),
        PointKind(name="*", sensor=_CLASS_02S),
    ),
    drawing=Drawing(symbol="meter", order=0, label="Meter"),
)
