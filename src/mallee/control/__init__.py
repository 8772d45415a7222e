"""Decides, ten times a second, what the devices of a site should do. Pure functions of values.

`cycle` is the whole of it; `limits_of` prepares what it needs of the site model once.
"""

from mallee.control.chain import Chain, chain_of
from mallee.control.concerns import CONCERNS
from mallee.control.cycle import PERIOD_S, cycle, initial_state
from mallee.control.demand_window import plan_of_windows
from mallee.control.limits import Limits, limits_of
from mallee.control.refusal import why_not
from mallee.control.safe_state import safe_commands
from mallee.control.schedule import limits_now
from mallee.control.state import ControlState
from mallee.control.status import status_of

__all__ = [
    "CONCERNS",
    "PERIOD_S",
    "Chain",
    "ControlState",
    "Limits",
    "chain_of",
    "cycle",
    "initial_state",
    "limits_now",
    "limits_of",
    "plan_of_windows",
    "safe_commands",
    "status_of",
    "why_not",
]
