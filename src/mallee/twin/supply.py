"""Who has voltage: what racks and CDUs are told at the ends of blocks, and what tripped."""

from collections.abc import Iterator

import numpy as np

from mallee.core.site import FloatArray
from mallee.twin.assembly import SteadyLoads
from mallee.twin.cooling.cooling import Cooling
from mallee.twin.plant import Plant
from mallee.twin.power.feeders import Feeders


class Supply:
    """The power chain's word to everything that computes or cools.

    Attributes:
        voltage_pu: of each rack; 0 once its ride-through has run out.  # (racks,)
        state: breaker trips told so far, and whether something stands dark.  # (2,)
    """

    def __init__(
        self, plant: Plant, feeders: Feeders, steady: SteadyLoads, cooling: Cooling
    ) -> None:
        self._plant, self._feeders, self._steady, self._cooling = plant, feeders, steady, cooling
        self.voltage_pu: FloatArray = np.ones(len(plant.rack_feeder))
        self.state = np.zeros(2, np.int64)

    def tell(self) -> None:
        """Bring racks and CDUs up to date; cheap while nothing is wrong."""
        site = self._plant.site[0]
        if not (self.state[1] or site["disturbed"] or site["open"]):
            return
        racks, cdus = len(self.voltage_pu), self._steady.cdus
        guards = self._plant.guards
        self.voltage_pu[:] = np.where(guards["tripped"][:racks] == 1, 0.0, 1.0)
        first = len(guards) - len(self._steady.feeder)
        tripped = guards["tripped"][first : first + cdus] == 1
        dead = self._feeders.state["alive"][self._steady.feeder[:cdus]] == 0
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
        for feeder in np.flatnonzero(self._feeders.state["closed"] == 0):
            state = self._feeders.state[feeder]
            if state["open_ms"] >= since_ms:
                why = self._feeders.why_open(int(feeder))
                text = f"opened by {why} at {float(state['current_pu']):.2f} times its rating"
                yield int(state["open_ms"]), self._feeders.names[feeder], text
