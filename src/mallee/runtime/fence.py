"""One controller a site, also where two data folders name the same devices.

One lock a device address, in this user's runtime folder: a second `mallee up` for any of them on
this computer is refused before it opens a connection, whatever its site file or data folder is
called. The locks are the system's, bytes of one file, and end with the process that holds them. A
simulated site brings devices of its own and needs none. Two computers are not kept apart by this.
"""

import errno
import fcntl
import hashlib
import os
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mallee.core.errors import ConfigError

_FLOCK = "hhqqi"
"""type, whence, start, length, pid: `struct flock` of 64-bit Linux, fcntl(2)."""


def lock_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file of this user's locks."""
    base = environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"mallee-{os.getuid()}" / "devices.lock"


@contextmanager
def fence(addresses: Mapping[str, Mapping[str, str]], path: Path | None = None) -> Iterator[None]:
    """Be the only one here that talks to these devices.

    Args:
        addresses: by protocol and device name, as `Run.addresses`.
        path: the file of the locks.

    Raises:
        ConfigError: another process talks to one of them already; names the device and it.
    """
    path = lock_path() if path is None else path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+b") as file:
        for protocol, devices in sorted(addresses.items()):
            for name, address in sorted(devices.items()):
                _lock(file, protocol, address, name)
        yield


def _lock(file: IO[bytes], protocol: str, address: str, name: str) -> None:
    """Lock an address's byte; one that is ours already, behind a gateway, stays ours."""
    digest = hashlib.sha256(f"{protocol} {address}".encode()).digest()
    at = int.from_bytes(digest[:7], "big")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, at, 1, 0)
        pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))[4]
        raise ConfigError(
            f"{name} at {address} ({protocol})",
            f"is controlled already by process {pid}",
            "two controllers would fight: stop that one first",
        ) from None
