"""What a Redfish resource of each kind holds besides live values, after DSP8010 2025.4.

Redfish names a resource's place after the property that links to it, so the last steps of a path
say its type: ``.../Sensors/X`` is a Sensor, ``.../EnvironmentMetrics`` is EnvironmentMetrics.
"""

from typing import Any, Final, NamedTuple

Document = dict[str, Any]

MEMBERS: Final = {
    "Accounts": "ManagerAccount.v1_14_1",
    "CDUs": "CoolingUnit.v1_5_0",
    "Chassis": "Chassis.v1_28_0",
    "FloorPDUs": "PowerDistribution.v1_6_0",
    "LeakDetectors": "LeakDetector.v1_6_0",
    "Managers": "Manager.v1_24_0",
    "Outlets": "Outlet.v1_4_4",
    "PowerShelves": "PowerDistribution.v1_6_0",
    "PrimaryCoolantConnectors": "CoolantConnector.v1_3_0",
    "Processors": "Processor.v1_22_0",
    "Pumps": "Pump.v1_2_0",
    "RackPDUs": "PowerDistribution.v1_6_0",
    "Roles": "Role.v1_3_3",
    "SecondaryCoolantConnectors": "CoolantConnector.v1_3_0",
    "Sensors": "Sensor.v1_12_0",
    "Sessions": "Session.v1_8_0",
    "Systems": "ComputerSystem.v1_27_0",
}
"""Types by the collection that a resource is a member of."""

SINGLETONS: Final = {
    "AccountService": "AccountService.v1_18_1",
    "EnvironmentMetrics": "EnvironmentMetrics.v1_5_0",
    "LeakDetection": "LeakDetection.v1_2_0",
    "Metrics": "PowerDistributionMetrics.v1_4_0",
    "PowerEquipment": "PowerEquipment.v1_2_3",
    "SessionService": "SessionService.v1_2_0",
    "ThermalEquipment": "ThermalEquipment.v1_2_0",
    "ThermalSubsystem": "ThermalSubsystem.v1_5_0",
}
"""Types of resources that stand alone, by their last step."""

OK: Final = {"State": "Enabled", "Health": "OK"}

_DEFAULTS: Final[dict[str, Document]] = {
    "CDUs": {"EquipmentType": "CDU", "Status": OK},
    "Chassis": {"ChassisType": "RackMount", "PowerState": "On", "Status": OK},
    "FloorPDUs": {"EquipmentType": "FloorPDU", "Status": OK},
    "LeakDetection": {"Status": OK},
    "LeakDetectors": {"LeakDetectorType": "Moisture", "Status": OK},
    "Managers": {"ManagerType": "BMC", "PowerState": "On", "Status": OK},
    "Outlets": {"Status": OK},
    "PowerEquipment": {"Status": OK},
    "PowerShelves": {"EquipmentType": "PowerShelf", "Status": OK},
    "PrimaryCoolantConnectors": {"CoolantConnectorType": "Pair", "Status": OK},
    "Processors": {"ProcessorType": "GPU", "Status": OK},
    "Pumps": {"PumpType": "Liquid", "Status": OK},
    "RackPDUs": {"EquipmentType": "RackPDU", "Status": OK},
    "SecondaryCoolantConnectors": {"CoolantConnectorType": "Pair", "Status": OK},
    "Sensors": {"Status": OK},
    "Systems": {"SystemType": "Physical", "PowerState": "On", "Status": OK},
    "ThermalEquipment": {"Status": OK},
    "ThermalSubsystem": {"Status": OK},
}


class SensorKind(NamedTuple):
    """How a Sensor says what it measures: `ReadingType` and `ReadingUnits` (UCUM)."""

    reading_type: str
    units: str


# By the end of the excerpt property that shows the reading; the longest end that fits decides.
_BY_PROPERTY: Final = {
    "Watts": SensorKind("Power", "W"),
    "Celsius": SensorKind("Temperature", "Cel"),
    "EnergykWh": SensorKind("EnergykWh", "kW.h"),
    "EnergyJoules": SensorKind("EnergyJoules", "J"),
    "FlowLitersPerMinute": SensorKind("LiquidFlowLPM", "L/min"),
    "HeatRemovedkW": SensorKind("Heat", "kW"),
    "PressurekPa": SensorKind("PressurekPa", "kPa"),
    "Percent": SensorKind("Percent", "%"),
    "Voltage": SensorKind("Voltage", "V"),
    "CurrentAmps": SensorKind("Current", "A"),
    "FrequencyHz": SensorKind("Frequency", "Hz"),
}

# By the unit that ends a point's name, for sensors that a model reads directly.
_BY_UNIT: Final = {
    "w": SensorKind("Power", "W"),
    "degc": SensorKind("Temperature", "Cel"),
    "kgps": SensorKind("LiquidFlowLPM", "L/min"),
    "frac": SensorKind("Percent", "%"),
    "v": SensorKind("Voltage", "V"),
    "a": SensorKind("Current", "A"),
    "hz": SensorKind("Frequency", "Hz"),
    "pa": SensorKind("PressurekPa", "kPa"),
    "wh": SensorKind("EnergykWh", "kW.h"),
}


def sensor_kind(property_name: str, point: str) -> SensorKind:
    """What a reading measures, from the property that shows it, else from its point's unit."""
    for ending, kind in _BY_PROPERTY.items():
        if property_name.endswith(ending):
            return kind
    return _BY_UNIT.get(point.rpartition("_")[2], SensorKind("Percent", "%"))


def new_resource(path: str) -> Document | None:
    """A resource as its schema demands it, without live values; None for an unknown kind.

    Args:
        path: below the service root, such as ``Chassis/CDU/Sensors/Flow``.
    """
    collection, _, last = path.rpartition("/")
    kind = collection.rpartition("/")[2]
    if last in MEMBERS:
        of = MEMBERS[last].partition(".")[0]
        return {
            "@odata.id": f"/redfish/v1/{path}",
            "@odata.type": f"#{of}Collection.{of}Collection",
            "Name": f"{of} Collection",
            "Members@odata.count": 0,
            "Members": [],
        }
    kind, schema = (kind, MEMBERS[kind]) if kind in MEMBERS else (last, SINGLETONS.get(last, ""))
    if not schema:
        return None
    return {
        "@odata.id": f"/redfish/v1/{path}",
        "@odata.type": f"#{schema}.{schema.partition('.')[0]}",
        "Id": last,
        "Name": last.replace("_", " "),
        **{name: _copy(value) for name, value in _DEFAULTS.get(kind, {}).items()},
    }


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value
