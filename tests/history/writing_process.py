"""A process that writes history as fast as it can and is killed by its test.

Usage: ``writing_process.py FOLDER SITE FIRST_TICK``. Prints the number of each tick once it is
acknowledged. Every point of tick N has the value N + row, so that a reader can prove it.
"""

import sys
from pathlib import Path

import numpy as np

from mallee.catalogue import load_site
from mallee.history import HistoryWriter

START_UTC_S = 1_800_000_000.0


def main() -> None:
    site = load_site(Path(sys.argv[2]))
    quality = np.zeros(site.point_count, np.uint8)
    rows = np.arange(site.point_count, dtype=np.float64)
    with HistoryWriter(Path(sys.argv[1]), site) as writer:
        tick = int(sys.argv[3])
        while True:
            writer.append(START_UTC_S + tick, tick + rows, quality)
            sys.stdout.write(f"{tick}\n")
            sys.stdout.flush()
            tick += 1


if __name__ == "__main__":
    main()
