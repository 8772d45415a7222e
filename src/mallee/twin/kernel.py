"""Compiles the loops of the twin with numba, and keeps what was compiled.

`kernel` is `numba.njit` with a cache that is never stale: numba looks only at the file of the
function it compiles, so an edit of a called kernel in another file would go unseen. Here the
cache folder carries a digest of every source file of the twin. With ``NUMBA_DISABLE_JIT=1`` the
same source runs as plain Python and is the reference.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

TWIN_FOLDER = Path(__file__).parent

FOLDERS_KEPT = 8
"""Compiled sources kept: work on branches and tests of copies go back and forth."""


def kernel(function: Function) -> Function:
    """Compile a function of arrays and numbers; call it like any other.

    Inside: float64 and int64 only, no objects, no global state, no fast-math, sums in a fixed
    order, so that compiled and reference runs give the same bits.
    """
    return _compile(function, inline=False)


def inlined(function: Function) -> Function:
    """As `kernel`, for a part of one: merged into its caller, so that passing arrays is free."""
    return _compile(function, inline=True)


def _compile(function: Function, *, inline: bool) -> Function:
    before = numba.config.CACHE_DIR
    if not before:
        numba.config.CACHE_DIR = _cache_folder()
    try:
        return cast(Function, numba.njit(cache=True, forceinline=inline)(function))
    finally:
        numba.config.CACHE_DIR = before


@cache
def _cache_folder() -> str:
    """A folder for compiled kernels of exactly this source, beside it where that can be written."""
    digest = hashlib.sha256()
    for path in sorted(TWIN_FOLDER.rglob("*.py")):
        digest.update(path.read_bytes())
    base = TWIN_FOLDER / "__pycache__"
    if os.access(TWIN_FOLDER, os.W_OK):
        base.mkdir(exist_ok=True)
    if not os.access(base, os.W_OK):
        base = Path(tempfile.gettempdir()) / f"mallee-{os.getuid()}"
    folder = base / f"kernels-{digest.hexdigest()[:12]}"
    if not folder.exists():
        _drop_oldest(base)
    return str(folder)


def _drop_oldest(base: Path) -> None:
    """Keep room for the kernels of this source: those of older sources go, but the last few."""
    try:
        stale = sorted(base.glob("kernels-*"), key=lambda path: path.stat().st_mtime_ns)
    except FileNotFoundError:  # another process tidies at the same moment
        return
    for folder in stale[: -(FOLDERS_KEPT - 1)]:
        shutil.rmtree(folder, ignore_errors=True)
