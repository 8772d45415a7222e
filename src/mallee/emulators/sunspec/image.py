"""The register image of an emulated SunSpec device, without sockets or clock.

The chain of models stands from register 40000 on. Before each read the points of the touched
models are written from the device's values; what clients wrote stays until the device's own value
of that point changes, so that every accepted write reads back at once.
"""

import math
from dataclasses import dataclass
from typing import Final

from mallee.catalogue.sunspec import (
    EXPONENT_MAX,
    NUMBERS,
    SunSpecModel,
    SunSpecPoint,
    decode_number,
    encode_number,
    encode_string,
    load_sunspec,
    missing_bytes,
)
from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError
from mallee.core.identity import spoken
from mallee.core.protocols.sunspec import Options
from mallee.emulators.device import EmulatedDevice
from mallee.emulators.sunspec.fill import EXPONENTS, FILL

BASE: Final = 40000
_POWER_UNITS: Final = frozenset({"W", "VA", "Var", "var"})


_Carried = tuple[int | None, float, float, int]
"""Column, scale, offset and share of a `Slot`."""
_NOWHERE: Final[_Carried] = (None, 1.0, 0.0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One point of one served model.

    Attributes:
        key: ``701.W``.
        start, end: its bytes in the image.
        column: which catalogue point it carries, or None.
        scale, offset: of that catalogue point; `share` of how many places this is one.
    """

    key: str
    point: SunSpecPoint
    start: int
    end: int
    factor_key: str
    column: int | None = None
    scale: float = 1.0
    offset: float = 0.0
    share: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One model in the chain: its bytes and points."""

    model: SunSpecModel
    start: int
    end: int
    slots: dict[str, Slot]


class SunSpecImage:
    """Registers of the chain of models that a device serves.

    Scale factors start so that the device's rating fits. A value that outgrows one raises it, as
    meters with automatic range do; it never falls again. Scale factors of settable points stay.

    Attributes:
        data: all registers from `BASE` on.
        shown: by catalogue point, the device's value at the time a client overwrote it.
        written: points without a catalogue entry that a client has set.
    """

    def __init__(self, device: EmulatedDevice) -> None:
        self._device = device
        self.sections = _lay_out(device)
        self.slots = {slot.key: slot for s in self.sections for slot in s.slots.values()}
        self.data = bytearray(self.sections[-1].end + 4)
        self.shown: dict[int, float] = {}
        self.written: set[str] = set()
        self._exponents: dict[str, int] = {}
        self._fixed_factors = {
            s.factor_key for s in self.slots.values() if s.point.writable and s.factor_key
        }
        self._live: dict[int, list[Slot]] = {}
        self._fill_once()

    @property
    def registers(self) -> int:
        """How many registers the image spans."""
        return len(self.data) // 2

    def refresh(self, first: int, count: int) -> None:
        """Bring the models up to date that touch `count` registers from register `first`."""
        start, end = 2 * (first - BASE), 2 * (first - BASE + count)
        for section in self.sections:
            if section.start < end and start < section.end:
                self._refresh(section)

    def value(self, key: str) -> float:
        """What a point reads in its own unit; NaN where it is not implemented."""
        slot = self.slots[key]
        exponent = self._exponents.get(slot.factor_key, 0)
        return decode_number(slot.point.kind, bytes(self.data[slot.start : slot.end]), exponent)

    def put(self, key: str, value: float) -> None:
        """Set a point in its own unit, clipped to what it can carry; NaN is not implemented."""
        slot = self.slots[key]
        point = slot.point
        if math.isnan(value):
            self.data[slot.start : slot.end] = missing_bytes(point.kind, point.registers)
            return
        exponent = self._exponents.get(slot.factor_key, 0)
        number = NUMBERS[point.kind]
        low, high = number.low * 10.0**exponent, number.high * 10.0**exponent
        self.data[slot.start : slot.end] = encode_number(
            point.kind, min(max(value, low), high), exponent
        )

    def _fill_once(self) -> None:
        self.data[:4] = b"SunS"
        self.data[-4:] = b"\xff\xff\x00\x00"
        for section in self.sections:
            rated_w = self._device.model.power_max_w
            for slot in section.slots.values():
                key = slot.factor_key
                if key and key not in self._exponents:
                    self._exponents[key] = EXPONENTS.get(key, 0)
                if key and slot.point.units in _POWER_UNITS:
                    self._grow(slot, rated_w, forced=True)
        texts = _identity(self._device)
        for section in self.sections:
            number = section.model.number
            for slot in section.slots.values():
                if slot.point.kind == "string":
                    text = texts.get(slot.key, "")
                    registers = slot.point.registers
                    self.data[slot.start : slot.end] = encode_string(text, registers)
                elif slot.point.kind == "sunssf":
                    self.put(slot.key, self._exponents.get(slot.key, 0))
                else:
                    self.put(slot.key, _standing(slot, section))
            self._live[number] = [slot for slot in section.slots.values() if _is_live(slot)]
            self._refresh(section)

    def _refresh(self, section: Section) -> None:
        values: list[tuple[Slot, float]] = []
        for slot in self._live[section.model.number]:
            value = self._own_value(slot)
            if value is None:
                continue
            if math.isfinite(value):
                self._grow(slot, value)
            values.append((slot, value))
        for slot, value in values:
            self.put(slot.key, value)

    def _own_value(self, slot: Slot) -> float | None:
        """The device's present value in the point's unit; None while a client's write stands."""
        if slot.column is not None:
            value = float(self._device.values[slot.column])
            if slot.point.writable and slot.column in self.shown:
                before = self.shown[slot.column]
                if value == before or (math.isnan(value) and math.isnan(before)):
                    return None
                del self.shown[slot.column]
            return (value - slot.offset) / slot.scale / slot.share
        fill = FILL.get(slot.key)
        if not isinstance(fill, tuple) or slot.key in self.written:
            return None
        source = self.slots.get(fill[0])
        value_or_none = self._own_value(source) if source is not None else math.nan
        return value_or_none * fill[1] if value_or_none is not None else None

    def _grow(self, slot: Slot, value: float, *, forced: bool = False) -> None:
        """Raise the scale factor of a point until it carries a value."""
        key = slot.factor_key
        if not key or (key in self._fixed_factors and not forced):
            return
        high = NUMBERS[slot.point.kind].high
        exponent = self._exponents[key]
        while abs(value) > high * 10.0**exponent and exponent < EXPONENT_MAX:
            exponent += 1
        if exponent != self._exponents[key]:
            self._exponents[key] = exponent
            holder = self.slots.get(key)
            if holder is not None:
                self.put(key, exponent)


def _carried(model: DeviceModel) -> dict[str, _Carried]:
    """By place such as ``701.W``, the catalogue point that it carries."""
    places: dict[str, _Carried] = {}
    for column, spec in enumerate(model.point):
        if spec.protocol == "sunspec":
            at = [spec.at] if isinstance(spec.at, str) else spec.at
            places |= {one: (column, spec.scale, spec.offset, len(at)) for one in at}
    return places


def _lay_out(device: EmulatedDevice) -> list[Section]:
    model = device.model
    places = _carried(model)
    sections = []
    start = 4
    for number in model.options("sunspec", Options).models:
        definition = load_sunspec(number)
        if definition is None:
            where = f"{model.model}: protocol.sunspec.options.models"
            raise ConfigError(where, f"no definition of SunSpec model {number}")
        slots = {}
        for name, point in definition.points.items():
            begin = start + 2 * point.offset
            factor = point.scale_factor
            column, scale, offset, share = places.pop(f"{number}.{name}", _NOWHERE)
            slots[name] = Slot(
                key=f"{number}.{name}",
                point=point,
                start=begin,
                end=begin + 2 * point.registers,
                factor_key=f"{number}.{factor}" if isinstance(factor, str) else "",
                column=column,
                scale=scale,
                offset=offset,
                share=share,
            )
        end = start + 2 * definition.registers
        sections.append(Section(model=definition, start=start, end=end, slots=slots))
        start = end
    if places:
        what = f"{', '.join(places)}: in none of the models that are served"
        raise ConfigError(f"{model.model}: protocol.sunspec.options.models", what)
    return sections


def _identity(device: EmulatedDevice) -> dict[str, str]:
    model = device.model
    texts = {
        "Mn": spoken(model.identity, "sunspec", "manufacturer", model.vendor),
        "Md": spoken(model.identity, "sunspec", "model", model.model),
        "Opt": model.kind,
        "Vr": spoken(model.identity, "sunspec", "firmware", "1.0"),
        "SN": device.name,
    }
    return {f"1.{name}": text for name, text in texts.items()}


def _standing(slot: Slot, section: Section) -> float:
    """What a point says before anything is known of it; NaN is not implemented."""
    point = slot.point
    if point.name == "ID":
        return section.model.number
    if point.name == "L":
        return section.model.registers - 2
    if point.fixed is not None:
        return point.fixed
    fill = FILL.get(slot.key)
    if isinstance(fill, int | float):
        return fill
    return 0.0 if point.mandatory else math.nan


def _is_live(slot: Slot) -> bool:
    return slot.column is not None or isinstance(FILL.get(slot.key), tuple)
