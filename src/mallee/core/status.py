"""What control says about itself, once a cycle: the source of the "why" line."""

from typing import Literal

import msgspec

Mode = Literal["starting", "auto", "degraded", "safe"]


class ControlStatus(msgspec.Struct, frozen=True, kw_only=True):
    """State of control for people and programs.

    Attributes:
        time_s: monotonic time of the cycle.
        mode: `auto`; `degraded` while devices stand in for a meter; `safe` while control cannot see
            enough to act.
        binding: the limit that binds now, such as ``ramp up``, ``import limit``, ``none``.
        acting: what is acting on it, such as ``bess1 ramp filter``.
        text: the "why" line, one sentence with numbers.
        import_in_force_w: import bound in force now, after all limits have shrunk it.
        import_target_w: import that control steers the battery's filter towards.
        charge_bias_w: charge that control adds to bring the state of charge back.
        chargers_max_w: sum of the charger limits in force.
        nodes_max_w: sum of the node caps in force.
        bands: which actuator covers which band of the swing now.
        cycle: number of the cycle.
        asked: the mode that somebody asked for: `auto` for none, `hold`, `island`, `safe-stop`.
        requests: by the id of each request in force, why it cannot be followed; empty where it is.
    """

    time_s: float
    mode: Mode
    binding: str
    acting: str
    text: str
    import_in_force_w: float
    import_target_w: float
    charge_bias_w: float
    chargers_max_w: float
    nodes_max_w: float
    bands: dict[str, str] = {}
    cycle: int = 0
    asked: str = "auto"
    requests: dict[str, str] = {}
