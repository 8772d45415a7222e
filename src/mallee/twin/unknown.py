"""Points of catalogue models that no part of the twin has a quantity for."""

from collections.abc import Iterable

from mallee.site.model import SiteModel
from mallee.twin.part import Part


def unknown_points(site: SiteModel, parts: Iterable[Part]) -> tuple[str, ...]:
    """One note a model; its points stay without a value in a simulated site."""
    parts = tuple(parts)
    notes: dict[str, str] = {}
    for group in site.groups:
        own = [part for part in parts if group.kind in part.kinds]
        shown = {name for part in own for name in part.points_of(group)}
        left = [p.name for p in group.model.point if p.constant is None and p.name not in shown]
        if left:
            names = ", ".join(left[:6]) + (", ..." if len(left) > 6 else "")
            note = f"the twin has no value for {len(left)} of its points: {names}"
            notes.setdefault(group.model.model, f"{group.model.model}: {note}")
    return tuple(notes.values())
