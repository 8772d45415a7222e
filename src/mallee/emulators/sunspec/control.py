"""What an emulated SunSpec device does with writes: checks, set points, enables, reversion timers.

Source: SunSpec DER Information Model Specification. A set point ``WSet`` has ``WSetEna`` (acts or
not), ``WSetRvrtTms`` (acts for so long after the last write, 0 for ever), ``WSetRvrtRem`` (time
left), ``WSetRvrt`` and ``WSetEnaRvrt`` (what holds then). All or nothing of a write is accepted.
"""

import math
from typing import Final

from mallee.catalogue.sunspec import NUMBERS, missing_bytes
from mallee.core.errors import Rejected
from mallee.emulators.device import EmulatedDevice
from mallee.emulators.sunspec.image import BASE, Section, Slot, SunSpecImage

_TIMER: Final = "RvrtTms"
_FAMILY: Final = ("", "Pct", "Ena", "Mod", _TIMER)


class SunSpecControl:
    """Applies writes to an image and hands set points to the device."""

    def __init__(self, device: EmulatedDevice, image: SunSpecImage) -> None:
        self._device, self._image = device, image
        self._deadlines: dict[str, float] = {}
        self._families: dict[str, str] = {}
        for section in image.sections:
            for stem in _stems(section):
                for tail in _FAMILY:
                    self._families[stem + tail] = stem
        self.next_deadline_s = math.inf

    def write(self, register: int, data: bytes, now_s: float) -> None:
        """Take register bytes from `register` on, or nothing of them.

        Raises:
            LookupError: not a writable register, or a part of a point only.
            Rejected: a value that the point or the device declines.
        """
        image = self._image
        start = 2 * (register - BASE)
        slots = self._touched(start, start + len(data))
        before = bytes(image.data)
        image.data[start : start + len(data)] = data
        try:
            for slot in slots:
                self._check(slot)
            for slot in slots:
                if slot.key not in self._families and slot.column is not None:
                    self._command(slot, image.value(slot.key), 0.0)
            for stem in dict.fromkeys(self._stem(slot, before) for slot in slots):
                if stem is not None:
                    self._act(stem, now_s)
        except Rejected:
            image.data[:] = before
            raise
        image.written.update(slot.key for slot in slots if slot.column is None)

    def expire(self, now_s: float) -> None:
        """Let the set points go whose time is up, and count down the others."""
        for stem, deadline in list(self._deadlines.items()):
            if now_s >= deadline:
                del self._deadlines[stem]
                self._revert(stem)
            self._show_rest(stem, max(0.0, deadline - now_s))
        self._plan()

    def _stem(self, slot: Slot, before: bytes) -> str | None:
        """The set point that a write restarts; the same time again restarts nothing by itself."""
        same = self._image.data[slot.start : slot.end] == before[slot.start : slot.end]
        return None if slot.key.endswith(_TIMER) and same else self._families.get(slot.key)

    def _touched(self, start: int, end: int) -> list[Slot]:
        slots = []
        for section in self._image.sections:
            if section.start < end and start < section.end:
                slots += [s for s in section.slots.values() if s.start < end and start < s.end]
        if not slots or slots[0].start < start or slots[-1].end > end:
            raise LookupError("the write covers no point, or a part of one")
        for slot in slots:
            if not slot.point.writable:
                raise LookupError(f"{slot.key} is read only")
        return slots

    def _check(self, slot: Slot) -> None:
        """Decline what the definition does not allow in a point."""
        point = slot.point
        raw = bytes(self._image.data[slot.start : slot.end])
        if raw == missing_bytes(point.kind, point.registers) and not point.kind.startswith("raw"):
            if point.kind in NUMBERS and NUMBERS[point.kind].missing is not None:
                raise Rejected(f"{slot.key}: the value that means not implemented")
            return
        if point.kind not in NUMBERS:
            return
        value = self._image.value(slot.key)
        if point.kind.startswith("enum") and point.symbols:
            if value not in point.symbols.values():
                raise Rejected(f"{slot.key} = {value:g}: not one of {point.symbols}")
        elif point.units == "Pct" and not -100 <= value <= 100:
            raise Rejected(f"{slot.key} = {value:g} %: outside -100..100 %")

    def _act(self, stem: str, now_s: float) -> None:
        """One of a set point's family was written: start it, or stop it."""
        image = self._image
        enabled = image.slots.get(stem + "Ena") is None or image.value(stem + "Ena") == 1
        time_s = image.value(stem + _TIMER)
        time_s = 0.0 if math.isnan(time_s) else time_s
        slot = image.slots.get(stem)
        if not enabled:
            if self._deadlines.pop(stem, None) is not None and slot is not None:
                self._stop(slot)
            time_s = 0.0
        elif slot is not None and slot.column is not None and self._follows(stem):
            self._command(slot, image.value(stem), time_s)
        if time_s > 0:
            self._deadlines[stem] = now_s + time_s
        else:
            self._deadlines.pop(stem, None)
        self._show_rest(stem, time_s)
        self._plan()

    def _follows(self, stem: str) -> bool:
        """Whether the mode is the set point in its own unit, the only one that the twin knows."""
        mode = self._image.slots.get(stem + "Mod")
        if mode is None:
            return True
        symbols = mode.point.symbols
        value = self._image.value(mode.key)
        return value in {symbols.get("WATTS"), symbols.get("VARS")} or math.isnan(value)

    def _revert(self, stem: str) -> None:
        image = self._image
        keeps = image.slots.get(stem + "EnaRvrt")
        stays = 1.0 if keeps is not None and image.value(keeps.key) == 1 else 0.0
        slot, fallback = image.slots.get(stem), image.slots.get(stem + "Rvrt")
        if image.slots.get(stem + "Ena") is not None:
            image.put(stem + "Ena", stays)
        if slot is None or fallback is None or math.isnan(image.value(fallback.key)):
            return
        if slot.column is None:
            image.put(stem, image.value(fallback.key))
        elif stays:
            # Otherwise the device itself ends the lease that it was given with the set point.
            self._command(slot, image.value(fallback.key), 0.0)
            image.put(stem, image.value(fallback.key))

    def _stop(self, slot: Slot) -> None:
        """A set point that is disabled asks for nothing any more."""
        if slot.column is not None:
            self._command(slot, 0.0, 0.0)

    def _command(self, slot: Slot, value: float, lease_s: float) -> None:
        column = slot.column
        assert column is not None
        shown = float(self._device.values[column])
        name = self._device.model.point[column].name
        self._device.write(name, value * slot.scale * slot.share + slot.offset, lease_s)
        self._image.shown[column] = shown

    def _show_rest(self, stem: str, rest_s: float) -> None:
        if stem + "RvrtRem" in self._image.slots:
            self._image.put(stem + "RvrtRem", math.ceil(rest_s))

    def _plan(self) -> None:
        self.next_deadline_s = min(self._deadlines.values(), default=math.inf)


def _stems(section: Section) -> list[str]:
    """Set points with a reversion timer, ``704.WSet``."""
    return [key.removesuffix(_TIMER) for key in _keys(section) if key.endswith(_TIMER)]


def _keys(section: Section) -> list[str]:
    return [slot.key for slot in section.slots.values()]
