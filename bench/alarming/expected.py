"""Which alarm each kind of fault must bring: one row a kind; ``{target}`` is what the fault hits.

Faults that no reading shows (a straggler), that are an operator's everyday (a cloud, cars that plug
in), or that control must carry without a person (a slow battery) bring none and are not drawn.
"""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one kind of fault brings.

    Attributes:
        fault: its kind.
        targets: kinds of target that are drawn.
        alarms: any of these, ``*`` stands for any letters.
        parameters: of the fault.
        within_s: from its start to the alarm, delays of the alarm included.
        point: for faults of sensors: the point of the device that is hit.
    """

    fault: str
    targets: tuple[str, ...]
    alarms: tuple[str, ...]
    within_s: float = 40.0
    parameters: dict[str, float] = field(default_factory=dict)
    point: str = ""


SILENT: Final = {
    "node": "node-silent@{target}",
    "cdu": "cdu-silent@{target}",
    "battery": "battery-unseen@{target}",
    "charger": "charger-silent@{target}",
    "switch": "switch-silent@{target}",
    "power_shelf": "shelf-silent@{target}",
    "meter": "meter-silent@{target}",
    **dict.fromkeys(("ups", "pdu", "transfer_switch", "genset", "solar"), "supply-silent@{target}"),
    **dict.fromkeys(("chiller", "dry_cooler", "air_handler", "pump"), "plant-silent@{target}"),
}
"""By kind of device."""
NO_FLOW: Final = ("flow-lost@*", "coolant-hot@*", "coolant-leak@*")

ROWS: Final = (
    *(
        Expected(fault=fault, targets=(kind,), alarms=(alarm,), within_s=45.0)
        for fault in ("comms-silent", "comms-garbage", "comms-refuse")
        for kind, alarm in SILENT.items()
    ),
    *(
        Expected(fault="reboot", targets=(kind,), alarms=(SILENT[kind],), within_s=45.0)
        for kind in ("battery", "charger", "cdu", "node")
    ),
    Expected(fault="breaker-trip", targets=("breaker",), alarms=("breaker-open@{target}",)),
    Expected(fault="ups-trip", targets=("ups",), alarms=("breaker-open@{target}",)),
    Expected(fault="pdu-trip", targets=("pdu",), alarms=("breaker-open@{target}",)),
    Expected(fault="grid-outage", targets=("grid",), alarms=("grid-lost@*",)),
    Expected(fault="gpu-lost", targets=("node",), alarms=("accelerator-lost@{target}",)),
    Expected(
        fault="gpu-hot",
        targets=("node",),
        alarms=("die-hot@{target}", "accelerator-lost@{target}"),
        parameters={"resistance_pu": 4.0},
        within_s=80.0,
    ),
    Expected(
        fault="shelf-lost", targets=("rack",), alarms=("shelf-off@{target}/*", "rack-dark@{target}")
    ),
    Expected(
        fault="cdu-leak",
        targets=("cdu",),
        alarms=("coolant-leak@{target}",),
        parameters={"leak_kgps": 1.0},
    ),
    Expected(
        fault="rack-leak",
        targets=("rack",),
        alarms=("tray-leak@{target}/*", "coolant-leak@*"),
        parameters={"leak_kgps": 1.0},
    ),
    Expected(fault="pump-trip", targets=("cdu",), alarms=NO_FLOW, within_s=80.0),
    Expected(fault="cdu-off", targets=("cdu",), alarms=NO_FLOW, within_s=80.0),
    Expected(
        fault="sensor-missing",
        targets=("cdu",),
        alarms=("leak-detector-silent@{target}",),
        point="leak_count",
        within_s=45.0,
    ),
    Expected(
        fault="genset-fuel-low", targets=("genset",), alarms=("fuel-low@{target}",), within_s=75.0
    ),
)
