"""How each point reports: as its kind's row says, unless the catalogue entry says otherwise.

Set points, counters of events and nameplate values are digital: they are reported as they are.
"""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from mallee.core.device_model import DeviceModel, PointSpec, Sensor
from mallee.kinds import KINDS


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
_DIGITAL: Final = ("*_count", "inverter_state", "mode", "soh", "capacity_wh", "*_rated_w")


def sensor_of(model: DeviceModel, point: PointSpec) -> SensorSpec:
    """How a point of a model reports: its kind's row, then what the catalogue says.

    A meter's refresh and class stand among its physics parameters (`refresh_s`, `error_frac`).
    """
    spec = _default(model, point)
    if spec is not EXACT:
        spec = replace(spec, refresh_s=model.parameter_or("refresh_s", spec.refresh_s))
        if spec.gain_frac > 0.0:
            spec = replace(spec, gain_frac=model.parameter_or("error_frac", spec.gain_frac))
    return _with(spec, point.sensor)


def _default(model: DeviceModel, point: PointSpec) -> SensorSpec:
    digital = any(fnmatchcase(point.name, pattern) for pattern in _DIGITAL)
    if digital or point.access == "readwrite" or point.constant is not None:
        return EXACT
    row = KINDS[model.kind].point(point.name)
    return EXACT if row is None or row.sensor is None else _with(SensorSpec(), row.sensor)


def _with(spec: SensorSpec, own: Sensor | None) -> SensorSpec:
    """A specification with every field that a `Sensor` gives in its place."""
    if own is None:
        return spec
    fields = {name: getattr(own, name) for name in Sensor.__struct_fields__}
    return replace(spec, **{name: value for name, value in fields.items() if value is not None})
