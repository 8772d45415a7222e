"""Which readings tell of heat: dies by node, flow by coolant loop. Worked out once."""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.kinds.cdu import CDU
from mallee.kinds.node import NODE
from mallee.site.budget import SteerableLoads
from mallee.site.model import SiteModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Dies:
    """Accelerators of nodes of one model.

    Attributes:
        loads: position of each node among the steerable loads.  # (nodes,)
        rows: row of each accelerator's temperature.  # (nodes, accelerators)
        throttle_degc: from here on they slow down by themselves.
    """

    loads: IntArray
    rows: IntArray
    throttle_degc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A coolant loop and what it cools.

    Attributes:
        name: what people call it.
        flow_rows: rows of the flow of its CDUs.
        loads: steerable loads that it cools.  # (loads of it,)
        liquid_frac: share of each one's power that its liquid carries.  # (loads of it,)
    """

    name: str
    flow_rows: IntArray
    loads: IntArray
    liquid_frac: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """All dies and loops of a site."""

    dies: tuple[Dies, ...]
    loops: tuple[Loop, ...]


def heat_of(site: SiteModel, loads: SteerableLoads) -> Heat:
    """Find the readings that tell of heat."""
    position = {row: load for load, row in enumerate(loads.limit_rows.tolist())}
    dies, liquid_frac = [], np.zeros(loads.count)
    for group in site.groups_of(NODE):
        if "cap_w" not in group.model.index:
            continue
        mine = np.array([position[row] for row in group.rows("cap_w").tolist()], np.int64)
        liquid_frac[mine] = group.model.parameter_or("liquid_frac", 0.0)
        points = [name for name in group.model.index if name.endswith("_temp_degc")]
        throttle_degc = group.model.parameter_or("throttle_degc", np.inf)
        if points and np.isfinite(throttle_degc):
            rows = np.stack([group.rows(name) for name in points], axis=1)
            dies.append(Dies(loads=mine, rows=rows, throttle_degc=throttle_degc))
    return Heat(dies=tuple(dies), loops=tuple(_loops(site, loads, liquid_frac)))


def _loops(site: SiteModel, loads: SteerableLoads, liquid_frac: FloatArray) -> list[Loop]:
    flow_row = {
        group.first_device + device: group.row(device, "flow_kgps")
        for group in site.groups_of(CDU)
        if "flow_kgps" in group.model.index
        for device in range(group.count)
    }
    loop_of = np.where(
        loads.rack >= 0, site.racks.loop[loads.rack] if len(site.racks.loop) else -1, -1
    )
    found = []
    for index, loop in enumerate(site.loops):
        mine = np.flatnonzero(loop_of == index)
        rows = [flow_row[cdu] for cdu in loop.cdus if cdu in flow_row]
        if len(mine) and len(rows) == len(loop.cdus):
            found.append(
                Loop(
                    name=loop.name,
                    flow_rows=np.array(rows, np.int64),
                    loads=mine,
                    liquid_frac=liquid_frac[mine],
                )
            )
    return found
