"""Do the numbers add up? Every branch against what leaves it, on the running demo site.

    ./run bench balance [--minutes 5] [--json]

Three readings of the same seconds, from the first frame after a warm-up:

shown      the frames of the page: means of aligned samples, reconciled with the meter
adjusted   how much of the meter's reading the reconciliation had to move in each frame
unaligned  the null case: the meter's and the battery's last second beside the latest reading of
           every slower device, as a page would show them that takes the board as it is

Throughout, what has no meter counts as the mean of the last minute of what is missing, so a figure
is how far a frame departs from that. Measured, on simulated devices over their own protocols.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import aiohttp
import msgspec
import numpy as np

from mallee.console.aligned import SecondMeans
from mallee.console.frame import decode_frame
from mallee.console.places import power_tree
from mallee.console.site_info import SiteInfo
from mallee.core.arrays import FloatArray
from mallee.runtime.board import Board
from mallee.runtime.run_folder import RunFolder, load_run

SITE = Path(__file__).parents[1] / "examples/sites/charging-site.toml"
WARM_UP_S = 75
START_MAX_S = 120.0
MINUTE_S = 60


def main() -> None:
    """Start the demo, watch it, print what was found."""
    parser = argparse.ArgumentParser(description="branch sums against the meter")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "up.log")
        mallee = Path(sys.executable).with_name("mallee")
        with log.open("w") as out:
            up = [str(mallee), "up", str(SITE), "--data", folder, "--port", "0"]
            process = subprocess.Popen(up, stdout=out, stderr=out)
        try:
            url = _url(process, log)
            frames = int(options.minutes * MINUTE_S)
            shown, adjusted, unaligned = asyncio.run(_watch(url, Path(folder), frames))
        finally:
            process.terminate()
            process.wait(20)
    figures = {
        "frames": float(len(shown)),
        "branch_sum_worst_frac": float(shown.max()),
        "branch_sum_mean_frac": float(shown.mean()),
        "adjusted_worst_frac": float(adjusted.max()),
        "adjusted_mean_frac": float(adjusted.mean()),
        "null_unaligned_worst_frac": float(unaligned.max()),
        "null_unaligned_mean_frac": float(unaligned.mean()),
    }
    if options.json:
        print(json.dumps(figures))
        return
    print(f"worst branch of each of {len(shown)} frames, part of the meter's reading")
    print(f"{'':12}{'worst':>9}{'mean':>9}")
    print(f"{'shown':12}{shown.max():9.2%}{shown.mean():9.2%}   goal: worst <= 1 %")
    print(f"{'adjusted':12}{adjusted.max():9.2%}{adjusted.mean():9.2%}")
    print(f"{'unaligned':12}{unaligned.max():9.2%}{unaligned.mean():9.2%}   null case")


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until_s = time.monotonic() + START_MAX_S
    while time.monotonic() < until_s and process.poll() is None:
        found = re.search(r"(?:is running:|pages at) (http://[^\s,]+)", log.read_text("utf-8"))
        if found:
            return found.group(1).rstrip("/")
        time.sleep(0.2)
    raise SystemExit(f"the demo site did not start:\n{log.read_text('utf-8')}")


async def _watch(url: str, folder: Path, frames: int) -> tuple[FloatArray, ...]:
    """Of every frame, as parts of the meter's reading: worst branch, adjusted, unaligned."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/api/v1/site") as answer:
            info = msgspec.json.decode(await answer.read(), type=SiteInfo)
        index = {signal.name: position for position, signal in enumerate(info.signals)}
        null, shown, adjusted, unaligned = _Unaligned(folder), [], [], []
        async with session.ws_connect(f"{url}/ws") as socket:
            sampling = asyncio.create_task(null.sample())
            async for message in socket:
                values = decode_frame(message.data).values.astype(float)
                if not np.isfinite(values[index["import_w"]]):
                    continue  # a slow start: there is no meter yet
                missing = null.missing_frac()
                shown.append(_worst_frac(info, values, index))
                adjusted.append(values[index["adjusted_w"]] / values[index["import_w"]])
                unaligned.append(missing)
                if len(shown) >= frames + WARM_UP_S:
                    break
            sampling.cancel()
    return tuple(np.array(one[WARM_UP_S:]) for one in (shown, adjusted, unaligned))


def _worst_frac(info: SiteInfo, values: FloatArray, index: dict[str, int]) -> float:
    power_w = np.array([values[index[f"power:{place.id}"]] for place in info.places])
    below_w = np.zeros(len(power_w))
    for place, own_w in zip(info.places, power_w, strict=True):
        if place.parent >= 0:
            below_w[place.parent] += own_w
    branches = [index for index, place in enumerate(info.places) if not place.box]
    apart_w = np.abs(power_w - below_w)[branches]
    return float(apart_w.max() / values[index["import_w"]])


class _Unaligned:
    """The board as it is: last second of the fast, latest reading of the slow."""

    def __init__(self, folder: Path) -> None:
        place = RunFolder(folder)
        _, site = load_run(place)
        self._board = Board.open(place.board, site)
        self._means = SecondMeans(site)
        tree = power_tree(site)
        both = zip(tree.places, tree.sources, strict=True)
        sources = [source for place, source in both if place.box and not place.computed]
        self._rows = np.concatenate([source.rows for source in sources])
        self._weights = np.concatenate([source.weights for source in sources])
        self._meter = site.rows("meter", "import_w")
        self._missing_w: deque[float] = deque(maxlen=MINUTE_S)

    async def sample(self) -> None:
        """Ten times a second."""
        while True:
            self._means.add(self._board.snapshot(time.monotonic()))
            await asyncio.sleep(0.1 - time.time() % 0.1)

    def missing_frac(self) -> float:
        """How far this second departs from the minute's mean of what is missing."""
        values = self._means.of_last_second(self._board.snapshot(time.monotonic()).values)
        meter_w = float(values[self._meter].sum())
        missing_w = meter_w - float(np.nansum(self._weights * values[self._rows]))
        self._missing_w.append(missing_w)
        return abs(missing_w - float(np.mean(self._missing_w))) / meter_w


if __name__ == "__main__":
    main()
