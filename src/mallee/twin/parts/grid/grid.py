"""Voltage and frequency at the connection, as events, sags by table, traces, outage and return."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.twin.clock import STEP_MS, Clock
from mallee.twin.part import Saved

VOLTAGE_MAX_PU: Final = 2.0

# One sag class a row: voltage left and how long, after the survey bins of IEC 61000-4-34 class 3.
SAGS: Final = {
    "half-cycle": (0.0, 20),
    "deep": (0.4, 200),
    "medium": (0.7, 500),
    "shallow": (0.8, 5_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GridEvent:
    """Voltage and frequency between two instants; later events override earlier ones.

    Attributes:
        start_ms, end_ms: whole electrical steps, ``[start, end)``.
        voltage_pu: 0 is an outage.
        frequency_hz: None keeps what it is.
    """

    start_ms: int
    end_ms: int
    voltage_pu: float = 1.0
    frequency_hz: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms < self.end_ms or self.start_ms % STEP_MS or self.end_ms % STEP_MS:
            raise ConfigError(
                "grid event",
                f"{self.start_ms} to {self.end_ms} ms are no whole steps of {STEP_MS} ms",
            )
        if not 0.0 <= self.voltage_pu <= VOLTAGE_MAX_PU:
            raise ConfigError(
                "grid event",
                f"voltage {self.voltage_pu} pu is out of range",
                f"0 to {VOLTAGE_MAX_PU:g} pu",
            )


class Grid:
    """The voltage and frequency of every step, nominal where nothing was added.

    Attributes:
        events: sorted as added; add more at any time.
    """

    def __init__(self, frequency_hz: float, clock: Clock) -> None:
        self._step_ms = clock.step_ms
        self.nominal_hz = frequency_hz
        self.events: list[GridEvent] = []
        self._trace: tuple[NDArray[np.int64], FloatArray, FloatArray] | None = None
        self._voltage_pu: FloatArray = np.ones(0)
        self._frequency_hz: FloatArray = np.ones(0)

    def add(self, event: GridEvent) -> None:
        """Let something happen."""
        self.events.append(event)

    def add_sag(self, kind: str, start_ms: int) -> None:
        """A sag by table: one of `SAGS`."""
        if kind not in SAGS:
            raise ConfigError("grid sag", f"no sag {kind!r}", "known: " + ", ".join(SAGS))
        voltage_pu, length_ms = SAGS[kind]
        self.add(GridEvent(start_ms=start_ms, end_ms=start_ms + length_ms, voltage_pu=voltage_pu))

    def add_outage(self, start_ms: int, end_ms: int) -> None:
        """No voltage between two instants; then it returns."""
        self.add(GridEvent(start_ms=start_ms, end_ms=end_ms, voltage_pu=0.0))

    def use_trace(self, path: Path) -> None:
        """Follow a CSV with the columns ``t_s,voltage_pu,frequency_hz``; values hold.

        Raises:
            ConfigError: not readable, a missing column, a hole, or time that runs back.
        """
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            columns = [
                [float(row[n]) for row in rows] for n in ("t_s", "voltage_pu", "frequency_hz")
            ]
        except OSError as error:
            raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
        except (KeyError, TypeError, ValueError) as error:
            hint = "columns are t_s,voltage_pu,frequency_hz, all numbers"
            raise ConfigError(str(path), f"has a bad column or value: {error}", hint) from None
        data = np.array(columns)
        if not data.size or not np.isfinite(data).all() or (np.diff(data[0]) <= 0.0).any():
            raise ConfigError(str(path), "is empty, has holes or runs back in time")
        self._trace = (np.round(data[0] * 1000).astype(np.int64), data[1], data[2])

    def save(self) -> Saved:
        """What was added; a trace is an input and stays where it is."""
        rows = [
            (
                e.start_ms,
                e.end_ms,
                e.voltage_pu,
                np.nan if e.frequency_hz is None else e.frequency_hz,
            )
            for e in self.events
        ]
        return {"events": np.array(rows, np.float64).reshape(-1, 4)}

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Back to what `save` gave."""
        self.events = [
            GridEvent(
                start_ms=int(start),
                end_ms=int(end),
                voltage_pu=float(pu),
                frequency_hz=None if np.isnan(hz) else float(hz),
            )
            for start, end, pu, hz in saved["events"]
        ]

    def block(self, start_ms: int, steps: int) -> tuple[FloatArray, FloatArray]:
        """Voltage in per unit and frequency of each step; read-only.  # (steps,) each"""
        if len(self._voltage_pu) != steps:
            self._voltage_pu, self._frequency_hz = np.ones(steps), np.full(steps, self.nominal_hz)
        end_ms = start_ms + steps * self._step_ms
        now = [e for e in self.events if e.start_ms < end_ms and e.end_ms > start_ms]
        if not now and self._trace is None:
            return self._voltage_pu, self._frequency_hz
        voltage_pu, frequency_hz = np.ones(steps), np.full(steps, self.nominal_hz)
        if self._trace is not None:
            times_ms, trace_pu, trace_hz = self._trace
            at = np.searchsorted(times_ms, start_ms + self._step_ms * np.arange(steps), "right") - 1
            voltage_pu = np.where(at >= 0, trace_pu[at], voltage_pu)
            frequency_hz = np.where(at >= 0, trace_hz[at], frequency_hz)
        for event in now:
            first = max(0, (event.start_ms - start_ms) // self._step_ms)
            last = min(steps, (event.end_ms - start_ms) // self._step_ms)
            voltage_pu[first:last] = event.voltage_pu
            if event.frequency_hz is not None:
                frequency_hz[first:last] = event.frequency_hz
        return voltage_pu, frequency_hz
