"""All parts of the twin, found by their folder: a module or a package here that has a `PART`."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mallee.twin import parts
from mallee.twin.part import PartKind


def _found() -> Iterator[PartKind]:
    for module in sorted(pkgutil.iter_modules(parts.__path__), key=lambda found: found.name):
        name = f"{parts.__name__}.{module.name}"
        thing = importlib.import_module(f"{name}.part" if module.ispkg else name)
        part = getattr(thing, "PART", None)
        if part is not None:
            yield replace(part, name=module.name)


PARTS: Final = tuple(sorted(_found(), key=lambda part: (part.order, part.name)))
"""In the order in which they are built and stepped."""
