"""What a device model is: its identity, points by protocol, physics, limits and behaviour.

A model is data (one TOML file in `catalogue/`). Drivers, emulators, twin, control and console all
work from the same entry, so a new model needs no code.
"""

from functools import cached_property
from typing import Any, Literal, TypeVar

import msgspec

from mallee.core.errors import ConfigError
from mallee.core.patterns import expand_range

Access = Literal["read", "readwrite"]
Mark = Literal["stated", "measured", "assumed"]
T = TypeVar("T")


class Protocol(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How one protocol reaches the device.

    Attributes:
        port: port where the site file names none; 0 for the protocol's own.
        poll_s: time between readings.
        timeout_s: after this long without an answer the points are stale.
        options: what only this protocol knows, such as the SunSpec models a device serves; its
            file in `core/protocols` says what there is.
    """

    port: int = 0
    poll_s: float = 1.0
    timeout_s: float = 2.0
    options: dict[str, Any] = {}


class Sensor(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How a reported value differs from the true one; what is None takes the default of its kind.

    Attributes:
        window_s: time that the device averages over.
        refresh_s: time between new values; readings in between repeat the last one.
        latency_s: age of a value when it appears.
        gain_frac: largest gain error; each device has its own within it, for good.
        bias: largest offset in the point's unit, likewise.
        noise_frac: noise of each value over the value itself, one standard deviation.
        quantum: step that values are rounded to, in the point's unit; 0 for none.
        dropout_frac: share of refreshes that deliver nothing.
    """

    window_s: float | None = None
    refresh_s: float | None = None
    latency_s: float | None = None
    gain_frac: float | None = None
    bias: float | None = None
    noise_frac: float | None = None
    quantum: float | None = None
    dropout_frac: float | None = None


class PointSpec(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One quantity of a device: its name here and its place in the device's protocol.

    Attributes:
        name: with its unit last. In a file a range such as ``gpu{0..3}_power_w`` makes four points.
        protocol: which of the model's protocols carries it; empty for a nameplate constant.
        at: where that protocol finds it. Redfish: resource path below the service root and JSON
            pointer, ``Chassis/Chassis_0/EnvironmentMetrics#/PowerWatts/Reading``. SunSpec:
            ``701.W``. DCGM: field and GPU, ``DCGM_FI_DEV_POWER_USAGE/0``. OCPP: a measurand
            (``Power.Active.Import``, ``Power.Active.Import/3`` for EVSE 3) or a profile purpose.
            Several places share the value: readings are added, a write is divided equally. A file
            may give them as a range, ``Processors/GPU_SXM_{1..8}/...``.
        scale: (sum of the device's values) x scale + offset = value here.
        access: `readwrite` points accept commands.
        read_back: the point whose reading proves a write; the point itself where empty.
        constant: a nameplate value that never changes.
        sensor: how a simulated device's reading differs from the truth.
    """

    name: str
    protocol: str = ""
    at: str | list[str] = ""
    scale: float = 1.0
    offset: float = 0.0
    access: Access = "read"
    read_back: str = ""
    constant: float | None = None
    sensor: Sensor | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Where the protocol finds it, one or several."""
        return (self.at,) if isinstance(self.at, str) else tuple(self.at)

    def to_point(self, total: float) -> float:
        """Value here of the sum of what the device gives at all places."""
        return total * self.scale + self.offset

    def to_device(self, value: float) -> float:
        """What the device holds at each of the places for a value here."""
        return (value - self.offset) / self.scale / len(self.places)


class Parameter(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One physical parameter with where it comes from and how far to trust it."""

    value: float
    mark: Mark
    source: str


class ControllerLoss(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the device does by itself when its controller is gone.

    Attributes:
        behaviour: `hold` keeps the last setpoint (the standing value must be safe), `revert`
            returns to the default after `after_s` without a heartbeat or a renewed lease.
        after_s: the time limit it is given; 0 where the lease of each write sets it.
    """

    behaviour: Literal["hold", "revert"]
    after_s: float = 0.0
    note: str = ""


class DeviceModel(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, dict=True):
    """One catalogue entry, points expanded.

    Attributes:
        model: the name that site files use.
        kind: the class of device, a row of `mallee.kinds`.
        identity: what a device must say of itself to be one of these, by ``<protocol>_<field>``;
            see `core.identity.mismatch`.
        power_max_w: the most it consumes; branches are checked against it.
        power_min_w: the least it consumes while switched on (a node at its lowest cap).
        accelerators: how many accelerators a node carries.
    """

    model: str
    kind: str
    vendor: str
    product: str
    power_max_w: float
    power_min_w: float = 0.0
    accelerators: int = 0
    identity: dict[str, str] = {}
    protocol: dict[str, Protocol]
    point: list[PointSpec]
    physics: dict[str, Parameter] = {}
    limits: dict[str, Parameter] = {}
    on_controller_loss: ControllerLoss

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each point by name."""
        return {point.name: position for position, point in enumerate(self.point)}

    def options(self, protocol: str, shape: type[T]) -> T:
        """Options of a protocol of this model, in the form that the protocol gives them."""
        return msgspec.convert(self.protocol[protocol].options, shape)

    def parameter(self, name: str) -> float:
        """A physics parameter or limit by name.

        Raises:
            ConfigError: the model's file does not give it.
        """
        entry = self.physics.get(name) or self.limits.get(name)
        if entry is None:
            hint = f"other models of a {self.kind} show how"
            raise ConfigError(f"catalogue model {self.model}", f"gives no parameter {name!r}", hint)
        return entry.value

    def parameter_or(self, name: str, otherwise: float) -> float:
        """A physics parameter or limit by name, or `otherwise` where the file does not give it."""
        entry = self.physics.get(name) or self.limits.get(name)
        return otherwise if entry is None else entry.value


def expand_points(points: list[PointSpec]) -> list[PointSpec]:
    """Points with a range in their name, one by one; ``{i}`` in `at` becomes each one's number."""
    expanded = []
    for point in points:
        names = expand_range(point.name)
        first = int(point.name.split("{")[1].split("..")[0]) if len(names) > 1 else 0
        for number, name in enumerate(names, first):
            places = [point.at] if isinstance(point.at, str) else point.at
            at = [
                one for place in places for one in expand_range(place.replace("{i}", str(number)))
            ]
            changes = {
                "name": name,
                "at": at[0] if len(at) == 1 else at,
                "read_back": point.read_back.replace("{i}", str(number)),
            }
            expanded.append(msgspec.structs.replace(point, **changes))
    return expanded
