"""What goes wrong, as data: a list of events, checked before the run, applied at block starts."""

from mallee.twin.faults.injector import FaultInjector
from mallee.twin.faults.plan import FaultEvent, FaultPlan
from mallee.twin.faults.registry import KINDS

__all__ = ["KINDS", "FaultEvent", "FaultInjector", "FaultPlan"]
