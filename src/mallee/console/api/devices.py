"""Devices: a list to search, and of each one every point with its age, quality and last command."""

import time
from typing import Final

import msgspec
import numpy as np
from aiohttp import web

from mallee.console.api.serving import Route, answer, number_or_none, served, whole
from mallee.core.arrays import NO_INDEX
from mallee.core.device_model import PointSpec
from mallee.core.snapshot import Progress, Quality, Snapshot
from mallee.core.units import UNITS
from mallee.kinds import KINDS
from mallee.runtime.board import Board, CommandRows
from mallee.site.model import DeviceGroup, SiteModel

PAGE_MAX: Final = 10_000
_PROGRESS: Final = {
    Progress.NONE: "",
    Progress.SENT: "sent, not yet proved",
    Progress.DONE: "proved by a reading",
    Progress.REJECTED: "declined by the device",
    Progress.LOST: "sent, but readings show something else",
}


class PointList(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of all points in row order, one page of them."""

    first: int
    total: int
    paths: list[str]


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device in a list; `good` of its `points` have a reading that can be trusted."""

    name: str
    label: str
    model: str
    branch: str
    points: int
    good: int


class DeviceList(msgspec.Struct, frozen=True, kw_only=True):
    """Devices whose name or model holds the text that was asked for, `total` of them in all."""

    total: int
    devices: list[DeviceRow]


class LastCommand(msgspec.Struct, frozen=True, kw_only=True):
    """The last write to a point: what, for how long, by whom and why, and what came of it."""

    value: float
    age_s: float
    lease_s: float | None
    actor: str
    reason: str
    proof: str
    proved: bool


class PointRow(msgspec.Struct, frozen=True, kw_only=True):
    """A point now. `value` is null where nothing was ever read, `age_s` for nameplate values."""

    name: str
    unit: str
    value: float | None
    age_s: float | None
    quality: str
    writable: bool
    constant: bool
    low: float | None
    high: float | None
    command: LastCommand | None


class DeviceDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One device, complete.

    Attributes:
        branch, standby: what feeds it, and what else can.
        cooled_by: the CDU, empty for air.
        protocols: how it is read, with the seconds between two readings.
        lost: what it does when nobody tells it anything any more.
    """

    name: str
    label: str
    model: str
    vendor: str
    product: str
    branch: str
    standby: str
    rack: str
    cooled_by: str
    tenant: str
    priority: int
    protocols: dict[str, float]
    lost: str
    points: list[PointRow]


async def _points(request: web.Request) -> web.StreamResponse:
    site = served(request).live.site
    first = whole(request, "first", 0, site.point_count)
    count = whole(request, "count", 1000, PAGE_MAX)
    rows = range(first, min(first + count, site.point_count))
    paths = [site.point_path(row) for row in rows]
    return answer(PointList(first=first, total=site.point_count, paths=paths))


async def _devices(request: web.Request) -> web.StreamResponse:
    """Query: text, first, count."""
    site, board = served(request).live.site, served(request).board
    text = request.query.get("text", "").lower()
    first, count = whole(request, "first", 0, 10**7), whole(request, "count", 200, PAGE_MAX)
    chosen = [
        (group, device)
        for group in site.groups
        for device, name in enumerate(group.names)
        if text in name.lower() or text in f"{group.model.model} {_label(group)}".lower()
    ]
    snapshot = board.snapshot(time.monotonic()) if board is not None else None
    rows = [_row(site, group, device, snapshot) for group, device in chosen[first : first + count]]
    return answer(DeviceList(total=len(chosen), devices=rows))


async def _device(request: web.Request) -> web.StreamResponse:
    """Query: name."""
    site, board = served(request).live.site, served(request).board
    name = request.query.get("name", "")
    for group in site.groups:
        if name in group.names:
            return answer(_detail(site, group, group.names.index(name), board))
    raise web.HTTPNotFound(text=f"name={name}: there is no such device at {site.name}")


def _label(group: DeviceGroup) -> str:
    kind = KINDS[group.kind]
    return kind.drawing.label if kind.drawing else kind.name.replace("_", " ").capitalize()


def _rows(group: DeviceGroup, device: int) -> slice:
    first = group.first_row + group.stride * device
    return slice(first, first + group.stride)


def _branch_name(site: SiteModel, index: int) -> str:
    return "" if index == NO_INDEX else site.branches[index].name


def _row(site: SiteModel, group: DeviceGroup, device: int, snapshot: Snapshot | None) -> DeviceRow:
    good = 0
    if snapshot is not None:
        good = int((snapshot.quality[_rows(group, device)] == Quality.GOOD).sum())
    return DeviceRow(
        name=group.names[device],
        label=_label(group),
        model=group.model.model,
        branch=_branch_name(site, int(group.branch[device])),
        points=group.stride,
        good=good,
    )


def _detail(site: SiteModel, group: DeviceGroup, device: int, board: Board | None) -> DeviceDetail:
    model, rack, cdu = group.model, int(group.rack[device]), int(group.cdu[device])
    lost = model.on_controller_loss
    return DeviceDetail(
        name=group.names[device],
        label=_label(group),
        model=model.model,
        vendor=model.vendor,
        product=model.product,
        branch=_branch_name(site, int(group.branch[device])),
        standby=_branch_name(site, int(group.standby_branch[device])),
        rack="" if rack == NO_INDEX else site.racks.names[rack],
        cooled_by="" if cdu == NO_INDEX else _device_name(site, cdu),
        tenant=group.tenant,
        priority=group.priority,
        protocols={name: protocol.poll_s for name, protocol in model.protocol.items()},
        lost=lost.note or f"{lost.behaviour}s its set points",
        points=_point_rows(group, device, board),
    )


def _device_name(site: SiteModel, number: int) -> str:
    for group in site.groups:
        if group.first_device <= number < group.first_device + group.count:
            return group.names[number - group.first_device]
    return ""


def _point_rows(group: DeviceGroup, device: int, board: Board | None) -> list[PointRow]:
    if board is None:
        return []
    now_s = time.monotonic()
    snapshot, commands = board.snapshot(now_s), board.commands()
    first = _rows(group, device).start
    return [
        _point(group, point, first + position, snapshot, commands, board)
        for position, point in enumerate(group.model.point)
    ]


def _point(
    group: DeviceGroup,
    point: PointSpec,
    row: int,
    snapshot: Snapshot,
    commands: CommandRows,
    board: Board,
) -> PointRow:
    constant = point.constant is not None
    age_s = snapshot.time_s - float(snapshot.times_s[row])
    low, high = KINDS[group.kind].write_range(group.model, point.name) or (np.nan, np.nan)
    return PointRow(
        name=point.name,
        unit=_symbol(point.name),
        value=number_or_none(snapshot.value(row)),
        age_s=None if constant else number_or_none(round(age_s, 2)),
        quality="nameplate" if constant else Quality(snapshot.quality[row]).name.lower(),
        writable=point.access == "readwrite",
        constant=constant,
        low=number_or_none(low),
        high=number_or_none(high),
        command=_command(row, snapshot, commands, board),
    )


def _symbol(name: str) -> str:
    """The unit that people read: the longest suffix that is one."""
    words = name.split("_")
    for start in range(len(words)):
        unit = UNITS.get("_".join(words[start:]))
        if unit is not None:
            return unit.symbol
    return ""


def _command(
    row: int, snapshot: Snapshot, commands: CommandRows, board: Board
) -> LastCommand | None:
    if commands.numbers[row] == 0:
        return None
    progress = Progress(snapshot.progress[row])
    reason = board.reason(int(commands.reasons[row]))
    return LastCommand(
        value=float(commands.values[row]),
        age_s=round(snapshot.time_s - float(commands.times_s[row]), 2),
        lease_s=number_or_none(float(commands.leases_s[row])),
        actor=reason.actor,
        reason=reason.text,
        proof=_PROGRESS[progress],
        proved=progress == Progress.DONE,
    )


ROUTES: tuple[Route, ...] = (
    ("/api/v1/points", _points),
    ("/api/v1/devices", _devices),
    ("/api/v1/device", _device),
)
ANSWERS = (PointList, DeviceList, DeviceDetail)
