"""The kinds of device: one file each, found by their folder.

A new kind is one more file here. Catalogue, site file, control, twin, history and pages look up
what they need in its row.
"""

import importlib
import pkgutil
from collections.abc import Iterator

from mallee.kinds.kind import Bound, DeviceKind, Drawing, How, PointKind, Role, Stands

__all__ = ["KINDS", "Bound", "DeviceKind", "Drawing", "How", "PointKind", "Role", "Stands"]


def _found() -> Iterator[DeviceKind]:
    for module in sorted(name for _, name, _ in pkgutil.iter_modules(__path__) if name != "kind"):
        for thing in vars(importlib.import_module(f"{__name__}.{module}")).values():
            if isinstance(thing, DeviceKind):
                yield thing


KINDS: dict[str, DeviceKind] = {
    kind.name: kind for kind in sorted(_found(), key=lambda kind: (kind.order, kind.name))
}
"""Every kind by its name, in the order in which devices are numbered."""
