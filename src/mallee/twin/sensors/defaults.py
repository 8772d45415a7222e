"""How each kind of device reports, unless its catalogue entry says otherwise.

The first row that fits a point decides. Set points, counters of events and nameplate values are
digital: they are reported as they are.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from mallee.core.device_model import DeviceModel, PointSpec, Sensor


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSpec:
    """A `Sensor` with every gap filled; the fields mean the same."""

    window_s: float = 0.0
    refresh_s: float = 1.0
    latency_s: float = 0.0
    gain_frac: float = 0.0
    bias: float = 0.0
    noise_frac: float = 0.0
    quantum: float = 0.0
    dropout_frac: float = 0.0


EXACT: Final = SensorSpec()
_FAST: Final = SensorSpec(refresh_s=0.1)

# (kind, point, how it reports, where the numbers come from)
DEFAULTS: Final[tuple[tuple[str, str, SensorSpec], ...]] = (
    # IEC 62053-22 class 0.2 S; a meter for control refreshes within 0.2 s.
    ("meter", "frequency_hz", SensorSpec(refresh_s=0.1, bias=0.005, quantum=0.001)),
    ("meter", "voltage_v", SensorSpec(window_s=0.1, refresh_s=0.1, gain_frac=0.002, quantum=0.1)),
    ("meter", "current_a", SensorSpec(window_s=0.1, refresh_s=0.1, gain_frac=0.002, quantum=0.01)),
    (
        "meter",
        "*",
        SensorSpec(window_s=0.1, refresh_s=0.1, gain_frac=0.002, noise_frac=2e-4, quantum=1.0),
    ),
    # A battery's own metering is class 0.5; its state of charge is already an estimate.
    ("battery", "charge_w", SensorSpec(window_s=0.1, refresh_s=0.1, gain_frac=0.005, quantum=10.0)),
    ("battery", "reactive_var", SensorSpec(refresh_s=0.1, gain_frac=0.01, quantum=10.0)),
    ("battery", "*_energy_wh", SensorSpec(gain_frac=0.005, quantum=1.0)),
    ("battery", "soc", SensorSpec(quantum=0.001)),
    ("battery", "*_degc", SensorSpec(bias=1.0, quantum=0.1)),
    ("battery", "voltage_v", SensorSpec(gain_frac=0.005, quantum=0.1)),
    ("battery", "frequency_hz", SensorSpec(refresh_s=0.1, bias=0.01, quantum=0.01)),
    ("battery", "*", _FAST),
    # OCPP metering of the class 1 that charging tariffs ask for.
    ("charger", "*_w", SensorSpec(window_s=1.0, gain_frac=0.01, quantum=10.0)),
    ("charger", "energy_wh", SensorSpec(gain_frac=0.01, quantum=1.0)),
    ("charger", "evse*_soc", SensorSpec(quantum=0.01)),
    ("ups", "*_w", SensorSpec(refresh_s=1.0, gain_frac=0.02, quantum=100.0)),
    # NVML: 1 s average, +-5 % gain error per device (arXiv 2312.02741); whole degrees.
    (
        "node",
        "gpu*_power_w",
        SensorSpec(window_s=1.0, refresh_s=0.1, gain_frac=0.05, quantum=0.001),
    ),
    ("node", "gpu*_energy_wh", SensorSpec(gain_frac=0.05)),
    ("node", "gpu*_temp_degc", SensorSpec(bias=1.0, quantum=1.0)),
    ("node", "gpu*_utilization_frac", SensorSpec(quantum=0.01)),
    ("node", "power_w", SensorSpec(window_s=1.0, gain_frac=0.02, quantum=1.0)),  # [assumed]
    ("node", "*_degc", SensorSpec(bias=0.5, quantum=0.1)),
    ("switch", "power_w", SensorSpec(window_s=1.0, gain_frac=0.03, quantum=1.0)),  # [assumed]
    ("switch", "*_degc", SensorSpec(bias=1.0, quantum=1.0)),
    ("power_shelf", "*_w", SensorSpec(window_s=1.0, gain_frac=0.02, quantum=1.0)),
    ("power_shelf", "*_energy_wh", SensorSpec(gain_frac=0.02, quantum=1.0)),
    ("power_shelf", "*_degc", SensorSpec(bias=1.0, quantum=1.0)),
    ("pdu", "*_w", SensorSpec(window_s=1.0, gain_frac=0.01, quantum=1.0)),
    # Pt1000 class B with its transmitter, magnetic-inductive flow meter [assumed].
    ("cdu", "*_degc", SensorSpec(bias=0.3, quantum=0.1)),
    ("cdu", "flow_kgps", SensorSpec(gain_frac=0.01, noise_frac=0.003, quantum=0.001)),
    ("cdu", "heat_w", SensorSpec(gain_frac=0.03, noise_frac=0.005, quantum=100.0)),
    ("cdu", "power_w", SensorSpec(gain_frac=0.02, quantum=10.0)),
    ("cdu", "pump*_speed_frac", SensorSpec(quantum=0.01)),
)

_DIGITAL: Final = ("*_count", "inverter_state", "mode", "soh", "capacity_wh", "*_rated_w")


def sensor_of(model: DeviceModel, point: PointSpec) -> SensorSpec:
    """How a point of a model reports: its kind's default, then what the catalogue says.

    A meter's refresh and class stand among its physics parameters (`refresh_s`, `error_frac`).
    """
    spec = _default(model, point)
    if model.kind == "meter" and spec is not EXACT:
        spec = _replace(spec, "refresh_s", model, "refresh_s")
        if spec.gain_frac > 0.0:
            spec = _replace(spec, "gain_frac", model, "error_frac")
    if point.sensor is None:
        return spec
    own = {name: getattr(point.sensor, name) for name in Sensor.__struct_fields__}
    return SensorSpec(
        **{name: getattr(spec, name) if value is None else value for name, value in own.items()}
    )


def _default(model: DeviceModel, point: PointSpec) -> SensorSpec:
    digital = any(fnmatchcase(point.name, pattern) for pattern in _DIGITAL)
    if digital or point.access == "readwrite" or point.constant is not None:
        return EXACT
    for kind, pattern, spec in DEFAULTS:
        if kind == model.kind and fnmatchcase(point.name, pattern):
            return spec
    return EXACT


def _replace(spec: SensorSpec, field: str, model: DeviceModel, parameter: str) -> SensorSpec:
    if parameter not in model.physics:
        return spec
    fields = {name: getattr(spec, name) for name in SensorSpec.__slots__}
    return SensorSpec(**(fields | {field: model.parameter(parameter)}))
