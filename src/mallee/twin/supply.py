"""Who has voltage: what racks and steady loads are told at the ends of blocks, and what opened."""

from collections.abc import Iterator

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.loads import Loads
from mallee.twin.part import Saved
from mallee.twin.parts.power.branches import Branches
from mallee.twin.parts.power.layout import NO_TRIP, ORDERED


class Supply:
    """The power chain's word to everything that computes or cools.

    Attributes:
        voltage_pu: of each rack; 0 once its ride-through has run out.  # (racks,)
        dark: whether something stands dark.  # (1,)
        open: breakers told to be open; ties that wait are not.  # (branches,)
    """

    def __init__(self, plant: ElectricalArrays, branches: Branches, loads: Loads) -> None:
        self._plant, self._branches, self._loads = plant, branches, loads
        self.voltage_pu: FloatArray = np.ones(len(plant.rack_cords))
        self.dark = np.zeros(1, bool)
        self.open = np.zeros(len(branches.state), bool)

    def tell(self) -> None:
        """Bring racks and loads up to date; cheap while nothing is wrong."""
        site = self._plant.site[0]
        if not (self.dark[0] or site["disturbed"] or site["open"]):
            return
        self.voltage_pu[:] = np.where(self._plant.rack_cords["tripped"] == 1, 0.0, 1.0)
        all_powered = self._loads.tell(self._plant.branch_state)
        # Also when the last one has come back: it must hear of it, though nothing is disturbed now.
        self.dark[0] = not (self.voltage_pu.all() and all_powered)

    def switched(self, now_ms: int) -> Iterator[tuple[str, int, str, str]]:
        """Breakers that opened or were closed since the last call: event kind, when, which, why."""
        state = self._branches.state
        is_open = (state["closed"] == 0) & (state["why_open"] != NO_TRIP)
        if (is_open == self.open).all():
            return
        for branch in np.flatnonzero(is_open != self.open).tolist():
            name, one = self._branches.names[branch], state[branch]
            if is_open[branch]:
                load = f" at {float(one['current_pu']):.2f} times its rating"
                if one["why_open"] == ORDERED:
                    yield "breaker-opened", int(one["open_ms"]), name, load
                else:
                    text = f"opened by {self._branches.why_open(branch)}{load}"
                    yield "breaker-trip", int(one["open_ms"]), name, text
            else:
                yield "breaker-closed", now_ms, name, ""
        self.open[:] = is_open

    def arrays(self) -> Saved:
        """Everything that changes, for save and restore."""
        return {"dark": self.dark, "open": self.open, "voltage_pu": self.voltage_pu}
