"""An emulated device as an outstation's points, without sockets; dnp3py's outstation serves them.

Points are filled from the device's values before each request. An output that the model gives a
reversion timer is written to the device with what stands in that timer.
"""

import math
from typing import Final

from dnp3.core.enums import ControlCode
from dnp3.core.flags import AnalogQuality, BinaryQuality, CounterQuality
from dnp3.database import Database, DatabaseConfig
from dnp3.database.point import (
    AnalogInputConfig,
    AnalogOutputConfig,
    BinaryInputConfig,
    BinaryOutputConfig,
    CounterConfig,
    EventClass,
)
from dnp3.outstation.config import OutstationConfig
from dnp3.outstation.handler import CommandResult, DefaultCommandHandler
from dnp3.outstation.outstation import Outstation

from mallee.core.device_model import PointSpec
from mallee.core.errors import ConfigError, Rejected
from mallee.core.protocols.dnp3 import Options, Place, Slot, parse_place
from mallee.emulators.device import EmulatedDevice

_LATCHES: Final = {
    ControlCode.LATCH_ON: 1.0, ControlCode.PULSE_ON: 1.0, ControlCode.CLOSE_PULSE_ON: 1.0,
    ControlCode.LATCH_OFF: 0.0, ControlCode.PULSE_OFF: 0.0, ControlCode.TRIP_PULSE_ON: 0.0,
}  # fmt: skip
"""IEEE 1815.2, 5.6.2: every binary output latches, pulse times do not count."""
_NONE: Final = EventClass.NONE
SIZE: Final = 4096


class OutstationImage:
    """One device's points and what may be done with them.

    Attributes:
        outstation: answers requests; call `refresh` before it reads.
    """

    def __init__(self, device: EmulatedDevice, link: int) -> None:
        self._device = device
        options = device.model.options("dnp3", Options)
        self._columns = list(_columns(device))
        self._timers: dict[Slot, float] = {}
        self._timer_places: dict[Slot, Place] = {}
        for at, timer in options.reversion.items():
            output, place = parse_place(at).set, parse_place(timer)
            if output is None or place.set is None:
                where = f"{device.model.model}: reversion of {at}"
                raise ConfigError(where, "timer and output are outputs", "write AO:145")
            self._timer_places[output], self._timers[place.set] = place, 0.0
        self._database = Database(config=DatabaseConfig(SIZE, SIZE, SIZE, SIZE, SIZE, SIZE))
        self._add_points()
        config = OutstationConfig(address=link, time_sync_required=False)
        handler = _Commands(self)
        self.outstation = Outstation(config=config, database=self._database, handler=handler)

    def refresh(self) -> None:
        """Bring all points up to date with the device."""
        for column, point, places in self._columns:
            share = point.to_device(float(self._device.values[column]))
            for place in places:
                for slot in (place.read, place.set):
                    if slot is not None:
                        put_point(self._database, slot, share)
        for place in self._timer_places.values():
            for slot in (place.read, place.set):
                if slot is not None and place.set is not None:
                    put_point(self._database, slot, self._timers[place.set])

    def operate(self, slot: Slot, value: float, *, really: bool) -> CommandResult:
        """Write an output to the device; a timer is kept for the next write of its output."""
        if slot in self._timers:
            if value < 0.0:
                return CommandResult.out_of_range()
            if really:
                self._timers[slot] = value
            return CommandResult.success()
        found = [(point, places) for _, point, places in self._columns
                 if point.access == "readwrite" and any(p.set == slot for p in places)]  # fmt: skip
        if not found:
            return CommandResult.not_supported(f"{slot} is not there")
        point, places = found[0]
        if not really:
            return CommandResult.success()
        timer = self._timer_places.get(slot)
        lease_s = self._timers[timer.set] if timer is not None and timer.set is not None else 0.0
        try:
            self._device.write(point.name, point.to_point(value * len(places)), lease_s)
        except Rejected as error:
            return CommandResult.out_of_range(str(error))
        return CommandResult.success()

    def _add_points(self) -> None:
        database = self._database
        places = [place for _, _, here in self._columns for place in here]
        places += self._timer_places.values()
        slots = {slot for place in places for slot in (place.read, place.set) if slot is not None}
        for slot in sorted(slots, key=lambda one: (one.table, one.index)):
            add_point(database, slot)


def add_point(database: Database, slot: Slot) -> None:
    """A point that makes no events: masters poll."""
    if slot.table == "AI":
        database.add_analog_input(slot.index, AnalogInputConfig(event_class=_NONE))
    elif slot.table == "AO":
        database.add_analog_output(slot.index, AnalogOutputConfig(event_class=_NONE))
    elif slot.table == "BI":
        database.add_binary_input(slot.index, BinaryInputConfig(event_class=_NONE))
    elif slot.table == "BO":
        database.add_binary_output(slot.index, BinaryOutputConfig(event_class=_NONE))
    elif slot.table == "CT":
        database.add_counter(slot.index, CounterConfig(event_class=_NONE))
    else:
        raise KeyError(slot.table)


def put_point(database: Database, slot: Slot, value: float) -> None:
    """Set a point; one that is no number is flagged as lost."""
    known = math.isfinite(value)
    number = value if known else 0.0
    if slot.table in ("AI", "AO"):
        quality = AnalogQuality.ONLINE if known else AnalogQuality.COMM_LOST
        is_input = slot.table == "AI"
        update = database.update_analog_input if is_input else database.update_analog_output
        update(slot.index, float(round(number)), quality)
    elif slot.table in ("BI", "BO"):
        flags = BinaryQuality.ONLINE if known else BinaryQuality.COMM_LOST
        is_input = slot.table == "BI"
        change = database.update_binary_input if is_input else database.update_binary_output
        change(slot.index, number >= 0.5, flags)
    else:
        count = CounterQuality.ONLINE if known else CounterQuality.COMM_LOST
        database.update_counter(slot.index, round(number) % 2**32, count)


class _Commands(DefaultCommandHandler):
    """What dnp3py's outstation calls for selects and operates; pulse times do not count."""

    def __init__(self, image: OutstationImage) -> None:
        super().__init__()
        self._image = image

    def select_binary_output(
        self, index: int, code: ControlCode, count: int, on_time: int, off_time: int
    ) -> CommandResult:
        return self._latch(index, code, really=False)

    def operate_binary_output(
        self, index: int, code: ControlCode, count: int, on_time: int, off_time: int,
        select_sequence: int,
    ) -> CommandResult:  # fmt: skip
        return self._latch(index, code, really=True)

    def direct_operate_binary_output(
        self, index: int, code: ControlCode, count: int, on_time: int, off_time: int
    ) -> CommandResult:
        return self._latch(index, code, really=True)

    def select_analog_output(self, index: int, value: float) -> CommandResult:
        return self._image.operate(Slot("AO", index), value, really=False)

    def operate_analog_output(
        self, index: int, value: float, select_sequence: int
    ) -> CommandResult:
        return self._image.operate(Slot("AO", index), value, really=True)

    def direct_operate_analog_output(self, index: int, value: float) -> CommandResult:
        return self._image.operate(Slot("AO", index), value, really=True)

    def _latch(self, index: int, code: ControlCode, *, really: bool) -> CommandResult:
        if code not in _LATCHES:
            return CommandResult.not_supported()
        return self._image.operate(Slot("BO", index), _LATCHES[code], really=really)


def _columns(device: EmulatedDevice) -> list[tuple[int, PointSpec, list[Place]]]:
    found = []
    for column, point in enumerate(device.model.point):
        if point.protocol == "dnp3" and point.constant is None:
            try:
                found.append((column, point, [parse_place(at) for at in point.places]))
            except ValueError as error:
                where = f"{device.model.model}: point.{point.name}"
                raise ConfigError(where, str(error), "write it as AI:537") from None
    return found
