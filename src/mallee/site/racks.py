"""The racks of a site as they are collected, entry by entry, before they are frozen."""

import numpy as np

from mallee.core.arrays import IntArray
from mallee.site.model import Racks

_COLUMNS = ("pod", "branch", "standby", "cdu", "loop")


class RackRows:
    """Columns that grow; one row a rack."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.priorities: list[int] = []
        self.tenants: list[str] = []
        self.places: list[str] = []
        self._columns: dict[str, list[int]] = {name: [] for name in _COLUMNS}

    @property
    def count(self) -> int:
        """Racks so far."""
        return len(self.names)

    def column(self, name: str) -> IntArray:
        """One column so far.  # (racks,)"""
        return np.array(self._columns[name], np.int64)

    def add(
        self, *, names: list[str], priority: int, tenant: str, place: str, **columns: IntArray
    ) -> None:
        """The racks of one entry; `columns` has each of pod, branch, standby, cdu, loop."""
        self.names += names
        self.places += [place] * len(names)
        self.priorities += [priority] * len(names)
        self.tenants += [tenant] * len(names)
        for name in _COLUMNS:
            self._columns[name] += columns[name].tolist()

    def freeze(self) -> Racks:
        """All racks as the model has them."""
        return Racks(
            names=tuple(self.names),
            pod=self.column("pod"),
            branch=self.column("branch"),
            standby_branch=self.column("standby"),
            cdu=self.column("cdu"),
            loop=self.column("loop"),
            priority=np.array(self.priorities, np.int64),
            tenant=tuple(self.tenants),
            place=tuple(self.places),
        )
