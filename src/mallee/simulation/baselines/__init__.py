"""Who decides in a simulated run: the product's control, or a rule that it is compared with.

A headline that one of these rules also reaches is not a headline.
"""

from collections.abc import Callable
from typing import NamedTuple

from mallee.control import cycle
from mallee.simulation.baselines.capping import dynamo, static_limits, thunderbolt
from mallee.simulation.baselines.rule import Decide, slowly
from mallee.simulation.baselines.storage import (
    battery_alone,
    floor_alone,
    peak_shaving,
    with_floor,
)
from mallee.site.model import SiteModel

__all__ = ["CONTROLS", "Control", "Decide"]


class Control(NamedTuple):
    """One row of the comparison.

    Attributes:
        text: what it does, for tables.
        make: its decisions, for one run at a site.
        prepare: what it needs changed at the site.
    """

    text: str
    make: Callable[[SiteModel], Decide]
    prepare: Callable[[SiteModel], SiteModel] = lambda site: site


CONTROLS: dict[str, Control] = {
    "auto": Control("Mallee", lambda _: cycle),
    "off": Control("every command thrown away", lambda _: slowly(lambda *_: [])),
    "static": Control("fixed shares from nameplates", static_limits),
    "battery": Control("the battery's own filter alone", battery_alone),
    "floor": Control("power smoothing of the accelerators alone", floor_alone, with_floor),
    "dynamo": Control("node caps in three bands (Dynamo)", dynamo),
    "thunderbolt": Control("load shaping by two thresholds (Thunderbolt)", thunderbolt),
    "peak-shaving": Control("battery by set point (OpenEMS peak shaving)", peak_shaving),
}
"""By name."""
