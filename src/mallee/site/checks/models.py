"""Catalogue models against their kind: points that lack, points that nobody simulates, no cap."""

from collections.abc import Iterator

from mallee.core.device_model import DeviceModel
from mallee.kinds import KINDS
from mallee.kinds.node import NODE
from mallee.site.checks.finding import Finding, several
from mallee.site.model import DeviceGroup, SiteModel


def points(site: SiteModel) -> Iterator[Finding]:
    """Of each model that the site uses: what it lacks, and what it has beyond its kind."""
    seen: set[str] = set()
    for group in site.groups:
        model = group.model
        if model.model in seen:
            continue
        seen.add(model.model)
        kind = KINDS[model.kind]
        lacking = kind.missing_points(model)
        if lacking:
            yield Finding(
                level="error",
                rule="model-lacks-point",
                where=model.model,
                key=f"{group.place}.model",
                text=f"lacks the point {' and '.join(map(repr, lacking))}, which control and "
                f"twin need of a {kind.name}",
                hint="add it to the model: `mallee catalogue show` of another model shows how",
            )
        unknown = kind.unknown_points(model)
        if unknown and site.file.twin is not None:
            yield Finding(
                level="note",
                rule="extra-point",
                where=model.model,
                key=f"{group.place}.model",
                text=f"has {', '.join(unknown)} beyond what a {kind.name} has: read, kept and "
                "shown, not simulated",
            )
        lacking = kind.missing_parameters(model)
        if lacking and site.file.twin is not None:
            yield Finding(
                level="error",
                rule="model-lacks-parameter",
                where=model.model,
                key=f"{group.place}.model",
                text=f"gives no {' and no '.join(lacking)}, without which a {kind.name} cannot be "
                "simulated",
                hint="add it to [physics] or [limits] with its mark and source",
            )


def caps(site: SiteModel) -> Iterator[Finding]:
    """Nodes that cannot be held: they count in full wherever power is short."""
    for group in site.groups_of(NODE):
        if not _is_capped(group.model):
            yield _no_cap(group)


def _is_capped(model: DeviceModel) -> bool:
    return any(p.name == "cap_w" and p.access == "readwrite" for p in model.point)


def _no_cap(group: DeviceGroup) -> Finding:
    return Finding(
        level="warning",
        rule="no-cap",
        where=several(group, range(group.count)),
        key=f"{group.place}.model",
        text=f"{group.model.model} has no settable cap_w: control counts these at full power and "
        "cannot hold them when power is short",
        hint="give the model a cap_w with access = readwrite and a read-back",
    )
