"""What a request may be about: places with the loads and devices in them, and other set points."""

import fnmatch
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mallee.core.arrays import NO_INDEX, BoolArray, IntArray
from mallee.core.request import TENANT
from mallee.kinds import KINDS
from mallee.kinds.battery import BATTERY
from mallee.site.budget import SteerableLoads
from mallee.site.model import SiteModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A point that can be set and that control leaves alone until somebody asks.

    Attributes:
        row: of the point.
        low, high: what it may be set to.
        lease_s: how long a value holds in the device without being renewed; 0 where it stands.
    """

    path: str
    row: int
    low: float
    high: float
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Names of everything that a request may mean.

    Attributes:
        devices: all devices of the site.
        tenants: whose each is; empty for nobody in particular.  # (devices,)
        first_rows, strides: where the points of each device stand.  # (devices,)
        load_paths: path of each load's limit.  # (loads,)
        load_devices: position of each load among `devices`.  # (loads,)
        settings: set points that no concern steers.
    """

    devices: tuple[str, ...]
    tenants: tuple[str, ...]
    first_rows: IntArray
    strides: IntArray
    load_paths: tuple[str, ...]
    load_devices: IntArray
    settings: tuple[Setting, ...]

    def loads_in(self, place: str) -> BoolArray:
        """Whether each load is in a place: a pod, a rack, a device, a tenant's.  # (loads,)"""
        return self.devices_in(place)[self.load_devices]

    def devices_in(self, place: str) -> BoolArray:
        """Whether each device is in a place.  # (devices,)"""
        if place.startswith(TENANT):
            return _same(self.tenants, place.removeprefix(TENANT))
        return _below(self.devices, place)

    def rows_in(self, place: str) -> IntArray:
        """Rows of all points of a place."""
        chosen = np.flatnonzero(self.devices_in(place)).tolist()
        if not chosen:
            return np.empty(0, np.int64)
        return np.concatenate(
            [np.arange(self.strides[one]) + self.first_rows[one] for one in chosen]
        )

    def loads_named(self, subject: str) -> BoolArray:
        """Whether each load's limit is meant by a path with wildcards.  # (loads,)"""
        return _matching(self.load_paths, subject)

    def settings_named(self, subject: str) -> list[Setting]:
        """Other set points meant by a path with wildcards."""
        meant = _matching(tuple(one.path for one in self.settings), subject)
        return [
            one for one, is_meant in zip(self.settings, meant.tolist(), strict=True) if is_meant
        ]


def places_of(site: SiteModel, loads: SteerableLoads) -> Places:
    """Everything that can be named at a site."""
    devices = tuple(name for group in site.groups for name in group.names)
    first_rows = np.concatenate(
        [group.first_row + group.stride * np.arange(group.count) for group in site.groups]
    )
    limit_rows = loads.limit_rows
    order = np.argsort(first_rows, kind="stable")
    found = np.searchsorted(first_rows[order], limit_rows, side="right") - 1
    return Places(
        devices=devices,
        tenants=tuple(
            tenant for group in site.groups for tenant in _tenants(site, group.rack, group.tenant)
        ),
        first_rows=first_rows,
        strides=np.concatenate([np.full(group.count, group.stride) for group in site.groups]),
        load_paths=tuple(site.point_path(row) for row in limit_rows.tolist()),
        load_devices=order[found] if len(limit_rows) else np.empty(0, np.int64),
        settings=tuple(_settings(site, set(limit_rows.tolist()))),
    )


def _tenants(site: SiteModel, racks: IntArray, own: str) -> list[str]:
    """A device's own tenant, or its rack's."""
    return [own or ("" if rack == NO_INDEX else site.racks.tenant[rack]) for rack in racks.tolist()]


def _settings(site: SiteModel, steered: set[int]) -> list[Setting]:
    found = []
    for group in site.groups:
        kind = KINDS[group.kind]
        for point in group.model.point:
            if point.access != "readwrite" or kind is BATTERY:
                continue
            row_of_kind, span = kind.point(point.name), kind.write_range(group.model, point.name)
            if span is None:
                continue
            for device, name in enumerate(group.names):
                row = group.row(device, point.name)
                if row not in steered:
                    lease_s = row_of_kind.lease_s if row_of_kind is not None else 0.0
                    path = f"{name}/{point.name}"
                    found.append(
                        Setting(path=path, row=row, low=span[0], high=span[1], lease_s=lease_s)
                    )
    return found


@lru_cache(maxsize=64)
def _matching(paths: tuple[str, ...], subject: str) -> BoolArray:
    pattern = re.compile(fnmatch.translate(subject))
    return np.array([pattern.match(path) is not None for path in paths], bool)


@lru_cache(maxsize=64)
def _below(devices: tuple[str, ...], place: str) -> BoolArray:
    """Devices of this name, or whose names begin with it.  # (devices,)"""
    pattern = re.compile(
        fnmatch.translate(place.rstrip("/")) + "|" + fnmatch.translate(place.rstrip("/") + "/*")
    )
    return np.array([pattern.match(name) is not None for name in devices], bool)


@lru_cache(maxsize=64)
def _same(tenants: tuple[str, ...], tenant: str) -> BoolArray:
    return np.array([one == tenant for one in tenants], bool)
