"""The twin's side of devices that are read in memory: what they say, and what they are told.

Their commands stand on the board, as those of all devices; what the collector sends to the others
by protocol, the twin takes from there.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from mallee.core.errors import Rejected
from mallee.runtime.board import Board, CommandRows
from mallee.runtime.run_folder import RunFolder
from mallee.runtime.speaking import speaking
from mallee.runtime.twin_feed import TwinFeed
from mallee.site.model import SiteModel
from mallee.twin.comms import STATES
from mallee.twin.site_twin import SiteTwin

LOOK_EVERY_S: Final = 0.025
AT_ONCE: Final = 200
"""Writes before others get their turn in the event loop."""
_DEAF: Final = [STATES.index(state) for state in ("silent", "refuse")]


class DirectTwin:
    """The devices of a twin that speak no protocol; none on all but large sites.

    Args:
        clock: monotonic, s.
    """

    def __init__(
        self,
        site: SiteModel,
        twin: SiteTwin,
        board: Board,
        folder: RunFolder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._twin, self._board, self._clock = twin, board, clock
        mute = ~speaking(site)
        self._feed = TwinFeed.create(folder.twin_feed, site) if mute.any() else None
        self._device = np.concatenate(
            [np.repeat(g.first_device + np.arange(g.count), g.stride) for g in site.groups]
        )
        self._rows = np.flatnonzero(mute[self._device])

    def publish(self) -> None:
        """Put out what the devices say now."""
        if self._feed is not None:
            self._feed.write(self._clock(), self._twin.reported, self._twin.comms.state)

    async def obey(self) -> None:
        """Do what commands on the board ask of these devices, in the order in which they came."""
        seen, count = self._board.handled(), 0
        while self._feed is not None:
            if self._board.command_count != count:
                count = self._board.command_count
                commands = self._board.commands()
                rows = self._rows[commands.numbers[self._rows] > seen[self._rows]]
                seen[rows] = commands.numbers[rows]
                order = rows[np.argsort(commands.numbers[rows])]
                for start in range(0, order.size, AT_ONCE):
                    for row in order[start : start + AT_ONCE].tolist():
                        if not self._write(row, commands):
                            self._feed.declined[row] = commands.numbers[row]
                    await asyncio.sleep(0.0)
            await asyncio.sleep(LOOK_EVERY_S)

    def _write(self, row: int, commands: CommandRows) -> bool:
        """Hand one value to its device; False where the device declines it."""
        if self._twin.comms.state[self._device[row]] in _DEAF:
            return True  # it never heard of it
        lease_s = float(commands.leases_s[row])
        left_s = float(commands.times_s[row]) + lease_s - self._clock() if lease_s else 0.0
        if left_s < 0.0:
            return True
        try:
            self._twin.write(row, float(commands.values[row]), left_s)
        except Rejected:
            return False
        return True
