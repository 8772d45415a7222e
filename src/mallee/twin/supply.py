"""Who has voltage: what racks and steady loads are told at the ends of blocks, and what tripped."""

from collections.abc import Iterator

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.loads import Loads
from mallee.twin.part import Saved
from mallee.twin.parts.power.branches import Branches


class Supply:
    """The power chain's word to everything that computes or cools.

    Attributes:
        voltage_pu: of each rack; 0 once its ride-through has run out.  # (racks,)
        state: breaker trips told so far, and whether something stands dark.  # (2,)
    """

    def __init__(self, plant: ElectricalArrays, branches: Branches, loads: Loads) -> None:
        self._plant, self._branches, self._loads = plant, branches, loads
        self.voltage_pu: FloatArray = np.ones(len(plant.rack_cords))
        self.state = np.zeros(2, np.int64)

    def tell(self) -> None:
        """Bring racks and loads up to date; cheap while nothing is wrong."""
        site = self._plant.site[0]
        if not (self.state[1] or site["disturbed"] or site["open"]):
            return
        self.voltage_pu[:] = np.where(self._plant.rack_cords["tripped"] == 1, 0.0, 1.0)
        all_powered = self._loads.tell(self._plant.branch_state)
        # Also when the last one has come back: it must hear of it, though nothing is disturbed now.
        self.state[1] = not (self.voltage_pu.all() and all_powered)

    def new_trips(self, since_ms: int) -> Iterator[tuple[int, str, str]]:
        """Breakers that opened by themselves from `since_ms` on: when, which, why."""
        trips = int(self._plant.site[0]["trips"])
        if trips == self.state[0]:
            return
        self.state[0] = trips
        for branch in np.flatnonzero(self._branches.state["closed"] == 0):
            state = self._branches.state[branch]
            if state["open_ms"] >= since_ms:
                why = self._branches.why_open(int(branch))
                text = f"opened by {why} at {float(state['current_pu']):.2f} times its rating"
                yield int(state["open_ms"]), self._branches.names[branch], text

    def arrays(self) -> Saved:
        """Everything that changes, for save and restore."""
        return {"state": self.state, "voltage_pu": self.voltage_pu}
