"""HPL-like runs: near full power, dips at each panel, slowly less as the matrix shrinks."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.site.simulated import Load
from mallee.twin.kernel import kernel
from mallee.twin.parts.compute.layout import Float32Array

RUN_S, PAUSE_S = 1800.0, 60.0
"""Length of a run at full pace, and of the pause between two."""

PANEL_FRAC, PANEL_DEPTH, TAIL_DEPTH = 0.06, 0.3, 0.35
"""Share of each panel's time spent factorising it, how deep power dips then, and how much of it is
gone at the end of a run: the trailing matrix no longer fills the accelerators."""

SAMPLE_MS: Final = 20


@dataclass(slots=True)
class Hpl:
    """One gang that runs again and again; a panel takes the load's `iteration_s`."""

    load: Load
    dt_ms: int
    units: int = 1
    stretches: bool = True
    state: FloatArray = field(default_factory=lambda: np.zeros(1))

    def fill(
        self, wave: Float32Array, column: int, row: int, steps: int, start_ms: int, pace: FloatArray
    ) -> None:
        """See `Workload.fill`."""
        load = self.load
        samples = max(1, self.dt_ms // SAMPLE_MS)
        slowest = float(pace[0])
        fill_hpl(
            wave, column, row, steps, start_ms, self.dt_ms, samples, slowest, load.level,
            load.iteration_s, self.state,
        )  # fmt: skip


@kernel
def fill_hpl(
    wave: Float32Array,
    column: int,
    row: int,
    steps: int,
    start_ms: int,
    dt_ms: int,
    samples: int,
    pace: float,
    level: float,
    panel_s: float,
    state: FloatArray,
) -> None:
    """Advance the run (`state[0]`, seconds at full pace) and write its activity."""
    dt_s = dt_ms / 1000.0 / samples
    for k in range(steps):
        now_ms = start_ms + k * dt_ms
        if now_ms < dt_ms:
            state[0] = 0.0
        total = 0.0
        for _ in range(samples):
            if now_ms < 0:
                break
            at_s = state[0]
            state[0] += dt_s * (pace if at_s < RUN_S else 1.0)
            if state[0] >= RUN_S + PAUSE_S:
                state[0] -= RUN_S + PAUSE_S
            if at_s >= RUN_S:
                continue
            done = at_s / RUN_S
            part = at_s % panel_s
            dip = PANEL_DEPTH if part < PANEL_FRAC * panel_s else 0.0
            total += level * (1.0 - TAIL_DEPTH * done * done * done) * (1.0 - dip)
        wave[row + k, column] = np.float32(total / samples)
