"""`mallee doctor`: whether this computer has what a site needs."""

import json
import os
import resource
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from mallee.cli.output import RED, YELLOW, paint, table

Json = Annotated[bool, Parameter(name="--json", negative="")]
Grade = Literal["good", "poor", "wrong"]

MEMORY_MIN_BYTES: Final = 2 * 2**30
FREE_MIN_BYTES: Final = 2 * 10**9
FILES_MIN: Final = 4096
"""A site of a thousand devices holds as many connections."""
PORT: Final = 8460


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        grade: `poor` runs, with a loss; `wrong` does not run.
        hint: what would be right; empty where it is good.
    """

    what: str
    grade: Grade
    found: str
    hint: str = ""


def doctor(*, data: Path | None = None, json_: Json = False) -> int:
    """Check that this computer has what a site needs; exit status 1 where something is wrong.

    Parameters
    ----------
    data
        Data folder to look at; ./mallee-data by default.
    json_
        Print one JSON list, for programs.
    """
    folder = (data or Path("mallee-data")).absolute()
    found = [*(look() for look in LOOKS), _folder(folder), _disk(folder)]
    if json_:
        print(json.dumps([asdict(one) for one in found]))
    else:
        styles = {"poor": YELLOW, "wrong": RED}
        rows = [
            (one.what, paint(one.grade, styles.get(one.grade, "")), one.found, one.hint)
            for one in found
        ]
        print(table(rows, ("", "", "found", "what would be right")))
    return int(any(one.grade == "wrong" for one in found))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    return _graded("Python", good, version, "3.11 or newer", otherwise="wrong")


def _cores() -> Finding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return _graded("processors", (count or 1) >= 2, f"{count}", "two: control and the rest")


def _memory() -> Finding:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return _graded("memory", size >= MEMORY_MIN_BYTES, f"{size / 2**30:.1f} GiB", "2 GiB or more")


def _files() -> Finding:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    good = limit == resource.RLIM_INFINITY or limit >= FILES_MIN
    return _graded("open files", good, f"{limit}", f"{FILES_MIN} or more: ulimit -Hn, LimitNOFILE")


def _uvloop() -> Finding:
    good = find_spec("uvloop") is not None
    hint = "pip install uvloop: many devices cost half as much"
    return _graded("uvloop", good, "there" if good else "missing", hint)


def _pages() -> Finding:
    good = (Path(__file__).parents[1] / "console/static/index.html").exists()
    hint = "install a wheel, or run ./run once in a checkout"
    return _graded("pages", good, "there" if good else "not built", hint)


def _compiled() -> Finding:
    """Whether what the twin compiles can be kept for the next start."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parents[1] / "twin")
    good = os.access(folder if folder.exists() else folder.parent, os.W_OK)
    hint = "set NUMBA_CACHE_DIR to a folder that can be written: every start compiles for 20 s"
    return _graded("compiled code", good, f"{folder}", hint)


def _port() -> Finding:
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", PORT)) == 0
    hint = "another program has it, perhaps a running site: the next free one is taken"
    return _graded(f"port {PORT}", not taken, "taken" if taken else "free", hint)


def _secrets() -> Finding:
    from mallee.core.errors import ConfigError
    from mallee.runtime.secrets import find_login, secrets_path

    path = secrets_path()
    if not path.exists():
        return Finding(what="logins", grade="good", found=f"no {path}; simulated sites need none")
    try:
        find_login("nobody", path, {})
    except ConfigError as error:
        good = "no such login" in str(error)
        return _graded("logins", good, f"{path}", str(error), otherwise="wrong")
    return Finding(what="logins", grade="good", found=f"{path}")


def _folder(folder: Path) -> Finding:
    parent = next(one for one in (folder, *folder.parents) if one.exists())
    good = os.access(parent, os.W_OK)
    hint = "choose another one with --data"
    return _graded("data folder", good, f"{folder}", hint, otherwise="wrong")


def _disk(folder: Path) -> Finding:
    parent = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(parent).free
    hint = "2 GB or more, for the history"
    return _graded("disk", free >= FREE_MIN_BYTES, f"{free / 1e9:.1f} GB free", hint)


def _graded(what: str, good: bool, found: str, hint: str, otherwise: Grade = "poor") -> Finding:
    return Finding(
        what=what, grade="good" if good else otherwise, found=found, hint="" if good else hint
    )


LOOKS: Final[tuple[Callable[[], Finding], ...]] = (
    _python,
    _cores,
    _memory,
    _files,
    _uvloop,
    _pages,
    _compiled,
    _port,
    _secrets,
)
