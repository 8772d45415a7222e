"""Who has voltage: what racks and CDUs are told at the ends of blocks, and what tripped."""

from collections.abc import Iterator

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.assembly import SteadyLoads
from mallee.twin.cooling.cooling import Cooling
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.power.branches import Branches


class Supply:
    """The power chain's word to everything that computes or cools.

    Attributes:
        voltage_pu: of each rack; 0 once its ride-through has run out.  # (racks,)
        state: breaker trips told so far, and whether something stands dark.  # (2,)
    """

    def __init__(
        self, plant: ElectricalArrays, branches: Branches, steady: SteadyLoads, cooling: Cooling
    ) -> None:
        self._plant, self._branches, self._steady, self._cooling = plant, branches, steady, cooling
        self.voltage_pu: FloatArray = np.ones(len(plant.rack_branch))
        self.state = np.zeros(2, np.int64)

    def tell(self) -> None:
        """Bring racks and CDUs up to date; cheap while nothing is wrong."""
        site = self._plant.site[0]
        if not (self.state[1] or site["disturbed"] or site["open"]):
            return
        racks, cdus = len(self.voltage_pu), self._steady.cdus
        guards = self._plant.guards
        self.voltage_pu[:] = np.where(guards["tripped"][:racks] == 1, 0.0, 1.0)
        first = len(guards) - len(self._steady.branch)
        tripped = guards["tripped"][first : first + cdus] == 1
        dead = self._branches.state["alive"][self._steady.branch[:cdus]] == 0
        powered = self._cooling.faults.powered
        powered[:] = ~(tripped | dead)
        # Also when the last one has come back: it must hear of it, though nothing is disturbed now.
        self.state[1] = not (self.voltage_pu.all() and powered.all())

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
