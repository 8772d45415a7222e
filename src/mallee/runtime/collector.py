"""The collect process: reads every device into the board and carries control's commands out.

Each device has its own tasks for each of its protocols, so a slow or dead one delays nobody. The
fast part (meter and battery, 10 Hz) and the many slow ones share one event loop.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from mallee.core.arrays import IntArray
from mallee.core.read_back import Order
from mallee.core.snapshot import Progress
from mallee.drivers.driver import Driver
from mallee.runtime.board import Board
from mallee.runtime.direct_link import DirectLink
from mallee.runtime.drivers_of import Connection, connect
from mallee.runtime.event_loop import beat, run_fast, run_until_told
from mallee.runtime.link import Link
from mallee.runtime.notices import EVERY_S, Notices
from mallee.runtime.roles import Seat, find_role
from mallee.runtime.run_folder import Run, RunFolder, load_run
from mallee.runtime.shards import shards_of
from mallee.runtime.speaking import speaking
from mallee.runtime.twin_feed import TwinFeed
from mallee.site.model import SiteModel
from mallee.site.plausible import plausible_range

COMMANDS_EVERY_S = 0.025
STARTS_PER_S = 200.0
"""Devices that are read once a second or less are connected at most so fast (TLS handshakes)."""
_log = structlog.get_logger()


def main(folder: Path, shard: int) -> None:
    """Collect until told to stop.

    Args:
        shard: which of the site's collectors this is; it reads its own devices only.
    """
    place = RunFolder(folder)
    run, site = load_run(place)
    board = Board.open(place.board, site, shard)
    mine, seat = _own_devices(site, run, shard), Seat(find_role("collect"), shard)

    async def collect() -> None:
        async with connect(site, run, place, mine) as connections:
            notices = Notices(board, seat.name)
            direct = _read_in_memory(site, board, place, notices, shard)
            links = make_links(site, board, connections, notices)
            _log.info("collecting", links=len(links), points=site.point_count)
            await run_until_told(
                beat(board, seat.name),
                watch_commands(site, board, links),
                flush_often(notices),
                _run_links(site, board, links),
                *direct,
            )

    run_fast(collect())


def _read_in_memory(
    site: SiteModel, board: Board, folder: RunFolder, notices: Notices, shard: int
) -> list[Coroutine[Any, Any, None]]:
    """The work of reading devices that speak no protocol; the first collector does it."""
    mute = ~speaking(site)
    if shard or not mute.any():
        return []

    async def run() -> None:
        while board.heartbeat("twin")[0] == 0:  # noqa: ASYNC110 - another process
            await asyncio.sleep(COMMANDS_EVERY_S)
        feed = TwinFeed.open(folder.twin_feed, site)
        await DirectLink(site, board, feed, notices, mute).run()

    return [run()]


def _own_devices(site: SiteModel, run: Run, shard: int) -> frozenset[str]:
    count = find_role("collect").count(site)
    return frozenset(
        name for name, owner in shards_of(run.addresses, count).items() if owner == shard
    )


async def _run_links(site: SiteModel, board: Board, links: Sequence[Link]) -> None:
    """Run all links; those to simulated devices once these are there."""
    waits = site.file.twin is not None
    meters = {name for group in site.groups_with("measures") for name in group.names}
    while waits and board.heartbeat("twin")[0] == 0:  # noqa: ASYNC110 - another process
        await asyncio.sleep(COMMANDS_EVERY_S)
    # Control acts from the meter's first reading on and should know the batteries by then.
    fast = [link for link in links if link.poll_s < 1.0]
    await asyncio.gather(*(link.prepare() for link in fast if link.device not in meters))
    async with asyncio.TaskGroup() as tasks:
        for link in links:
            tasks.create_task(link.run())


async def flush_often(notices: Notices) -> None:
    """Post notices every second."""
    while True:
        await asyncio.sleep(EVERY_S)
        notices.flush()


def make_links(
    site: SiteModel, board: Board, connections: Sequence[Connection], notices: Notices
) -> list[Link]:
    """A link for every device and protocol, their readings spread evenly over each period."""
    low, high = plausible_range(site)
    links: list[Link] = []
    reader: dict[int, Link] = {}
    turns: dict[str, asyncio.Lock] = {}
    together: dict[float, int] = {}
    for connection in connections:
        poll_s = connection.poll_s
        together[poll_s] = together.get(poll_s, 0) + 1
    placed: dict[float, int] = {}
    for one in connections:
        place = placed.get(one.poll_s, 0)
        placed[one.poll_s] = place + 1
        rows = rows_of(one.first_row, one.names, one.driver)
        slow = sum(other.poll_s >= 1.0 for other in links)
        link = Link(
            board=board,
            notices=notices,
            device=one.device,
            protocol=one.protocol,
            driver=one.driver,
            rows=rows,
            low=low[rows],
            high=high[rows],
            poll_s=one.poll_s,
            start_after_s=slow / STARTS_PER_S if one.poll_s >= 1.0 else 0.0,
            phase_s=one.poll_s * (place + 0.5) / together[one.poll_s],
            timeout_s=one.timeout_s,
            read_back_rows=one.read_back_rows,
            identity=one.identity,
            turn=turns.setdefault(one.device, asyncio.Lock()),
            reader_of=reader.__getitem__,
        )
        reader |= dict.fromkeys(rows.tolist(), link)
        links.append(link)
    return links


def rows_of(first_row: int, names: dict[str, int], driver: Driver) -> IntArray:
    """Board rows of a driver's points."""
    return np.array([first_row + names[point.name] for point in driver.points], np.int64)


async def watch_commands(site: SiteModel, board: Board, links: Sequence[Link]) -> None:
    """Hand every new command to the link that can carry it out."""
    by_row = {row: link for link in links for row in link.read_back_rows}
    paths = {row: site.point_path(row).rpartition("/")[2] for row in by_row}
    # What an earlier collector was seen through is done; what it only sent is sent again.
    sent = board.snapshot(0.0).progress == Progress.SENT
    seen = np.where(sent, 0, board.handled())
    count = 0
    while True:
        if board.command_count != count:
            count = board.command_count
            commands = board.commands()
            fresh = np.flatnonzero(commands.numbers > seen)
            seen[fresh] = commands.numbers[fresh]
            for row in fresh[np.argsort(commands.numbers[fresh])].tolist():
                if row not in by_row:
                    continue  # another collector's
                order = Order(
                    row=row,
                    point=paths[row],
                    value=float(commands.values[row]),
                    lease_s=float(commands.leases_s[row]),
                    time_s=float(commands.times_s[row]),
                    number=int(commands.numbers[row]),
                )
                by_row[row].order(order)
        await asyncio.sleep(COMMANDS_EVERY_S)
