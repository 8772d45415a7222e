"""Short ways to write faults down."""

import math

from mallee.twin.faults import FaultEvent


def fault(
    at_s: float, target: str, kind: str, until_s: float = math.inf, **parameters: float
) -> FaultEvent:
    """One fault."""
    return FaultEvent(at_s=at_s, target=target, kind=kind, until_s=until_s, parameters=parameters)


def rush(at_s: float, target: str = "ev*", cars: float = 8.0) -> FaultEvent:
    """Cars that plug in at once at each charger."""
    return fault(at_s, target, "plug-in-rush", cars_count=cars)
