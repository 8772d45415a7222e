"""Compiles the loops of the twin with numba, and keeps what was compiled.

`kernel` is `numba.njit` with a cache that is never stale: numba looks only at the file of the
function it compiles, so an edit of a called kernel in another file would go unseen. Here the
cache folder carries a digest of every source file of the twin. With ``NUMBA_DISABLE_JIT=1`` the
same source runs as plain Python and is the reference.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

TWIN_FOLDER = Path(__file__).parent


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
        stat = path.stat()
        digest.update(f"{path}:{stat.st_mtime_ns}:{stat.st_size}".encode())
    name = f"kernels-{digest.hexdigest()[:12]}"
    own = TWIN_FOLDER / "__pycache__"
    own.mkdir(exist_ok=True) if os.access(TWIN_FOLDER, os.W_OK) else None
    base = own if os.access(own, os.W_OK) else Path(tempfile.gettempdir()) / f"mallee-{os.getuid()}"
    return str(base / name)
