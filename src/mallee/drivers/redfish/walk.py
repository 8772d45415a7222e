"""Reads whatever a Redfish service measures, without a model of the device.

For commissioning: the places it finds are written as the catalogue writes them, so a new model's
points can be taken from here. It follows links and schema rules (DSP0266, DSP8010), no vendor.
"""

import ssl
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Any, Final, Literal

from mallee.core.errors import Malformed, Refused, Unreachable
from mallee.drivers.driver import Login
from mallee.drivers.redfish.client import ROOT, RedfishClient, Unserved
from mallee.drivers.redfish.codec import escape_step, number_of
from mallee.drivers.redfish.trust import is_away
from mallee.drivers.redfish.units import unit_of_excerpt, unit_of_metric, unit_of_sensor

RESOURCES_MAX: Final = 20_000
FAILURES_MAX: Final = 3
"""Unanswered requests in a row after which the service counts as gone."""

_NEVER = ("/Actions/", "/JsonSchemas", "/LogServices/", "/Registries", "/Sessions/", "$metadata")

# What measures below resources of these types, at URIs that their schemas fix. Services forget to
# link to some of them; a look costs one request where there is no link.
_WELL_KNOWN: Final = {
    "Chassis": ("EnvironmentMetrics", "PowerSubsystem", "Sensors", "ThermalSubsystem"),
    "CoolingUnit": (
        "EnvironmentMetrics",
        "PrimaryCoolantConnectors",
        "Pumps",
        "SecondaryCoolantConnectors",
    ),
    "PowerDistribution": ("Branches", "Mains", "Metrics", "Outlets", "Sensors"),
}

_LEGACY: Final = ("Power", "Thermal")
_LEGACY_READINGS: Final = {
    "PowerConsumedWatts": "W",
    "ReadingCelsius": "Cel",
    "ReadingVolts": "V",
    "LastPowerOutputWatts": "W",
    "PowerInputWatts": "W",
    "PowerOutputWatts": "W",
    "LineInputVoltage": "V",
}
"""Readings of the deprecated Power and Thermal resources that are no excerpts."""

_BESIDE: Final = (
    "ApparentVA", "CrestFactor", "LifetimeReading", "PeakReading", "PhaseAngleDegrees",
    "PowerFactor", "ReactiveVAR", "ReactivekVARh", "ApparentkVAh", "SpeedRPM", "THDPercent",
)  # fmt: skip
"""What an excerpt may measure besides its reading (DSP8010, Sensor)."""

_NO_METRIC: Final = (
    "Allowable", "SetPoint", "DefaultSetPoint", "DeadBand", "ControlLoop", "Threshold", "@odata",
)  # fmt: skip
"""Beginnings of names that in a Metrics resource say what may or shall be, not what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One measured quantity.

    Attributes:
        at: where it is, as `PointSpec.at` says it.
        unit: in the service's own word, else UCUM by its schema; empty where nothing says it.
        kind: a Sensor resource, an excerpt of one in another resource, a reading of the deprecated
            Power and Thermal resources, or any other number of a Metrics resource or an excerpt.
        state: "away" where the service says that what it stands for is absent or switched off, so
            that the value means nothing.
    """

    at: str
    value: float
    unit: str
    kind: Literal["sensor", "excerpt", "legacy", "metric"]
    state: Literal["", "away"] = ""


@dataclass(slots=True, kw_only=True)
class Inventory:
    """What a walk found.

    Attributes:
        documents: every resource by path below the service root.
        missing: linked resources that are not there; real services have some.
        unreadable: resources that exist but were not given, with the reason.
        unvisited: linked resources that were left out because there are so many.
    """

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    unvisited: int = 0

    def omissions(self) -> list[str]:
        """What the list of signals lacks, in a sentence each."""
        said = [f"not read: {why}" for why in self.unreadable.values()]
        if self.unvisited:
            count = len(self.documents)
            said.append(f"not read: {self.unvisited} more resources, after the first {count}")
        return said


async def read_everything(
    address: str, login: Login | None, tls: ssl.SSLContext | None, timeout_s: float = 10.0
) -> tuple[list[Signal], list[str]]:
    """Every measured quantity of a service, as it is now, and what could not be read.

    Raises:
        Unreachable, Refused, Malformed: it cannot be entered, or went away.
    """
    client = RedfishClient(address, login, tls, timeout_s)
    try:
        inventory = await walk(client)
    finally:
        await client.close()
    return find_signals(inventory.documents), inventory.omissions()


async def walk(
    client: RedfishClient,
    resources_max: int = RESOURCES_MAX,
    tell: Callable[[int], None] = lambda _: None,
) -> Inventory:
    """Every resource that can be reached by links from the service root, one request at a time.

    Args:
        tell: called with the count of resources read so far.

    Raises:
        Unreachable, Refused, Malformed: the service cannot be entered, or went away.
    """
    await client.open()
    inventory = Inventory()
    queue, seen, unlinked, failures = deque([""]), {""}, set[str](), 0
    first_error: Refused | Malformed | Unreachable | None = None
    while queue and len(inventory.documents) < resources_max:
        path = queue.popleft()
        try:
            document, _ = await client.get(ROOT + path)
        except (Refused, Malformed, Unreachable) as error:
            # A status is an answer: the service is there, this resource is not.
            is_silent = isinstance(error, Unreachable) and not isinstance(error, Unserved)
            failures = failures + 1 if is_silent else 0
            if failures >= FAILURES_MAX or not inventory.documents:
                raise
            inventory.unreadable[path] = str(error)
            first_error = first_error or error
            continue
        failures = 0
        if document is None:
            inventory.missing += [path] * (path not in unlinked)
            continue
        inventory.documents[path] = document
        tell(len(inventory.documents))
        guesses = [f"{path}/{name}" for name in _WELL_KNOWN.get(_schema_of(document), ())]
        links = list(_links(document))
        unlinked.update(set(guesses).difference(links, seen))
        fresh = dict.fromkeys(link for link in (*links, *guesses) if link not in seen)
        seen.update(fresh)
        queue.extend(fresh)
    inventory.unvisited = len(queue)
    if first_error is not None and len(inventory.documents) == 1:
        raise first_error  # the root is open to everybody: nothing of the device was read
    return inventory


def find_signals(documents: Mapping[str, Mapping[str, Any]]) -> list[Signal]:
    """Every measured quantity in a set of resources, by path below the service root."""
    return [
        signal
        for path, document in documents.items()
        for signal in _signals_of(path, document, documents)
    ]


def _signals_of(
    path: str, document: Mapping[str, Any], documents: Mapping[str, Mapping[str, Any]]
) -> Iterator[Signal]:
    schema = _schema_of(document)
    for steps, owner, key, value in _readings(document, (), legacy=schema in _LEGACY):
        state: Literal["", "away"] = "away" if is_away(document, steps) else ""
        at = f"{path}#/{'/'.join(escape_step(step) for step in (*steps, key))}"
        if schema == "Sensor" and not steps:
            yield Signal(at=at, value=value, unit=unit_of_sensor(owner), kind="sensor", state=state)
        elif schema in _LEGACY:
            unit = _LEGACY_READINGS.get(key) or owner.get("ReadingUnits", "")
            yield Signal(at=at, value=value, unit=str(unit), kind="legacy", state=state)
        elif key == "Reading":
            source = next((v for k, v in owner.items() if k.lower() == "datasourceuri"), None)
            copied_from = documents.get(_below_root(source), {}) if isinstance(source, str) else {}
            unit = unit_of_excerpt(steps, owner, copied_from, document)
            yield Signal(at=at, value=value, unit=unit, kind="excerpt", state=state)
    for steps, value in _metrics(document, (), everything=schema.endswith("Metrics")):
        at = f"{path}#/{'/'.join(escape_step(step) for step in steps)}"
        away: Literal["", "away"] = "away" if is_away(document, steps[:-1]) else ""
        unit = unit_of_metric(steps)
        yield Signal(at=at, value=value, unit=unit, kind="metric", state=away)


def _metrics(
    content: Any, steps: tuple[str, ...], *, everything: bool
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Numbers that measure something without being called a reading: where, and how much.

    Args:
        everything: in a Metrics resource every number does, but for limits and set points;
            elsewhere only what stands beside a reading.
    """
    if isinstance(content, dict):
        if steps and {"@odata.id", "@odata.type"} <= content.keys():
            return
        is_excerpt = "Reading" in content
        for key, value in content.items():
            if key.startswith(_NO_METRIC) or key.endswith("Thresholds") or key == "Reading":
                continue
            if isinstance(value, dict | list):
                yield from _metrics(value, (*steps, key), everything=everything)
            elif (everything and not is_excerpt) or (is_excerpt and key in _BESIDE):
                number = _number(value)
                if not isnan(number):
                    yield (*steps, key), number
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _metrics(value, (*steps, str(index)), everything=everything)


def _schema_of(document: Mapping[str, Any]) -> str:
    """The name of its schema, such as ``Sensor``."""
    return str(document.get("@odata.type", "")).lstrip("#").partition(".")[0]


def _readings(
    content: Any, steps: tuple[str, ...], *, legacy: bool
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any], str, float]]:
    """Every number that is a reading: where, in which object, under which name, how much.

    Args:
        legacy: members of the older Power and Thermal resources look like resources of their own.
    """
    if isinstance(content, dict):
        if steps and not legacy and {"@odata.id", "@odata.type"} <= content.keys():
            return  # another resource, expanded in place: it is read where it belongs
        for key, value in content.items():
            if key == "Reading" or key in _LEGACY_READINGS:
                number = _number(value)
                if not isnan(number):
                    yield steps, content, key, number
            elif not key.endswith("Thresholds"):  # a threshold has a Reading, too: its limit
                yield from _readings(value, (*steps, key), legacy=legacy)
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _readings(value, (*steps, str(index)), legacy=legacy)


def _number(value: Any) -> float:
    """A reading as a number; NaN for text too, which a Reading never is."""
    return number_of(None if isinstance(value, str) else value)


def _links(content: Any) -> Iterator[str]:
    """Paths of all resources that a document names, those worth reading."""
    if isinstance(content, dict):
        for key, value in content.items():
            if isinstance(value, str):
                if key.lower() in ("@odata.id", "datasourceuri", "members@odata.nextlink"):
                    path = _below_root(value)
                    if path and not any(part in f"/{path}/" for part in _NEVER):
                        yield path
            else:
                yield from _links(value)
    elif isinstance(content, list):
        for value in content:
            yield from _links(value)


def _below_root(uri: str) -> str:
    """A link's path below the service root; empty for fragments and for what lies elsewhere."""
    if "#" in uri or not uri.startswith(ROOT):
        return ""
    return uri.removeprefix(ROOT).strip("/")
