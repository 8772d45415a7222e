"""What a page asks for once: names, limits, the drawing, and the order of a frame's numbers."""

import zlib
from collections.abc import Callable, Iterable

import msgspec

from mallee.console.one_line import Diagram
from mallee.site.model import SiteModel


class SignalInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Name and unit of one number of the frame."""

    name: str
    unit: str


class SiteLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and ratings that stand beside the numbers; what a site does not have is null or 0.

    Attributes:
        transformers_w: rating of all transformers at the grid connection together.
        pods_max_w: the most that everything in the pods consumes.
        evses: charging evses of the site.
        supply_min_degc, supply_max_degc: narrowest coolant window of its CDUs.
    """

    contracted_w: float
    import_contract_w: float
    export_max_w: float
    ramp_up_max_w_per_s: float
    ramp_down_max_w_per_s: float
    transformers_w: float
    pods_max_w: float
    chargers_max_w: float
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
    """

    name: str
    timezone: str
    twin: bool
    schema: int
    accelerators: int
    limits: SiteLimits
    signals: list[SignalInfo]
    diagram: Diagram


def site_info(site: SiteModel, diagram: Diagram, signals: list[SignalInfo]) -> SiteInfo:
    """Collect it from the model."""
    names = "\n".join(f"{signal.name} {signal.unit}" for signal in signals)
    return SiteInfo(
        name=site.name,
        timezone=site.file.timezone,
        twin=site.file.twin is not None,
        schema=zlib.crc32(names.encode()) & 0xFFFF,
        accelerators=sum(node.accelerators for node in diagram.nodes),
        limits=_limits(site, diagram),
        signals=signals,
        diagram=diagram,
    )


def _limits(site: SiteModel, diagram: Diagram) -> SiteLimits:
    grid, control = site.grid, site.file.control
    at_grid = (f for f in site.branches if f.kind == "transformer" and f.parent == 0)
    chargers = list(site.groups_of("charger"))
    return SiteLimits(
        contracted_w=grid.contracted_w,
        import_contract_w=grid.import_max_w,
        export_max_w=grid.export_max_w,
        ramp_up_max_w_per_s=grid.ramp_up_w_per_s,
        ramp_down_max_w_per_s=grid.ramp_down_w_per_s,
        transformers_w=sum(branch.rating_w for branch in at_grid),
        pods_max_w=sum(n.rating_w for n in diagram.nodes if n.pod),
        chargers_max_w=sum(g.count * g.model.power_max_w for g in chargers),
        evses=sum(g.count * int(g.model.parameter("evse_count")) for g in chargers),
        battery_max_w=sum(g.count * g.model.power_max_w for g in site.groups_of("battery")),
        soc_min=control.soc_min,
        soc_max=control.soc_max,
        soc_target=control.soc_target,
        supply_min_degc=_narrowest(site, "cdu", "supply_min_degc", max),
        supply_max_degc=_narrowest(site, "cdu", "supply_max_degc", min),
    )


def _narrowest(
    site: SiteModel, kind: str, limit: str, choose: Callable[[Iterable[float]], float]
) -> float | None:
    found = [g.model.limits[limit].value for g in site.groups_of(kind) if limit in g.model.limits]
    return choose(found) if found else None
