"""Follows the commands on the board and what comes of them, for the audit."""

from collections.abc import Iterator, Mapping

import structlog

from mallee.core.audit import Outcome, Write
from mallee.core.command import HEARTBEAT
from mallee.core.snapshot import Progress
from mallee.runtime.board import Board
from mallee.runtime.record_ring import Records
from mallee.site.model import SiteModel

COMMANDS = "commands"
_log = structlog.get_logger()


class CommandReader:
    """Reads every command and outcome once.

    Args:
        positions: up to where an earlier reader came, as `positions` gave it.

    Attributes:
        positions: records already read, of commands and of each collector's outcomes.
    """

    def __init__(self, site: SiteModel, board: Board, positions: Mapping[str, int]) -> None:
        self._site, self._board = site, board
        self.positions = dict(positions)

    def read(self) -> tuple[list[Write], list[Outcome]]:
        """What is new since the last call."""
        # Outcomes first: what is known of a command is never read before the command is.
        came = self._board.outcomes_since(
            {int(name): count for name, count in self.positions.items() if name != COMMANDS}
        )
        told = self._board.commands_since(self.positions.get(COMMANDS, 0))
        self._went_on(COMMANDS, len(told.records), told.missed)
        outcomes: list[Outcome] = []
        for shard, batch in came.items():
            self._went_on(str(shard), len(batch.records), batch.missed)
            outcomes += self._outcomes(batch.records)
        return list(self._writes(told.records)), outcomes

    def _went_on(self, name: str, count: int, missed: int) -> None:
        self.positions[name] = self.positions.get(name, 0) + count + missed
        if missed:
            _log.warning("records overwritten before they were read", of=name, missed=missed)

    def _writes(self, records: Records) -> Iterator[Write]:
        for number, row, value, lease_s, time_s, why in records.tolist():
            reason = self._board.reason(why)
            if reason.text != HEARTBEAT:
                yield Write(
                    number=number,
                    time_s=time_s,
                    path=self._site.point_path(row),
                    value=value,
                    lease_s=lease_s,
                    reason=reason.text,
                    actor=reason.actor,
                )

    def _outcomes(self, records: Records) -> Iterator[Outcome]:
        for _, command, row, time_s, reading, progress in records.tolist():
            yield Outcome(
                number=command,
                time_s=time_s,
                path=self._site.point_path(row),
                progress=Progress(progress),
                reading=reading,
            )
