"""One process of a site under the supervisor: started, watched, restarted, stopped.

Beside each working process waits a spare that has loaded everything and only needs the word.
Loading is most of a start, so this makes a restart short even on a busy machine.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from mallee.core.errors import ConfigError
from mallee.runtime.board import Board
from mallee.runtime.roles import Seat
from mallee.runtime.run_folder import RunFolder

LOOP_WINDOW_S, LOOP_FREE, LOOP_PAUSE_S, LOOP_PAUSE_MAX_S = 30.0, 6, 0.5, 10.0
"""Restarts are immediate up to so many deaths in the window, then wait longer each time."""
STOP_S = 3.0
SPARE_AFTER_S = 2.0
"""A spare is made once the process has worked for so long, so as not to slow its start."""
LOG_BYTES_MAX = 20 << 20
CONFIG_STATUS = 2
"""Exit status of a process whose configuration is wrong; why is in its error file."""


class Post(Protocol):
    """Takes kind, source and words of an event."""

    def __call__(self, kind: str, source: str, /, **words: object) -> None: ...


class Complaint(msgspec.Struct, frozen=True):
    """A `ConfigError` on its way from a process to the supervisor."""

    where: str
    what: str
    hint: str


def complaint_path(folder: RunFolder, process: str) -> Path:
    """Where a process leaves its `ConfigError`."""
    return folder.run / f"{process}.error"


class ManagedProcess:
    """A process of a site.

    Args:
        seat: its role and shard.
        post: tells of what happens to it.
    """

    def __init__(self, seat: Seat, folder: RunFolder, board: Board, post: Post) -> None:
        self.name, self._role = seat.name, seat.role
        self._folder, self._board, self._post = folder, board, post
        self._process: subprocess.Popen[bytes] | None = None
        self._spare: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._due_s = 0.0
        self._deaths: list[float] = []
        self._has_worked = self._is_killed = False

    def tend(self, now_s: float, *, watch: bool) -> None:
        """Start it when that is due, notice that it died, kill it when it hangs.

        Args:
            watch: whether to judge its heartbeat.

        Raises:
            ConfigError: it never worked and says that its configuration is wrong.
        """
        if self._process is None:
            if now_s >= self._due_s:
                self._start(now_s)
            return
        status = self._process.poll()
        pid, beat_s = self._board.heartbeat(self.name)
        is_alive = pid == self._process.pid
        self._has_worked = self._has_worked or is_alive
        if status is not None:
            self._died(status, now_s)
            return
        is_settled = is_alive and now_s - self._started_s > SPARE_AFTER_S
        if self._role.has_spare and is_settled and self._spare is None:
            self._spare = self._launch("spare")
        if watch:
            silent_s = now_s - beat_s if is_alive else now_s - self._started_s
            limit_s = self._role.hung_s if is_alive else self._role.start_max_s
            if silent_s > limit_s and not self._is_killed:
                self._is_killed = True  # on a busy machine it takes a while to be gone
                self._post("process-hung", self.name, silent_s=silent_s)
                self._process.kill()

    def stop(self) -> None:
        """End it, by force if it does not comply in time."""
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.kill()
            spare.wait()
            _close(spare)
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _close(process)

    def _start(self, now_s: float) -> None:
        complaint_path(self._folder, self.name).unlink(missing_ok=True)
        self._started_s, self._is_killed = now_s, False
        spare, self._spare = self._spare, None
        if spare is not None and spare.stdin is not None and spare.poll() is None:
            spare.stdin.write(b"!")
            spare.stdin.flush()
            self._process = spare
        else:
            self._process = self._launch()

    def _launch(self, *words: str) -> subprocess.Popen[bytes]:
        one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        command = [sys.executable, "-m", "mallee.runtime.child", self.name, str(self._folder.path)]
        with _open_log(self._folder.logs / f"{self.name}.log") as log:
            return subprocess.Popen(
                [*command, *words],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **one_thread},
                start_new_session=True,  # Ctrl-C is the supervisor's to pass on
            )

    def _died(self, status: int, now_s: float) -> None:
        process, self._process = self._process, None
        if process is not None:
            _close(process)
        if status == CONFIG_STATUS and not self._has_worked:
            self._complain()
        self._deaths = [at_s for at_s in self._deaths if now_s - at_s < LOOP_WINDOW_S] + [now_s]
        extra = len(self._deaths) - LOOP_FREE
        pause_s = min(LOOP_PAUSE_S * 2.0 ** (extra - 1), LOOP_PAUSE_MAX_S) if extra > 0 else 0.0
        self._due_s = now_s + pause_s
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        then = f"in {pause_s:.1f} s" if pause_s else "at once"
        self._post("process-died", self.name, how=how, then=then)

    def _complain(self) -> None:
        try:
            message = complaint_path(self._folder, self.name).read_bytes()
            complaint = msgspec.json.decode(message, type=Complaint)
        except (OSError, msgspec.DecodeError):
            return
        raise ConfigError(complaint.where, complaint.what, complaint.hint)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
