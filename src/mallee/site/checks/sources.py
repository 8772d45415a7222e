"""Sources and voltages: what hangs on nothing, meets another source, or gets the wrong voltage."""

from collections.abc import Iterator

import numpy as np

from mallee.core.arrays import NO_INDEX
from mallee.kinds import KINDS
from mallee.site.checks.finding import Finding, names_of, several, watts
from mallee.site.model import SiteModel

LOW_VOLTAGE_MAX_V = 1000.0
"""Low voltage ends at 1 kV (IEC 60038); no device of the catalogue takes more."""


def breakers_above(site: SiteModel) -> Iterator[Finding]:
    """Devices that hang on a feed itself."""
    feeds = [i for i, branch in enumerate(site.branches) if branch.kind == "grid"]
    for group in site.groups:
        if not KINDS[group.kind].consumes:
            continue
        there = np.flatnonzero(np.isin(group.branch, feeds))
        if len(there):
            yield Finding(
                level="warning",
                rule="no-breaker",
                where=several(group, there.tolist()),
                key=f"{group.place}.fed_by",
                text="directly on the grid connection, with no breaker above",
                hint="set fed_by to the breaker or transformer above it",
            )


def parallel(site: SiteModel) -> Iterator[Finding]:
    """Generators that would meet the grid without synchronising gear."""
    for group in site.groups:
        if not KINDS[group.kind].synchronous:
            continue
        if group.model.parameter_or("synchronises", 0.0) > 0.0:
            continue
        for device, index in enumerate(group.branch.tolist()):
            branch = site.branches[index]
            if branch.kind == group.kind:
                continue  # a source of its own, behind a transfer switch
            yield Finding(
                level="error",
                rule="parallel-sources",
                where=group.names[device],
                key=f"{group.place}.fed_by",
                text=f"gives into {branch.name}, in parallel with what feeds that, and has no "
                "synchronising gear",
                hint="leave fed_by out and put it behind a transfer_switch, "
                "or say so in its model: synchronises = 1",
            )


def voltages(site: SiteModel) -> Iterator[Finding]:
    """Devices for low voltage on a branch with more: a transformer lacks, or its voltage_v."""
    by_cause: dict[int, list[str]] = {}
    for group in site.groups:
        if not KINDS[group.kind].consumes:
            continue
        for device, index in enumerate(group.branch.tolist()):
            if index == NO_INDEX or site.branches[index].voltage_v <= LOW_VOLTAGE_MAX_V:
                continue
            if group.model.parameter_or("voltage_max_v", 0.0) >= site.branches[index].voltage_v:
                continue
            by_cause.setdefault(_sets_voltage(site, index), []).append(group.names[device])
    for index, names in sorted(by_cause.items()):
        branch = site.branches[index]
        is_transformer = branch.kind == "transformer"
        table = "grid" if branch.name == "grid" else f"feed.{branch.name}"
        where = f"transformer.{branch.name}" if is_transformer else table
        yield Finding(
            level="warning",
            rule="voltage-too-high",
            where=names_of(names),
            key=f"{where}.voltage_v",
            text=f"hang on {branch.voltage_v:g} V, and take low voltage",
            hint=f"say what {branch.name} gives"
            if is_transformer
            else "put a transformer with its voltage_v between, or correct voltage_v",
            suggest="voltage_v = 400" if site.grid.frequency_hz == 50.0 else "voltage_v = 480",
        )


def _sets_voltage(site: SiteModel, index: int) -> int:
    """The nearest transformer above, or the feed."""
    while site.branches[index].kind != "transformer" and site.branches[index].parent != NO_INDEX:
        index = site.branches[index].parent
    return index


def apparent_power(site: SiteModel) -> Iterator[Finding]:
    """Limits in W and in VA that contradict each other."""
    for feed in site.file.feeds:
        most = feed.import_max_va  # no active power is above the apparent one
        if most is not None and most < feed.import_max_w:
            table = "grid" if feed is site.file.grid else f"feed.{feed.name}"
            yield Finding(
                level="warning",
                rule="limits-differ",
                where=f"{table}.import_max_w",
                key=f"{table}.import_max_w",
                text=f"{watts(feed.import_max_w)} can never be drawn within import_max_va "
                f"{most / 1e3:g} kVA",
                suggest=f"import_max_w = {most:g}",
            )
