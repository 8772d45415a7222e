"""What control commanded in a simulated run, why, and what the devices said to it."""

import csv
from dataclasses import dataclass
from pathlib import Path

from mallee.core.audit import Ledger, Outcome, Write
from mallee.core.command import HEARTBEAT, Command
from mallee.core.errors import ConfigError
from mallee.core.snapshot import Progress
from mallee.site.model import SiteModel

COLUMNS = ("t_s", "path", "value", "lease_s", "actor", "outcome", "reason")


@dataclass(frozen=True, slots=True)
class Commanded:
    """A write, and how far it came at last."""

    write: Write
    progress: Progress


class CommandRecord:
    """Fills up as a run goes on; renewals of a value that stands are left out."""

    def __init__(self, site: SiteModel) -> None:
        self._site, self._ledger = site, Ledger()
        self._writes: list[Write] = []
        self._progress: list[Progress] = []

    def take(
        self, command: Command, row: int, value: float, time_s: float, progress: Progress
    ) -> None:
        """One value of a command, and what came of it."""
        if command.reason == HEARTBEAT:
            return
        path = self._site.point_path(row)
        write = Write(
            number=0,
            time_s=time_s,
            path=path,
            value=value,
            lease_s=command.lease_s,
            reason=command.reason,
            actor=command.actor,
        )
        if self._ledger.is_new(write):
            self._ledger.record(write, len(self._writes))
            self._writes.append(write)
            self._progress.append(Progress.NONE)
        key = self._ledger.key_of(Outcome(number=0, time_s=time_s, path=path, progress=progress))
        if key is not None:
            self._progress[key] = progress

    def rows(self) -> tuple[Commanded, ...]:
        """Everything so far, in order of time."""
        return tuple(map(Commanded, self._writes, self._progress))


def write_commands(path: Path, commands: tuple[Commanded, ...]) -> None:
    """Write them as CSV, a header and a row each.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for one in commands:
                write = one.write
                writer.writerow(
                    (
                        f"{write.time_s:.1f}",
                        write.path,
                        f"{write.value:.10g}",
                        f"{write.lease_s:g}",
                        write.actor,
                        one.progress.name.lower(),
                        write.reason,
                    )
                )
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from None
