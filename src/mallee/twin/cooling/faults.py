"""What can be wrong with the cooling, as plain arrays that faults write and the physics reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mallee.core.site import FloatArray


@dataclass(slots=True, kw_only=True)
class CoolingFaults:
    """Healthy at the start.

    Attributes:
        powered: the CDU has supply voltage.  # (cdus,)
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
    """

    powered: NDArray[np.bool_]
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


def healthy(racks: int, cdus: int) -> CoolingFaults:
    """Nothing is wrong."""
    return CoolingFaults(
        powered=np.ones(cdus, np.bool_),
        pump_ok=np.ones((cdus, 2), np.bool_),
        valve_stuck_frac=np.full(cdus, np.nan),
        clean_frac=np.ones(cdus),
        cdu_leak_kgps=np.zeros(cdus),
        rack_leak_kgps=np.zeros(racks),
        air_lock_frac=np.zeros(racks),
    )
