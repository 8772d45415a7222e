"""CDU pumps against the loop they drive, in fractions of the CDU's rated flow, head and speed.

A pump's head is ``1.25 n^2 - 0.25 m^2``, the loop's resistance is quadratic in flow, so flow goes
with speed, head with its square and hydraulic power with its cube (affinity laws). The reserve
pump sits behind a check valve: whichever turns faster carries the flow.
"""

import math
from typing import Final

from mallee.twin.kernel import kernel

_SHUT_OFF_HEAD: Final = 1.25
"""Head at no flow over rated head: a flat curve, usual for in-line circulators [assumed]."""

_COMMON_SHARE: Final = 0.4
"""Share of rated head spent in heat exchanger, filter and row pipes; the racks take the rest."""

RACK_HEAD: Final = 1.0 - _COMMON_SHARE
"""Head across the racks that the CDU's differential-pressure control holds."""

_IDLE_SHARE: Final = 0.25
"""Shaft power at no flow over shaft power at rated flow, same speed (radial pumps) [assumed]."""


@kernel
def cube(x: float) -> float:
    """Power of pumps and fans by speed; ``x ** 3`` would differ compiled from not compiled."""
    return x * x * x


@kernel
def free_flow_frac(conductance: float) -> float:
    """Flow at full speed into racks of this conductance, as a fraction of rated flow.

    Args:
        conductance: sum over the racks of (flow fraction of the CDU) / sqrt(head fraction).
    """
    if conductance <= 0.0:
        return 0.0
    resistance = (_SHUT_OFF_HEAD - 1.0) + _COMMON_SHARE + 1.0 / (conductance * conductance)
    return math.sqrt(_SHUT_OFF_HEAD / resistance)


@kernel
def pump_shaft_frac(speed_frac: float, flow_frac: float) -> float:
    """Power as a fraction of rated power: cube of speed, linear in flow at a given speed."""
    if speed_frac <= 0.0:
        return 0.0
    relative = min(flow_frac / speed_frac, 1.3)
    return cube(speed_frac) * (_IDLE_SHARE + (1.0 - _IDLE_SHARE) * relative)
