"""In which unit a Redfish service gives a reading.

The service's own word counts where it has one (services do write other things than the UCUM that
the schema asks for); else the schema's, by property name or by type of sensor or control.
"""

from collections.abc import Mapping
from typing import Any, Final

# By the end of an excerpt's property name, after the schemas' Measures.Unit.
_BY_NAME: Final = {
    "Watts": "W",
    "kWh": "kW.h",
    "Joules": "J",
    "WattHours": "W.h",
    "AmpHours": "A.h",
    "Celsius": "Cel",
    "CubicMetersPerMinute": "m3/min",
    "LitersPerMinute": "L/min",
    "Percent": "%",
    "kPa": "kPa",
    "kW": "kW",
    "Amps": "A",
    "Voltage": "V",
    "Voltages": "V",
    "Hz": "Hz",
    "AbsoluteHumidity": "g/m3",
}

# By Sensor.ReadingType, after the descriptions of its members.
_BY_READING_TYPE: Final = {
    "AbsoluteHumidity": "g/m3",
    "AirFlow": "[ft_i]3/min",
    "AirFlowCMM": "m3/min",
    "Altitude": "m",
    "Barometric": "mm[Hg]",
    "ChargeAh": "A.h",
    "Current": "A",
    "EnergyJoules": "J",
    "EnergyWh": "W.h",
    "EnergykWh": "kW.h",
    "Frequency": "Hz",
    "Heat": "kW",
    "Humidity": "%",
    "LinearAcceleration": "m/s2",
    "LinearPosition": "m",
    "LinearVelocity": "m/s",
    "LiquidFlow": "L/s",
    "LiquidFlowLPM": "L/min",
    "LiquidLevel": "cm",
    "Percent": "%",
    "Power": "W",
    "Pressure": "Pa",
    "PressurePa": "Pa",
    "PressurekPa": "kPa",
    "Rotational": "{rev}/min",
    "RotationalAcceleration": "rad/s2",
    "RotationalPosition": "rad",
    "RotationalVelocity": "rad/s",
    "Temperature": "Cel",
    "Valve": "%",
    "Voltage": "V",
}

# By Control.ControlType, where it means something else than the ReadingType of the same name.
_BY_CONTROL_TYPE: Final = _BY_READING_TYPE | {
    "DutyCycle": "%",
    "FrequencyMHz": "MHz",
    "Pressure": "kPa",
}


def unit_of_sensor(document: Mapping[str, Any]) -> str:
    """Unit of a Sensor resource; empty where neither units nor type are given."""
    units = document.get("ReadingUnits")
    if isinstance(units, str) and units:
        return units
    return _BY_READING_TYPE.get(str(document.get("ReadingType")), "")


def unit_of_excerpt(
    steps: tuple[str, ...],
    excerpt: Mapping[str, Any],
    copied_from: Mapping[str, Any],
    document: Mapping[str, Any],
) -> str:
    """Unit of a reading that another resource shows; empty where nothing says it.

    Args:
        steps: names of the properties that lead to the excerpt.
        copied_from: the Sensor or Control that it names as its source, empty if unknown.
        document: the resource that it stands in.
    """
    own = excerpt.get("ReadingUnits")
    if isinstance(own, str) and own:
        return own
    for step in reversed(steps):
        for ending, unit in _BY_NAME.items():
            if step.endswith(ending):
                return unit
    for one in (copied_from, excerpt, document):
        found = (
            unit_of_sensor(one)
            or one.get("SetPointUnits")
            or _BY_CONTROL_TYPE.get(str(one.get("ControlType")), "")
        )
        if isinstance(found, str) and found:
            return found
    return ""


_OF_METRICS: Final = {
    "RPM": "{rev}/min", "MHz": "MHz", "VAR": "var", "kVARh": "kvar.h", "VA": "V.A",
    "kVAh": "kV.A.h", "Degrees": "deg", "Gbps": "Gbit/s", "Mbps": "Mbit/s", "Bytes": "By",
    "Seconds": "s", "Kelvin": "K", "mA": "mA", "MilliWatts": "mW",
}  # fmt: skip


def unit_of_metric(steps: tuple[str, ...]) -> str:
    """Unit of a number of a Metrics resource by its property's name; "1" for a count or a ratio."""
    name = next((step for step in reversed(steps) if not step.isdecimal()), "")
    for ending, unit in (*_OF_METRICS.items(), *_BY_NAME.items()):
        if name.endswith(ending):
            return unit
    return unit_of_excerpt(steps[:-1], {}, {}, {}) if name.endswith("Reading") else "1"
