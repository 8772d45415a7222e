"""How every process of a site starts: `python -m mallee.runtime.child PROCESS FOLDER [spare]`.

The supervisor holds the other end of this process's standard input. When it closes, the
supervisor is gone, however it went, and so is this process: nothing is left running. A spare
loads everything it needs and waits for a line there before it begins.
"""

import contextlib
import importlib
import os
import resource
import sys
import threading
from pathlib import Path

import msgspec

from mallee.core.errors import ConfigError
from mallee.runtime.log import start_log
from mallee.runtime.process import CONFIG_STATUS, Complaint, complaint_path
from mallee.runtime.roles import SEATS
from mallee.runtime.run_folder import RunFolder, write_private


def start(process: str, folder: Path, *, spare: bool = False) -> None:
    """Become a process of a site; returns when it is told to stop."""
    seat = SEATS[process]
    start_log(process)
    os.nice(seat.role.niceness)
    module = importlib.import_module(seat.role.module)
    if spare:
        warm = getattr(module, "warm", None)
        if warm is not None:
            warm(folder)
        if not os.read(0, 1):
            return  # never needed: the supervisor has ended
    threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    _allow_many_files()
    try:
        if seat.role.shards_max > 1:
            module.main(folder, seat.shard)
        else:
            module.main(folder)
    except ConfigError as error:
        complaint = Complaint(error.where, error.what, error.hint)
        path = complaint_path(RunFolder(folder), process)
        write_private(path, msgspec.json.encode(complaint))
        sys.stderr.write(f"{error}\n")
        sys.exit(CONFIG_STATUS)


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(3)


def _allow_many_files() -> None:
    """One socket a device: use all that the system lets this process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    with contextlib.suppress(
        OSError, ValueError
    ):  # macOS names no limit and keeps one all the same
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    start(sys.argv[1], Path(sys.argv[2]), spare=sys.argv[3:] == ["spare"])
