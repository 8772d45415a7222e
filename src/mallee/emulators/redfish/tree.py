"""A device's Redfish tree: every resource that its points name, with what holds it together.

Documents are built once. A request fills in the live values of its own resource and nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import isnan
from uuid import NAMESPACE_URL, uuid5

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import ConfigError
from mallee.core.identity import spoken
from mallee.emulators.redfish.schema import MEMBERS, OK, Document, new_resource, sensor_kind
from mallee.kinds.cdu import CDU
from mallee.kinds.node import NODE
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.kinds.switch import SWITCH

_COMPUTER = "Chassis_0"
_TOP_CHASSIS = {
    NODE.name: _COMPUTER,
    SWITCH.name: _COMPUTER,
    CDU.name: "CDU",
    POWER_SHELF.name: "PowerShelf",
}
"""By kind, as their makers call it; any other device stands in a chassis "1"."""


@dataclass(slots=True, kw_only=True)
class Live:
    """One place of a document that shows a point.

    Attributes:
        position: of the point among the model's points.
        place: which of the point's places this is, counted from 0.
        container, key: where in the document the value goes.
        pointer: the same as a path of property names.
        bounds: what the device allows here, in the device's unit; None where nothing can be set.
    """

    point: PointSpec
    position: int
    place: int
    container: Document
    key: str
    pointer: tuple[str, ...]
    bounds: tuple[float, float] | None = None

    def fill(self, values: FloatArray, shares: dict[int, list[float]]) -> None:
        """Write the point's value as the device holds it; null where it has none."""
        value = float(values[self.position])
        if self.key == "DetectorState":
            wet = value > self.place  # k wet detectors are the first k
            self.container[self.key] = "Critical" if wet else "OK"
        elif isnan(value):
            self.container[self.key] = None
        else:
            held = shares.get(self.position)
            equal = self.point.to_device(value)
            # Shares that were set one by one stand as long as they add up to the point.
            same = held is not None and abs(sum(held) - equal * len(held)) <= 1e-6 * abs(equal)
            self.container[self.key] = held[self.place] if same and held is not None else equal


@dataclass(slots=True)
class Resource:
    """A document and its live places.

    Attributes:
        writes: how often somebody changed it.
    """

    document: Document
    live: list[Live] = field(default_factory=list)
    writes: int = 0

    @property
    def etag(self) -> str:
        """Changes with every write and nothing else (weak).

        Not with a reading that moves, and not when a cap written earlier comes into effect: that
        would look like somebody else to whoever wrote it.
        """
        return f'W/"{self.writes:08x}"'


class Tree:
    """All resources of one device by path below ``/redfish/v1/``.

    Args:
        model: its Redfish points decide what is there.
        name: the device's path, shown as asset tag and host name.

    Raises:
        ConfigError: a point stands in a kind of resource that the emulator does not know.
    """

    def __init__(self, model: DeviceModel, name: str) -> None:
        self.model = model
        self.name = name
        self.resources: dict[str, Resource] = {}
        self.shares: dict[int, list[float]] = {}
        self.uuid = str(uuid5(NAMESPACE_URL, f"mallee:{name}"))
        self.chassis = self._top_chassis()
        self.add_resource(f"Chassis/{self.chassis}")
        for position, point in enumerate(model.point):
            if point.protocol == "redfish" and point.constant is None:
                for place, at in enumerate(point.places):
                    self._add_place(point, position, place, at)
        self._add_system()
        self._add_leak_detection()
        self._add_identity()

    def add_resource(self, path: str) -> Resource:
        """The resource at a path, made with all that lies above it where it is not there yet."""
        known = self.resources.get(path)
        if known is not None:
            return known
        document = new_resource(path)
        if document is None:
            raise ConfigError(self.model.model, f"no known Redfish resource ends in {path!r}")
        resource = self.resources[path] = Resource(document)
        above, _, last = path.rpartition("/")
        if above:
            parent = self.add_resource(above).document
            link = {"@odata.id": document["@odata.id"]}
            if above.rpartition("/")[2] in MEMBERS:
                parent["Members"].append(link)
                parent["Members@odata.count"] = len(parent["Members"])
            else:
                parent[last] = link
        return resource

    def fill(self, path: str, values: FloatArray) -> Resource | None:
        """The resource with its values as of now; None where there is none."""
        resource = self.resources.get(path)
        if resource is not None:
            for live in resource.live:
                live.fill(values, self.shares)
        return resource

    def shares_with(self, live: Live, share: float, values: FloatArray) -> list[float]:
        """What stands at each of a point's places once `share` stands at this one."""
        equal = live.point.to_device(float(values[live.position]))
        held = list(self.shares.get(live.position, [equal] * len(live.point.places)))
        held[live.place] = share
        return held

    def _top_chassis(self) -> str:
        """The chassis that stands for the whole device: the first one its points name."""
        for point in self.model.point:
            if point.protocol == "redfish" and point.places[0].startswith("Chassis/"):
                return point.places[0].split("/")[1]
        return _TOP_CHASSIS.get(self.model.kind, "1")

    def _add_place(self, point: PointSpec, position: int, place: int, at: str) -> None:
        path, _, rest = at.partition("#/")
        pointer = tuple(rest.split("/"))
        resource = self.add_resource(path)
        container = resource.document
        for step in pointer[:-1]:
            container = container.setdefault(step, {})
        live = Live(
            point=point,
            position=position,
            place=place,
            container=container,
            key=pointer[-1],
            pointer=pointer,
        )
        resource.live.append(live)
        container[pointer[-1]] = None
        if point.access == "readwrite":
            live.bounds = allowable(self.model, point)
            container["AllowableMin"], container["AllowableMax"] = live.bounds
            container["ControlMode"] = "Automatic"
        elif "/Sensors/" in path:
            _describe_sensor(container, "", point.name)
        elif pointer[-1] == "Reading":
            self._add_sensor(live, pointer[0])

    def _add_sensor(self, shown: Live, property_name: str) -> None:
        """The sensor behind an excerpt, so that the excerpt can say where it comes from."""
        stem = shown.point.name.rpartition("_")[0].title().replace("_", "")
        number = f"_{shown.place}" if len(shown.point.places) > 1 else ""
        resource = self.add_resource(f"Chassis/{self.chassis}/Sensors/{stem}{number}")
        document = resource.document
        _describe_sensor(document, property_name, shown.point.name)
        resource.live.append(
            Live(
                point=shown.point,
                position=shown.position,
                place=shown.place,
                container=document,
                key="Reading",
                pointer=("Reading",),
            )
        )
        shown.container["DataSourceUri"] = document["@odata.id"]

    def _add_system(self) -> None:
        """The computer itself, for the kinds that boot."""
        if self.chassis != _COMPUTER:
            return
        hgx = any(path.startswith("Systems/HGX_Baseboard_0") for path in self.resources)
        if self.model.accelerators and not hgx:
            for gpu in range(self.model.accelerators):
                self.add_resource(f"Systems/HGX_Baseboard_0/Processors/GPU_{gpu}")
        host = self.add_resource("Systems/System_0").document
        host["HostName"] = self.name.replace("/", "-")
        for path in list(self.members("Systems")):
            self.resources[path].document["Links"] = {
                "Chassis": [{"@odata.id": f"/redfish/v1/Chassis/{self.chassis}"}],
                "ManagedBy": [{"@odata.id": "/redfish/v1/Managers/BMC_0"}],
            }

    def _add_leak_detection(self) -> None:
        """All leak detectors at a glance, where clients look for them first."""
        detectors = list(self.members(f"Chassis/{self.chassis}/LeakDetectors"))
        if not detectors:
            return
        units = list(self.members("ThermalEquipment/CDUs"))
        above = units[0] if units else f"Chassis/{self.chassis}/ThermalSubsystem"
        resource = self.add_resource(f"{above}/LeakDetection")
        group: list[Document] = []
        for path in detectors:
            detector = self.resources[path]
            shown = {
                "DataSourceUri": detector.document["@odata.id"],
                "DeviceName": detector.document["Name"],
                "DetectorState": "OK",
            }
            group.append(shown)
            resource.live += [replace(live, container=shown) for live in detector.live]
        resource.document["LeakDetectorGroups"] = [
            {"GroupName": "All", "Status": dict(OK), "Detectors": group}
        ]

    def _add_identity(self) -> None:
        """The manager, who made what, and the links between what is managed and its manager."""
        manager = self.add_resource("Managers/BMC_0").document
        manager["UUID"] = manager["ServiceEntryPointUUID"] = self.uuid
        manager["FirmwareVersion"] = "25.0.0"
        by = {"ManagedBy": [{"@odata.id": "/redfish/v1/Managers/BMC_0"}]}
        top = f"Chassis/{self.chassis}"
        for path in list(self.members("Chassis")):
            chassis = self.resources[path].document
            chassis["Links"] = dict(by)
            if path != top:
                chassis["ChassisType"] = "Module"
                chassis["Links"]["ContainedBy"] = {"@odata.id": f"/redfish/v1/{top}"}
        links = manager["Links"] = {"ManagerForChassis": self._links("Chassis")}
        links["ManagerInChassis"] = {"@odata.id": f"/redfish/v1/{top}"}
        if self._links("Systems"):
            links["ManagerForServers"] = self._links("Systems")
        for path in [top, *self._equipment(), *self.members("Systems")]:
            document = self.resources[path].document
            known = self.model.identity
            document["Manufacturer"] = spoken(known, "redfish", "manufacturer", self.model.vendor)
            document["Model"] = spoken(known, "redfish", "model", self.model.model)
            document["SerialNumber"] = self.uuid[-12:]
            document["AssetTag"] = self.name
            if path != top:
                chassis_link = {"Chassis": [{"@odata.id": f"/redfish/v1/{top}"}]}
                document["Links"] = {**document.get("Links", {}), **chassis_link}

    def _equipment(self) -> Iterator[str]:
        for collection in ("ThermalEquipment/CDUs", "PowerEquipment/PowerShelves"):
            yield from self.members(collection)
        yield from self.members("PowerEquipment/RackPDUs")

    def members(self, collection: str) -> Iterator[str]:
        """Paths of a collection's members."""
        found = self.resources.get(collection)
        for link in found.document["Members"] if found else ():
            yield link["@odata.id"].removeprefix("/redfish/v1/")

    def _links(self, collection: str) -> list[Document]:
        return [{"@odata.id": f"/redfish/v1/{path}"} for path in self.members(collection)]


def allowable(model: DeviceModel, point: PointSpec) -> tuple[float, float]:
    """What the device allows at each place of a setpoint, in the device's unit.

    The limits of ``cap_w`` are ``cap_min_w`` and ``cap_max_w``, those of ``supply_set_degc``
    ``supply_min_degc`` and ``supply_max_degc``.

    Raises:
        ConfigError: the model gives no such limits.
    """
    stem, _, unit = point.name.removesuffix("_").rpartition("_")
    stem = stem.removesuffix("_set")
    try:
        ends = [model.parameter(f"{stem}_{end}_{unit}") for end in ("min", "max")]
    except ConfigError as error:
        hint = f"[limits] needs {stem}_min_{unit} and {stem}_max_{unit}"
        raise ConfigError(f"{model.model}: point.{point.name}", error.what, hint) from None
    lower, upper = sorted(point.to_device(end) for end in ends)
    return lower, upper


def _describe_sensor(document: Document, property_name: str, point: str) -> None:
    kind = sensor_kind(property_name, point)
    document["ReadingType"], document["ReadingUnits"] = kind
