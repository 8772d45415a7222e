"""Whether the one-line diagram adds up: every branch against what leaves it, in every frame.

Asked from outside, as a page would: the drawing from the API, the numbers from the stream.
"""

import asyncio
import json
import math
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import aiohttp

from counting.examples import MALLEE
from mallee.console.frame import decode_frame
from mallee.core.errors import ConfigError
from mallee.runtime.run_folder import RunFolder

START_MAX_S = 180.0
SETTLE_S = 5.0


def worst_sum_frac(file: Path, duration_s: float) -> tuple[float, int]:
    """Run a site and compare each branch with the sum of its children.

    Args:
        file: the site file.
        duration_s: how long to look at its frames.

    Returns:
        The worst difference as a share of the meter's reading, NaN where no frame came; and how
        many frames were compared.
    """
    with tempfile.TemporaryDirectory(prefix="mallee-house-") as folder:
        data = Path(folder) / "data"
        process = subprocess.Popen(
            [MALLEE, "up", str(file), "--data", str(data)], stdout=subprocess.DEVNULL
        )
        try:
            url = _url_of(process, RunFolder(data))
            return asyncio.run(_watch(url, duration_s))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30.0)


def _url_of(process: "subprocess.Popen[bytes]", folder: RunFolder) -> str:
    """Where the pages are, once they answer."""
    end_s = time.monotonic() + START_MAX_S
    while process.poll() is None and time.monotonic() < end_s:
        try:
            url = folder.load().url
            with urlopen(f"{url}api/v1/site", timeout=5.0):
                return url
        except (ConfigError, URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the site did not come up")


async def _watch(url: str, duration_s: float) -> tuple[float, int]:
    worst, frames = math.nan, 0
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}api/v1/site") as answer:
            info = json.loads(await answer.read())
        index = {signal_["name"]: place for place, signal_ in enumerate(info["signals"])}
        places = info["places"]
        families = families_of([place["parent"] for place in places])
        rows = [index[f"power:{place['id']}"] for place in places]
        async with session.ws_connect(f"{url}ws", max_msg_size=0) as stream:
            settled_s = time.monotonic() + SETTLE_S
            while time.monotonic() < settled_s + duration_s:
                message = await stream.receive_bytes(timeout=30.0)
                if time.monotonic() < settled_s:
                    continue
                values = decode_frame(message).values
                gap = worst_gap_frac([float(values[row]) for row in rows], families)
                if math.isfinite(gap):
                    worst, frames = gap if math.isnan(worst) else max(worst, gap), frames + 1
    return worst, frames


def families_of(parents: Sequence[int]) -> dict[int, list[int]]:
    """Children of each place that has any, from the index of the place above each, -1 for none."""
    families: dict[int, list[int]] = {}
    for place, parent in enumerate(parents):
        if parent >= 0:
            families.setdefault(parent, []).append(place)
    return families


def worst_gap_frac(powers_w: Sequence[float], families: dict[int, list[int]]) -> float:
    """Largest difference between a branch and the sum below it, as a share of the first node.

    Returns:
        NaN where the first node, the grid connection, is unknown or 0.
    """
    import_w = abs(powers_w[0])
    if not import_w > 0.0:
        return math.nan
    gaps = [abs(powers_w[node] - sum(powers_w[one] for one in below)) / import_w
            for node, below in families.items()]  # fmt: skip
    return max((gap for gap in gaps if math.isfinite(gap)), default=0.0)
