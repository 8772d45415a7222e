"""Tables that a folder fills: one row a file or package, found by name, loaded when asked for.

A row is one attribute of a module of the package. Who adds a file adds a row; nothing lists them.
Modules load at the first look-up, because some bring heavy libraries that few sites need.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class ByFolder(Mapping[str, T], Generic[T]):
    """What the modules of a package hold under one name.

    Args:
        package: full name of the package, imported already.
        attribute: what each module calls its row.
        names: the modules that count; all of the package where not given.
    """

    def __init__(
        self, package: str, attribute: str, names: Callable[[], Iterable[str]] | None = None
    ) -> None:
        self._package, self._attribute = package, attribute
        self._names = names
        self._rows: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """The row of a module.

        Raises:
            KeyError: no such module.
        """
        if name not in self._rows:
            if name not in self:
                raise KeyError(name)
            module = importlib.import_module(f"{self._package}.{name}")
            self._rows[name] = getattr(module, self._attribute)
        return self._rows[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is such a module; does not load it."""
        return name in self._rows or any(name == one for one in self)

    def __iter__(self) -> Iterator[str]:
        """Names in order of the alphabet."""
        places = importlib.import_module(self._package).__path__
        found = sorted(module.name for module in pkgutil.iter_modules(places))
        wanted = found if self._names is None else set(self._names())
        return (name for name in found if name in wanted)

    def __len__(self) -> int:
        """How many."""
        return sum(1 for _ in self)
