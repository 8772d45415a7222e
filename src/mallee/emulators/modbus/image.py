"""The register map of an emulated device, without sockets: four tables, filled when read."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mallee.core.device_model import PointSpec
from mallee.core.errors import ConfigError
from mallee.core.registers import TABLES, Place, Table, parse_place
from mallee.emulators.device import EmulatedDevice

WORD_BITS = 16


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of one point: `column` of the device's values."""

    column: int
    point: PointSpec
    place: Place


class RegisterImage:
    """What stands in a device's tables.

    Attributes:
        first: by table, the address of its first word; bits stand 16 to a word, the lowest first.
        words: by table, its words; empty for one that the device does not have.
    """

    def __init__(self, device: EmulatedDevice) -> None:
        self._device = device
        self._slots = list(_slots(device))
        self.first: dict[Table, int] = {}
        self.words: dict[Table, list[int]] = {}
        for table in TABLES:
            spans = [_span(slot.place) for slot in self._slots if slot.place.table == table]
            low, high = min((a for a, _ in spans), default=0), max((b for _, b in spans), default=0)
            self.first[table], self.words[table] = low, [0] * (high - low)

    def refresh(self, table: Table) -> None:
        """Fill a table with what the device says now."""
        for slot in self._slots:
            if slot.place.table == table:
                value = float(self._device.values[slot.column])
                self._put(slot.place, slot.point.to_device(value))

    def write(self, table: Table, address: int, values: list[int]) -> None:
        """Registers, or bits, that a client has written: the points there get their new values.

        Raises:
            Rejected: the device declines.
            LookupError: nothing that can be set stands there.
        """
        self.refresh(table)
        span = range(address, address + len(values))
        touched = [s for s in self._slots if s.place.table == table and s.place.address in span]
        points = {s.point.name for s in touched if s.point.access == "readwrite"}
        if not points:
            raise LookupError(address)
        for offset, value in enumerate(values):
            self._set(table, address + offset, value)
        for name in sorted(points):
            own = [slot for slot in self._slots if slot.point.name == name]
            total = sum(self._held(slot.place) for slot in own)
            self._device.write(name, own[0].point.to_point(total), 0.0)

    def _set(self, table: Table, address: int, value: int) -> None:
        if table in ("coil", "discrete"):
            at, bit = divmod(address, WORD_BITS)
            word = self.words[table][at - self.first[table]]
            self.words[table][at - self.first[table]] = _with_bit(word, bit, on=bool(value))
        else:
            self.words[table][address - self.first[table]] = value

    def _put(self, place: Place, value: float) -> None:
        if place.is_bits:
            self._set(place.table, place.address, int(value >= 0.5))
            return
        words, at = self.words[place.table], place.address - self.first[place.table]
        if place.kind == "bit":
            words[at] = _with_bit(words[at], place.bit, on=value >= 0.5)
            return
        data = _encoded(place, value)
        for offset in range(place.count):
            words[at + offset] = int.from_bytes(data[2 * offset : 2 * offset + 2], "big")

    def _held(self, place: Place) -> float:
        words = self.words[place.table]
        if place.is_bits:
            at, bit = divmod(place.address, WORD_BITS)
            return float(words[at - self.first[place.table]] >> bit & 1)
        at = place.address - self.first[place.table]
        return place.decode(b"".join(w.to_bytes(2, "big") for w in words[at : at + place.count]))


def _slots(device: EmulatedDevice) -> Iterator[Slot]:
    for column, point in enumerate(device.model.point):
        if point.protocol == "modbus" and point.constant is None:
            for at in point.places:
                try:
                    yield Slot(column, point, parse_place(at))
                except ValueError as error:
                    where = f"{device.model.model}: point.{point.name}"
                    raise ConfigError(where, str(error), "write it as holding:40:float32") from None


def _span(place: Place) -> tuple[int, int]:
    """First word of a place in its table, and the one behind it."""
    if place.is_bits:
        return place.address // WORD_BITS, place.address // WORD_BITS + 1
    return place.address, place.address + place.count


def _with_bit(word: int, bit: int, *, on: bool) -> int:
    return word | 1 << bit if on else word & ~(1 << bit)


def _encoded(place: Place, value: float) -> bytes:
    """A value's registers; "no value" where there is none, all ones where its type has no such."""
    size = 2 * place.count
    if math.isnan(value):
        return b"\xff" * size if place.none is None else place.none.to_bytes(size, "big")
    try:
        return place.encode(value)
    except OverflowError:
        return b"\x7f" + b"\xff" * (size - 1)  # as far as it goes
