"""Coolant at the racks as the dies see it: temperature, flow, and the exact step that follows."""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.parts.compute.layout import Layout
from mallee.twin.parts.compute.thermal import Coolant, step_matrix

SHUTDOWN_DEGC: Final = 105.0
"""Accelerators switch themselves off here, where the catalogue says nothing else."""


class RackCoolant:
    """Supply temperature and flow of every rack.

    Attributes:
        step_ms: the thermal step.
        supply_degc: coolant (or air) at the inlet.  # (racks,)
        kernel: the same for the kernel, with the matrices of a step.
    """

    def __init__(self, layout: Layout, step_ms: int) -> None:
        self.step_ms, racks = step_ms, layout.racks
        self.supply_degc, self._flow_frac = np.zeros(racks), np.full(racks, np.nan)
        self._resistance_k_per_w = layout.rack_parameter("die_to_coolant_k_per_w")
        self._die_j_per_k = layout.rack_parameter("die_j_per_k")
        self._plate_j_per_k = layout.rack_parameter("plate_j_per_k")
        throttle = layout.rack_parameter("throttle_degc")
        shutdown = layout.rack_parameter("shutdown_degc", SHUTDOWN_DEGC)
        self.kernel: Final = Coolant(
            supply_degc=np.zeros(racks, np.float32),
            matrix=np.zeros((racks, 6), np.float32),
            throttle_degc=throttle.astype(np.float32),
            shutdown_degc=shutdown.astype(np.float32),
        )

    def set(self, supply_degc: FloatArray, flow_frac: FloatArray) -> None:
        """Take what the loop delivers now.

        Args:
            flow_frac: relative to nominal, 0..1.  # (racks,)
        """
        self.supply_degc[:] = supply_degc
        self.kernel.supply_degc[:] = supply_degc
        if np.array_equal(flow_frac, self._flow_frac):
            return
        self._flow_frac[:] = flow_frac
        self.kernel.matrix[:] = step_matrix(
            self._resistance_k_per_w,
            self._die_j_per_k,
            self._plate_j_per_k,
            self._flow_frac,
            self.step_ms / 1000.0,
        )

    def forget(self) -> None:
        """Take the next flow as new, after a restore."""
        self._flow_frac[:] = np.nan
