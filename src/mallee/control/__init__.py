"""Decides, ten times a second, what the devices of a site should do. Pure functions of values.

`cycle` is the whole of it; `limits_of` prepares what it needs of the site model once.
"""

from mallee.control.cycle import PERIOD_S, cycle, initial_state
from mallee.control.demand_window import plan_of_windows
from mallee.control.limits import Limits, limits_of
from mallee.control.safe_state import safe_commands
from mallee.control.schedule import limits_now
from mallee.control.state import ControlState
from mallee.control.status import status_of

__all__ = [
    "PERIOD_S",
    "ControlState",
    "Limits",
    "cycle",
    "initial_state",
    "limits_now",
    "limits_of",
    "plan_of_windows",
    "safe_commands",
    "status_of",
]
