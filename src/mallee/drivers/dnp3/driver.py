"""DNP3 outstations as points: static values by one READ, outputs by DIRECT OPERATE.

Every poll reads all points, so no event is needed to see a change, and an output counts as set only
when its read-back says so.
"""

import math
from typing import Final

import numpy as np
from dnp3.core.flags import IIN

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import ConfigError, DeviceError, Malformed, Rejected
from mallee.core.identity import Identity
from mallee.core.protocols.dnp3 import Options, Place, Slot, parse_place
from mallee.drivers.dnp3.codec import (
    check_operated,
    decode_values,
    indications,
    operate_request,
    read_request,
)
from mallee.drivers.dnp3.line import SEQUENCES, Line
from mallee.drivers.driver import Target
from mallee.site.addresses import complete_address

_TOLD: Final = {
    IIN.LOCAL_CONTROL: "some of its outputs are in local control: it takes no commands for them",
    IIN.DEVICE_TROUBLE: "it reports trouble of its own",
    IIN.CONFIG_CORRUPT: "it says that its configuration is corrupt",
}


class Dnp3Channel:
    """One connection: a device, or a line with several outstations behind it."""

    def __init__(self, host: str, port: int) -> None:
        self._line = Line(host, port)

    def driver(self, target: Target) -> "Dnp3Driver":
        """The driver of an outstation; the part of its address is the link address."""
        return Dnp3Driver(target.model, f"{self._line.address}/{target.part}", self._line)

    async def open(self) -> None:
        """Connects when an outstation is first asked."""

    async def close(self) -> None:
        """The last driver to close disconnects."""


class Dnp3Driver:
    """One outstation as the points of its catalogue model.

    Args:
        address: "host:port/outstation"; what is missing is the catalogue's.
        line: shared with other outstations there; its own where not given.

    Raises:
        ConfigError: a point's `at` is none, or one that is to be set is an input.
    """

    def __init__(self, model: DeviceModel, address: str, line: Line | None = None) -> None:
        options = model.options("dnp3", Options)
        place = complete_address(model, "dnp3", "", address)
        self.points = tuple(point for point in model.point if point.protocol == "dnp3")
        self._places = [_places_of(point) for point in self.points]
        self._slots = {place.read for places in self._places for place in places}
        self._reversion = {
            parse_place(at).set: parse_place(timer).set for at, timer in options.reversion.items()
        }
        self._line = line or Line(place.host, place.port)
        self._station, self._master = int(place.part), options.master
        self._timeout_s = model.protocol["dnp3"].timeout_s
        self._sequence = SEQUENCES - 1
        self._remarks: list[str] = []

    @property
    def address(self) -> str:
        """Who is asked, as "host:port/outstation"."""
        return f"{self._line.address}/{self._station}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """See `Driver.remarks`."""
        return tuple(self._remarks)

    async def open(self) -> None:
        """Connect; see `Driver.open`."""
        await self._line.connect(self._station, self._timeout_s)

    async def read(self) -> FloatArray:
        """All points now; NaN for what is missing or flagged; see `Driver.read`."""
        request = read_request(self._slots, self._next())
        fragments = await self._line.ask(self._master, self._station, request, self._timeout_s)
        try:
            values = decode_values(fragments)
        except DeviceError as error:
            raise type(error)(f"{self.address}: {error}") from None
        self._remark(indications(fragments))
        if not any(slot in values for slot in self._slots):
            raise Malformed(f"{self.address}: none of the model's points is there")
        return np.array(
            [
                point.to_point(sum(values.get(place.read, math.nan) for place in places))
                for point, places in zip(self.points, self._places, strict=True)
            ]
        )

    async def identify(self) -> Identity:
        """Few outstations serve attributes of their own (group 0): none are asked for."""
        return Identity()

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """Operate an output; its reversion timer first, where it has one; see `Driver.write`."""
        what = f"{self.address}: {point} = {value:g}"
        settable = {p.name: i for i, p in enumerate(self.points) if p.access == "readwrite"}
        if point not in settable:
            raise Rejected(f"{what}: no settable point; there are {', '.join(settable)}")
        if not math.isfinite(value):
            raise Rejected(f"{what}: no number")
        spec, places = self.points[settable[point]], self._places[settable[point]]
        share = spec.to_device(value)
        outputs = [place.set for place in places if place.set is not None]
        timers = {timer for one in outputs if (timer := self._reversion.get(one)) is not None}
        settings: list[tuple[Slot, float]] = [(timer, math.ceil(lease_s)) for timer in timers]
        try:
            for setting in settings + [(one, share) for one in outputs]:
                await self._operate(setting)
        except Rejected as error:
            raise Rejected(f"{what}: declined, {error}") from None

    async def close(self) -> None:
        """Disconnect."""
        await self._line.leave(self._station)

    async def _operate(self, setting: tuple[Slot, float]) -> None:
        request = operate_request([setting], self._next())
        fragments = await self._line.ask(self._master, self._station, request, self._timeout_s)
        check_operated(fragments, [setting])

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) % SEQUENCES
        return self._sequence

    def _remark(self, iin: IIN) -> None:
        for bit, text in _TOLD.items():
            if iin & bit and text not in self._remarks:
                self._remarks.append(text)


def _places_of(point: PointSpec) -> list[Place]:
    try:
        places = [parse_place(at) for at in point.places]
    except ValueError as error:
        hint = "write it as AI:537, or AO:120/AI:182 for an output and its read-back"
        raise ConfigError(f"point.{point.name}", str(error), hint) from None
    if point.access == "readwrite" and any(place.set is None for place in places):
        what = "cannot be set: it is an input"
        raise ConfigError(f"point.{point.name}", what, "set points are AO or BO")
    return places
