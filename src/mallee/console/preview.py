"""Trials for the API: a process of its own, so that physics never holds up the page.

Run as a program it reads a request from standard input and writes its preview:

    python -m mallee.console.preview DATA_FOLDER
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from mallee.actions.trial import Preview
from mallee.core.errors import ConfigError
from mallee.core.request import Request
from mallee.runtime.board import Board
from mallee.runtime.run_folder import Run, RunFolder, load_run

TIMEOUT_S = 120.0
_one_at_a_time = asyncio.Lock()


async def preview_of(folder: RunFolder, request: Request) -> Preview:
    """Try a request on the site of a run folder.

    Raises:
        ConfigError: the trial failed or took too long.
    """
    async with _one_at_a_time:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mallee.console.preview",
            str(folder.path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, trouble = await asyncio.wait_for(
                child.communicate(msgspec.msgpack.encode(request)), TIMEOUT_S
            )
        except TimeoutError:
            child.kill()
            await child.wait()
            raise ConfigError("preview", f"took longer than {TIMEOUT_S:.0f} s") from None
    if child.returncode != 0:
        raise ConfigError("preview", trouble.decode(errors="replace").strip()[-300:])
    return msgspec.json.decode(said, type=Preview)


def main(folder: RunFolder, request: Request) -> Preview:
    """One trial."""
    from mallee.simulation.preview import as_read, preview  # physics: not for the console itself

    run, site = load_run(folder)
    board = Board.open(folder.board, site)
    now_s = time.monotonic()
    snapshot = board.snapshot(now_s)
    standing = [
        replace(one, from_s=one.from_s - now_s, until_s=one.until_s - now_s)
        for one in board.requests().requests
        if one.until_s > now_s
    ]
    saved = _saved(folder, run)
    if saved is None:
        site = as_read(site, snapshot)
    start_utc_s = run.start_utc_s if saved is not None else time.time()
    return preview(site, request, saved, seed=run.seed, start_utc_s=start_utc_s, standing=standing)


def _saved(folder: RunFolder, run: Run) -> dict[str, Any] | None:
    """The twin's own last state; None at a real site."""
    if run.site.twin is None or not folder.twin_state.exists():
        return None
    with folder.twin_state.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        return {name: file[name] for name in file.files if not name.startswith("_")}


if __name__ == "__main__":
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)
    sys.stdout.buffer.write(msgspec.json.encode(main(RunFolder(Path(sys.argv[1])), asked)))
