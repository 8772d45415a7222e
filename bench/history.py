"""What it costs to keep every point every second. `./run bench history [--json]`

Readings are random walks, the hardest thing to compress; the share of a core holds log, segments,
rollups and merges together. Figures are for the machine it runs on.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from mallee.catalogue import load_site
from mallee.history import HistoryWriter, read_point, read_points

SITES: Final = Path(__file__).parents[1] / "examples/sites"
START_UTC_S: Final = 1_800_000_000.0


def write(folder: Path, site_name: str, ticks: int) -> dict[str, float]:
    """Keep so many seconds of a site; waits at the end for what is still due."""
    site = load_site(SITES / f"{site_name}.toml")
    noise = np.random.default_rng(1)
    values = noise.normal(5000.0, 9.0, site.point_count)
    quality = np.zeros(site.point_count, np.uint8)
    spent_s = []
    making_s = 0.0
    began_s = time.process_time()
    with HistoryWriter(folder, site) as writer:
        for tick in range(ticks):
            before_s = time.thread_time()
            values += noise.normal(0.0, 1.0, site.point_count)
            making_s += time.thread_time() - before_s
            call_s = time.perf_counter()
            writer.append(START_UTC_S + tick, values, quality)
            spent_s.append(time.perf_counter() - call_s)
    cpu_s = time.process_time() - began_s - making_s
    size = sum(path.stat().st_size for path in folder.rglob("raw/**/*.parquet"))
    return {
        "append_p50_ms": 1e3 * float(np.percentile(spent_s, 50)),
        "append_p99_ms": 1e3 * float(np.percentile(spent_s, 99)),
        "core_share": cpu_s / ticks,
        "values_per_cpu_s": ticks * site.point_count / cpu_s,
        "bytes_per_value": size / (ticks * site.point_count),
    }


def best_ms(work: Callable[[], object]) -> float:
    """Best of five, as the machine may be shared."""
    spent_s = []
    for _ in range(5):
        began_s = time.perf_counter()
        work()
        spent_s.append(time.perf_counter() - began_s)
    return 1e3 * min(spent_s)


def main() -> None:
    """Write both example sites, ask questions, print the figures."""
    parser = argparse.ArgumentParser(prog="./run bench history", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        for label, site_name, ticks in (
            ("demo", "charging-site", 1200),
            ("large", "cortex-67k", 240),
        ):
            folder = Path(place) / label
            found = write(folder, site_name, ticks)
            figures |= {f"{label}_{name}": value for name, value in found.items()}
        demo, end_s = Path(place) / "demo", START_UTC_S + 1200
        figures["query_point_ms"] = best_ms(
            lambda: read_point(demo, "meter/import_w", end_s - 600, end_s)
        )
        figures["query_144_gpus_ms"] = best_ms(
            lambda: read_points(demo, ["*/gpu?_power_w"], end_s - 600, end_s)
        )
        figures["query_rollup_ms"] = best_ms(
            lambda: read_points(demo, ["meter/import_w"], START_UTC_S, end_s, 20)
        )
    if as_json:
        print(json.dumps({"bench": "history", "figures": figures}))
        return
    for name, value in figures.items():
        print(f"{name:<26} {value:>14.4g}")


if __name__ == "__main__":
    main()
