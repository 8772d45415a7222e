"""Cooling plant: what rejects the heat of a site, each with a feed of its own."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

_POINTS = (
    PointKind(
        name="power_w",
        sensor=Sensor(gain_frac=0.02, quantum=10.0),
        shown="sum",
        total="cooling plant",
    ),
    PointKind(name="*_degc", sensor=Sensor(bias=0.3, quantum=0.1), shown="max"),
    PointKind(name="*_frac", sensor=Sensor(quantum=0.01)),
    PointKind(name="heat_w", sensor=Sensor(gain_frac=0.03, quantum=100.0)),
    PointKind(name="flow_kgps", sensor=Sensor(gain_frac=0.01, quantum=0.01)),
)


def _plant(name: str, label: str, order: int) -> DeviceKind:
    return DeviceKind(
        name=name,
        stands=("site", "pod"),
        order=order,
        table=name,
        role="load",
        power="power_w",
        points=_POINTS,
        drawing=Drawing(symbol=name, order=order, label=label),
    )


CHILLER = _plant("chiller", "Chiller", 9)
DRY_COOLER = _plant("dry_cooler", "Dry cooler", 13)
AIR_HANDLER = _plant("air_handler", "Air handler", 11)
PUMP = _plant("pump", "Pump", 12)

PLANT_KINDS = frozenset(kind.name for kind in (CHILLER, DRY_COOLER, AIR_HANDLER, PUMP))
"""Kinds that reject the heat of pods."""
