"""What a page asks for once: names, limits, the power tree, and the order of a frame's numbers."""

import zlib
from collections.abc import Callable, Iterable

import msgspec

from mallee.console.places import Place, PowerTree
from mallee.console.tiles import Tile, tiles
from mallee.core.arrays import NO_INDEX
from mallee.kinds import KINDS
from mallee.site.model import SiteModel
from mallee.site.switchgear import Transformer


class SignalInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Name and unit of one number of the frame."""

    name: str
    unit: str


class SiteLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and ratings that stand beside the numbers; what a site does not have is null or 0.

    Attributes:
        import_contract_w: what the contract allows; the limit in force may be lower.
        ramp_up_max_w_per_s, ramp_down_max_w_per_s: null where the contract has none.
        transformers_w: rating of all transformers at the grid connection together.
        pods_max_w: the most that everything in the pods consumes.
        evses: charging points of the site.
        supply_min_degc, supply_max_degc: narrowest coolant window of its CDUs.
    """

    contracted_w: float
    import_contract_w: float
    export_max_w: float
    ramp_up_max_w_per_s: float | None
    ramp_down_max_w_per_s: float | None
    transformers_w: float
    pods_max_w: float
    evses: int
    battery_max_w: float
    soc_min: float
    soc_max: float
    soc_target: float
    supply_min_degc: float | None
    supply_max_degc: float | None


class SiteInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A site as its pages need it.

    Attributes:
        twin: whether the site is simulated.
        schema: of frames whose numbers come in the order of `signals`.
        places: the power tree, those above before those below.
        tiles: totals beside import, battery and pods.
    """

    name: str
    timezone: str
    twin: bool
    schema: int
    accelerators: int
    limits: SiteLimits
    signals: list[SignalInfo]
    places: list[Place]
    tiles: list[Tile]


def site_info(site: SiteModel, tree: PowerTree, signals: list[SignalInfo]) -> SiteInfo:
    """Collect it from the model."""
    names = "\n".join(f"{signal.name} {signal.unit}" for signal in signals)
    return SiteInfo(
        name=site.name,
        timezone=site.file.timezone,
        twin=site.file.twin is not None,
        schema=zlib.crc32(names.encode()) & 0xFFFF,
        accelerators=sum(place.accelerators for place in tree.places),
        limits=_limits(site, tree),
        signals=signals,
        places=tree.places,
        tiles=[tile for tile, _ in tiles(site)],
    )


def _limits(site: SiteModel, tree: PowerTree) -> SiteLimits:
    grid, control = site.grid, site.file.control
    feeds = set(site.feed_branches.tolist()) - {NO_INDEX}
    at_grid = (b for b in site.branches if isinstance(b.entry, Transformer) and b.parent in feeds)
    storage = [group for group in site.groups if KINDS[group.kind].role == "storage"]
    posts = [g for g in site.groups if "evse_count" in g.model.physics]
    return SiteLimits(
        contracted_w=sum(feed.contracted_w for feed in site.file.feeds),
        import_contract_w=sum(feed.import_max_w for feed in site.file.feeds),
        export_max_w=grid.export_max_w,
        ramp_up_max_w_per_s=_or_none(grid.ramp_up_w_per_s),
        ramp_down_max_w_per_s=_or_none(grid.ramp_down_w_per_s),
        transformers_w=sum(branch.rating_w for branch in at_grid),
        pods_max_w=sum(place.rating_w for place in tree.places if place.pod),
        evses=sum(g.count * int(g.model.parameter("evse_count")) for g in posts),
        battery_max_w=sum(g.count * g.model.power_max_w for g in storage),
        soc_min=control.soc_min,
        soc_max=control.soc_max,
        soc_target=control.soc_target,
        supply_min_degc=_narrowest(site, "supply_min_degc", max),
        supply_max_degc=_narrowest(site, "supply_max_degc", min),
    )


def _or_none(value: float) -> float | None:
    return value if value < float("inf") else None


def _narrowest(
    site: SiteModel, limit: str, choose: Callable[[Iterable[float]], float]
) -> float | None:
    found = [g.model.limits[limit].value for g in site.groups if limit in g.model.limits]
    return choose(found) if found else None
