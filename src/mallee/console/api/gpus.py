"""Every accelerator of the site in one array, for the heat map: a layout once, numbers often."""

import re
import time
from typing import Final

import msgspec
import numpy as np
from aiohttp import web

from mallee.console.api.serving import Route, answer, served
from mallee.core.arrays import NO_INDEX, IntArray
from mallee.core.snapshot import Quality
from mallee.site.model import SiteModel

_OF_ONE: Final = re.compile(r"gpu\d+_(.+)")


class GpuRack(msgspec.Struct, frozen=True, kw_only=True):
    """A rack's accelerators, `first` to `first + nodes * gpus` in the order of the numbers."""

    name: str
    pod: str
    nodes: list[str]
    gpus: int
    first: int


class GpuLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Racks in order, and what can be asked for of every accelerator."""

    racks: list[GpuRack]
    quantities: list[str]
    count: int


async def _layout(request: web.Request) -> web.StreamResponse:
    return answer(gpu_layout(served(request).live.site))


async def _values(request: web.Request) -> web.StreamResponse:
    """Query: quantity. Little-endian float32, one an accelerator; NaN where it is not good."""
    site, board = served(request).live.site, served(request).board
    quantity = request.query.get("quantity", "")
    layout = gpu_layout(site)
    if quantity not in layout.quantities:
        known = ", ".join(layout.quantities) or "nothing"
        raise web.HTTPBadRequest(text=f"quantity={quantity}: this site's accelerators give {known}")
    rows = _rows(site, quantity)
    values = np.full(len(rows), np.nan, "<f4")
    if board is not None:
        snapshot = board.snapshot(time.monotonic())
        good = (rows >= 0) & (snapshot.quality[rows] == Quality.GOOD)
        values[good] = snapshot.values[rows[good]]
    headers = {"Cache-Control": "no-store"}
    return web.Response(
        body=values.tobytes(), content_type="application/octet-stream", headers=headers
    )


def gpu_layout(site: SiteModel) -> GpuLayout:
    """The accelerators of a site, rack by rack."""
    racks: list[GpuRack] = []
    quantities: dict[str, None] = {}
    first = 0
    for group in site.groups:
        per_node = group.model.accelerators
        if not per_node:
            continue
        quantities |= dict.fromkeys(
            found.group(1)
            for found in (_OF_ONE.fullmatch(point.name) for point in group.model.point)
            if found
        )
        for rack in np.unique(group.rack).tolist():
            nodes = [group.names[i] for i in np.flatnonzero(group.rack == rack)]
            known = rack != NO_INDEX
            racks.append(
                GpuRack(
                    name=site.racks.names[rack] if known else "",
                    pod=site.pods[site.racks.pod[rack]] if known else "",
                    nodes=nodes,
                    gpus=per_node,
                    first=first,
                )
            )
            first += len(nodes) * per_node
    return GpuLayout(racks=racks, quantities=list(quantities), count=first)


def _rows(site: SiteModel, quantity: str) -> IntArray:
    """Row of a quantity of every accelerator in the layout's order; -1 where a model lacks it."""
    found: list[IntArray] = []
    for group in site.groups:
        names = [f"gpu{gpu}_{quantity}" for gpu in range(group.model.accelerators)]
        if not names:
            continue
        columns = [
            group.rows(name) if name in group.model.index else np.full(group.count, -1)
            for name in names
        ]
        order = np.argsort(group.rack, kind="stable")
        found.append(np.stack(columns, axis=1)[order].ravel())
    return np.concatenate(found) if found else np.empty(0, np.int64)


ROUTES: tuple[Route, ...] = (("/api/v1/gpus", _layout), ("/api/v1/gpus/values", _values))
ANSWERS = (GpuLayout,)
