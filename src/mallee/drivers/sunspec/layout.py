"""A SunSpec device's map as the driver uses it: where points stand, how to read and write them.

Pure functions of the models that a device serves; no I/O.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mallee.catalogue.sunspec import (
    NUMBERS,
    SunSpecModel,
    SunSpecPoint,
    decode_number,
    encode_number,
)
from mallee.core.arrays import FloatArray
from mallee.core.device_model import PointSpec
from mallee.drivers.modbus.codec import READ_MAX

ENABLE, MODE, TIMER = "Ena", "Mod", "RvrtTms"
_IN_OWN_UNIT: Final = {"W": "WATTS", "Var": "VARS", "Pct": "W_MAX_PCT"}
"""By a set point's unit, the symbol of its `Mod` point that makes the device follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """One model of a device's chain: where its ID register is and how many registers it spans."""

    address: int
    registers: int
    definition: SunSpecModel

    @property
    def header(self) -> bytes:
        """What its first two registers hold: number and length."""
        return self.definition.number.to_bytes(2) + (self.registers - 2).to_bytes(2)

    def find(self, name: str) -> SunSpecPoint | None:
        """A point that the device really has; older or cut-down models end before some."""
        point = self.definition.points.get(name)
        if point is None or point.offset + point.registers > self.registers:
            return None
        return point


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One register range that carries a catalogue point.

    Attributes:
        column: which point of the driver.
        exponent: the scale factor where the definition gives a number.
        exponent_address: the register that holds it otherwise.
    """

    column: int
    model: ServedModel
    point: SunSpecPoint
    address: int
    exponent: int | None
    exponent_address: int | None


Served = dict[tuple[int, int], ServedModel]
"""The models of a chain by number, and by which of several equal ones, counted from 1."""

PHASES: Final = (("WphA", "WphB", "WphC"), ("WL1", "WL2", "WL3"))
"""What must add up to a model's total power, point ``W``: meters; models of the 700 series."""
PHASE_FRAC, PHASE_STEPS = 0.05, 2.0
"""How far total and phases may differ: a share of the larger, as they are of two moments, and half
a step of the scale for the total and each phase, which are rounded."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A device's map as this driver uses it.

    Attributes:
        headers: first two registers of each model in use: address, and what they must hold. A
            device that answers something else has moved its models, or answers rubbish.
        phases: by place of a total, the places that must add up to it.
        exponents: by register, the scale factors last seen.
        companions: by place of a set point, the points beside it that the device implements.
    """

    places: tuple[Place, ...]
    blocks: tuple[tuple[int, int], ...]
    headers: tuple[tuple[int, bytes], ...] = ()
    phases: dict[int, tuple[Place, ...]] = field(default_factory=dict)
    exponents: dict[int, int | None] = field(default_factory=dict)
    companions: dict[int, dict[str, SunSpecPoint]] = field(default_factory=dict)


def plan_blocks(
    ranges: list[tuple[int, int]], read_max: int = READ_MAX
) -> tuple[tuple[int, int], ...]:
    """The fewest reads of at most `read_max` registers for ranges of (address, registers)."""
    blocks: list[tuple[int, int]] = []
    for start, count in sorted(set(ranges)):
        if blocks and start + count - blocks[-1][0] <= read_max:
            first, length = blocks[-1]
            blocks[-1] = (first, max(length, start + count - first))
        else:
            blocks.append((start, count))
    return tuple(blocks)


def parse_at(at: str) -> tuple[int, int, str]:
    """Model, which of several equal ones, and point of ``701.W``, or of ``203:2.W`` for the second.

    Raises:
        ValueError: it is of no such form.
    """
    model, _, name = at.partition(".")
    number, _, which = model.partition(":")
    return int(number), int(which or 1), name


def plan_layout(points: tuple[PointSpec, ...], served: Served, read_max: int = READ_MAX) -> Layout:
    """Where each point stands; points of models that the device lacks have no place.

    Args:
        read_max: most registers that the device gives in one read.
    """
    places: list[Place] = []
    phases: dict[int, tuple[Place, ...]] = {}
    for column, spec in enumerate(points):
        for at in spec.places:
            number, which, name = parse_at(at)
            model = served.get((number, which))
            place = _place(column, model, name) if model is not None else None
            if model is None or place is None:
                continue
            if name == "W":
                for names in PHASES:
                    found = [_place(column, model, phase) for phase in names]
                    if None not in found:
                        phases[len(places)] = tuple(one for one in found if one is not None)
            places.append(place)
    every = [*places, *(one for several in phases.values() for one in several)]
    ranges = [(place.address, place.point.registers) for place in every]
    ranges += [(p.exponent_address, 1) for p in every if p.exponent_address is not None]
    models = {place.model.address: place.model for place in every}
    for place in places:
        if points[place.column].access == "readwrite":
            companions = find_companions(place)
            follows = [companions[tail] for tail in (ENABLE, MODE) if tail in companions]
            ranges += [(place.model.address + one.offset, one.registers) for one in follows]
    headers = tuple((address, model.header) for address, model in models.items())
    ranges += [(address, 2) for address, _ in headers]
    return Layout(tuple(places), plan_blocks(ranges, read_max), headers, phases)


def _place(column: int, model: ServedModel, name: str) -> Place | None:
    """Where a model carries a number; None where this device's does not."""
    point = model.find(name)
    if point is None or point.kind not in NUMBERS:
        return None
    factor = point.scale_factor
    holder = model.find(factor) if isinstance(factor, str) else None
    return Place(
        column=column,
        model=model,
        point=point,
        address=model.address + point.offset,
        exponent=factor if isinstance(factor, int) else None,
        exponent_address=model.address + holder.offset if holder is not None else None,
    )


class Registers:
    """What one round of reads gave.

    Args:
        data: bytes of each block of the layout; None where the device denies it.
    """

    def __init__(self, layout: Layout, data: list[bytes | None]) -> None:
        self._blocks = list(zip(layout.blocks, data, strict=True))

    def cut(self, address: int, registers: int) -> bytes | None:
        """Some registers; None where they were not read."""
        for (start, length), block in self._blocks:
            if start <= address < start + length:
                at = 2 * (address - start)
                return None if block is None else block[at : at + 2 * registers]
        raise AssertionError(f"register {address} is in no block")


def fits(layout: Layout, registers: Registers) -> bool:
    """Whether the models in use still begin where they did."""
    held = [(registers.cut(address, 2), wanted) for address, wanted in layout.headers]
    return all(found is None or found == wanted for found, wanted in held)


def decode_points(layout: Layout, registers: Registers, count: int) -> FloatArray:
    """Raw readings by point: NaN without a place, not implemented, or contradicted by its phases.

    Several places of one point add up.  # (count,)
    """
    values = np.full(count, math.nan)
    for number, place in enumerate(layout.places):
        value = _decode(layout, registers, place)
        if number in layout.phases:
            parts = [_decode(layout, registers, one) for one in layout.phases[number]]
            total = sum(parts)
            # Who has no phases says 0 for each, or that they are not implemented.
            step = 10.0 ** (_exponent(layout, place) or 0)
            allowed = PHASE_FRAC * max(abs(value), abs(total)) + PHASE_STEPS * step
            if any(parts) and abs(value - total) > allowed:
                value = math.nan  # a total that has run over, or is another moment's
        before = values[place.column]
        values[place.column] = value if math.isnan(before) else before + value
    return values


def _exponent(layout: Layout, place: Place) -> int | None:
    """The scale factor of a place, as last seen."""
    if place.exponent_address is None:
        return place.exponent
    return layout.exponents.get(place.exponent_address)


def _decode(layout: Layout, registers: Registers, place: Place) -> float:
    exponent = place.exponent
    if place.exponent_address is not None:
        scale = registers.cut(place.exponent_address, 1)
        factor = math.nan if scale is None else decode_number("sunssf", scale, 0)
        exponent = None if math.isnan(factor) else int(factor)
        layout.exponents[place.exponent_address] = exponent
    point = place.point
    raw = registers.cut(place.address, point.registers)
    if raw is None:
        return math.nan
    return decode_number(point.kind, raw, exponent, mandatory=point.mandatory)


def find_companions(place: Place) -> dict[str, SunSpecPoint]:
    """`Ena`, `Mod` and `RvrtTms` of a set point, as far as the model has them."""
    model = place.model
    stem = place.point.name.split(".")[0]
    if model.find(stem + "Ena") is None:
        stem = stem.removesuffix("Pct")
    found = {tail: model.find(stem + tail) for tail in (ENABLE, MODE, TIMER)}
    return {tail: point for tail, point in found.items() if point is not None}


def what_follows(place: Place, companions: dict[str, SunSpecPoint]) -> list[tuple[int, bytes]]:
    """What enable and mode must hold for a device to follow a set point: (address, bytes)."""
    base, wanted = place.model.address, []
    mode, enable = companions.get(MODE), companions.get(ENABLE)
    symbol = _IN_OWN_UNIT.get(place.point.units, "")
    if mode is not None and symbol in mode.symbols:
        wanted.append((base + mode.offset, encode_number(mode.kind, mode.symbols[symbol])))
    if enable is not None:
        wanted.append((base + enable.offset, encode_number(enable.kind, 1)))
    return wanted


def plan_write(
    place: Place,
    value: float,
    exponent: int,
    lease_s: float,
    companions: dict[str, SunSpecPoint],
) -> list[tuple[int, bytes]]:
    """The writes that make a device follow a value, in order: (address, register bytes).

    The reversion timer comes first, then value and enable in one write if they are neighbours, so
    that the device never follows an old value or a new one unbounded.

    Raises:
        OverflowError: the value does not fit the point's type and scale factor.
    """
    base, point = place.model.address, place.point
    parts = {place.address: encode_number(point.kind, value, exponent)}
    writes = []
    timer = companions.get(TIMER)
    if timer is not None:
        writes.append((base + timer.offset, encode_number(timer.kind, math.ceil(lease_s))))
    parts |= dict(what_follows(place, companions))
    merged: list[tuple[int, bytes]] = []
    for address, data in sorted(parts.items()):
        if merged and merged[-1][0] + len(merged[-1][1]) // 2 == address:
            merged[-1] = (merged[-1][0], merged[-1][1] + data)
        else:
            merged.append((address, data))
    merged.sort(key=lambda part: not part[0] <= place.address < part[0] + len(part[1]) // 2)
    return writes + merged
