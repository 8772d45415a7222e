"""What is proposed for the time ahead. Control is safe without it and never bound by it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A proposal with an end; a stale one is ignored.

    Attributes:
        valid_until_s: monotonic time after which control acts as if there were no plan.
        import_target_w: import to stay under where the battery can do it; infinite for none.
        reason: what the target is for, such as a demand window's name.
    """

    valid_until_s: float
    import_target_w: float = math.inf
    reason: str = ""


NO_PLAN = Plan(valid_until_s=math.inf)
"""Nothing is proposed."""
