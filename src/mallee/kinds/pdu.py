"""Power distribution units and remote power panels: a branch with a meter in it."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

_CLASS_1 = Sensor(window_s=1.0, gain_frac=0.01, quantum=1.0)

PDU = DeviceKind(
    name="pdu",
    stands=("site", "pod"),
    order=17,
    table="pdu",
    role="in_line",
    power="input_w",
    points=(
        PointKind(name="*_w", sensor=_CLASS_1, shown="sum"),
        PointKind(name="energy_wh", sensor=_CLASS_1),
        PointKind(name="*_energy_wh", sensor=_CLASS_1),
        PointKind(name="*_va", sensor=_CLASS_1),
        PointKind(name="*_a", sensor=Sensor(window_s=1.0, gain_frac=0.01, quantum=0.01)),
        PointKind(name="*_v", sensor=Sensor(window_s=1.0, gain_frac=0.005, quantum=0.1)),
        PointKind(name="frequency_hz", sensor=Sensor(bias=0.01, quantum=0.1)),
        PointKind(name="power_factor_frac", sensor=Sensor(quantum=0.01)),
    ),
    drawing=Drawing(symbol="pdu", order=5, label="PDU"),
)
