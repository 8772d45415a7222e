"""The page's tiles for what stands at the site beside pods and battery: chargers, solar, plant."""

import msgspec
import numpy as np

from mallee.core.arrays import NO_INDEX, IntArray
from mallee.kinds import KINDS
from mallee.site.model import DeviceGroup, SiteModel

FIXED = "plant"
"""Loads that control cannot reduce share one tile."""


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A total with what it can be at most.

    Attributes:
        signal: name of its number.
        gives: whether it counts what is given rather than drawn.
        most_w: rating of all of them together.
        limit: name of the signal of a limit in force, empty for none.
        count: how many devices.
    """

    signal: str
    label: str
    gives: bool
    most_w: float
    limit: str = ""
    count: int = 0


def tiles(site: SiteModel) -> list[tuple[Tile, IntArray]]:
    """One tile a kind of load or source at the site, with the rows that it adds up."""
    found: dict[str, tuple[Tile, IntArray]] = {}
    for group in site.groups:
        kind = KINDS[group.kind]
        if kind.drawing is None or kind.role not in ("load", "source"):
            continue
        chosen = _at_site(site, group)
        if kind.power not in group.model.index or not len(chosen):
            continue
        name = FIXED if kind.is_fixed else kind.name
        more = Tile(
            signal=f"tile_w:{name}",
            label="Plant" if kind.is_fixed else kind.drawing.label,
            gives=kind.role == "source",
            most_w=group.model.power_max_w * len(chosen),
            limit="limit_w" if "limit_w" in group.model.index else "",
            count=len(chosen),
        )
        rows = group.rows(kind.power)[chosen]
        found[name] = _added(found[name], more, rows) if name in found else (more, rows)
    return list(found.values())


def _at_site(site: SiteModel, group: DeviceGroup) -> IntArray:
    outside = np.array([name.split("/")[0] not in site.pods for name in group.names], bool)
    return np.flatnonzero(outside & (group.rack == NO_INDEX))


def _added(one: tuple[Tile, IntArray], more: Tile, rows: IntArray) -> tuple[Tile, IntArray]:
    tile, before = one
    total = msgspec.structs.replace(
        tile, most_w=tile.most_w + more.most_w, count=tile.count + more.count
    )
    return total, np.concatenate([before, rows])
