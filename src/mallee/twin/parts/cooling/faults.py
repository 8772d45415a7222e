"""What can be wrong with the cooling, as plain arrays that faults write and the physics reads."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray


@dataclass(slots=True, kw_only=True)
class CoolingFaults:
    """Healthy at the start.

    Attributes:
        powered: the CDU's branch has voltage; the power chain writes it.  # (cdus,)
        switched_on: nobody switched it off.  # (cdus,)
        pump_ok: a pump runs when asked.  # (cdus, 2)
        valve_stuck_frac: opening that the primary valve is stuck at; NaN moves freely.  # (cdus,)
        clean_frac: UA left by fouling, 0..1.  # (cdus,)
        cdu_leak_kgps: leak at full pressure.  # (cdus,)
        rack_leak_kgps: leak inside a rack at full pressure.  # (racks,)
        air_lock_frac: share of a rack's flow area blocked by air.  # (racks,)
        facility_flow_frac: share of facility water that still comes, site wide.
        fans_frac: share of dry-cooler fans in service.
        chiller_frac: share of chiller capacity in service, trim and air side.
        air_handler_frac: share of room air handlers in service.
        ambient_rise_k: outside air above what the site file says.
    """

    powered: NDArray[np.bool_]
    switched_on: NDArray[np.bool_]
    pump_ok: NDArray[np.bool_]
    valve_stuck_frac: FloatArray
    clean_frac: FloatArray
    cdu_leak_kgps: FloatArray
    rack_leak_kgps: FloatArray
    air_lock_frac: FloatArray
    facility_flow_frac: float = 1.0
    fans_frac: float = 1.0
    chiller_frac: float = 1.0
    air_handler_frac: float = 1.0
    ambient_rise_k: float = 0.0

    def save(self) -> dict[str, FloatArray]:
        """A copy of everything as arrays of numbers."""
        return {item.name: np.array(getattr(self, item.name), float) for item in fields(self)}

    def restore(self, saved: dict[str, FloatArray]) -> None:
        """Back to what `save` gave."""
        for item in fields(self):
            now = getattr(self, item.name)
            if isinstance(now, float):
                setattr(self, item.name, float(saved[item.name]))
            else:
                now[...] = saved[item.name]


def healthy(racks: int, cdus: int) -> CoolingFaults:
    """Nothing is wrong."""
    return CoolingFaults(
        powered=np.ones(cdus, np.bool_),
        switched_on=np.ones(cdus, np.bool_),
        pump_ok=np.ones((cdus, 2), np.bool_),
        valve_stuck_frac=np.full(cdus, np.nan),
        clean_frac=np.ones(cdus),
        cdu_leak_kgps=np.zeros(cdus),
        rack_leak_kgps=np.zeros(racks),
        air_lock_frac=np.zeros(racks),
    )
