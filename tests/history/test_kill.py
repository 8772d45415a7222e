"""The writer is killed at random moments, for real: what it acknowledged is all there."""

import random
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from mallee.history import HistoryWriter, read_point
from mallee.site.model import SiteModel

START_UTC_S = 1_800_000_000.0
KILLS = 10


@pytest.mark.slow
def test_no_acknowledged_tick_is_lost(tmp_path: Path, root: Path, demo_site: SiteModel) -> None:
    chance = random.Random(7)
    path, row = "meter/import_w", demo_site.find_point("meter/import_w")
    assert row is not None
    next_tick, acked = 0, []
    for _ in range(KILLS):
        ticks = _write_and_kill(tmp_path, root, next_tick, kill_after=chance.randrange(1, 400))
        acked += ticks
        # Read as another process would, before the next writer has tidied anything up.
        series = read_point(tmp_path, path, START_UTC_S, START_UTC_S + ticks[-1] + 2)
        found = dict(zip(series.times_s - START_UTC_S, series.values, strict=True))
        assert {tick: found.get(tick) for tick in acked} == {tick: tick + row for tick in acked}
        next_tick = ticks[-1] + 2  # the tick after the last may have been written, unacknowledged
    HistoryWriter(tmp_path, demo_site).close()
    assert not list(tmp_path.glob("log/*"))
    assert not list(tmp_path.rglob("*.tmp"))
    series = read_point(tmp_path, path, START_UTC_S, START_UTC_S + next_tick)
    assert set(acked) <= set((series.times_s - START_UTC_S).astype(int))
    files = [str(file) for file in tmp_path.glob("raw/site=*/class=node/day=*/*.parquet")]
    with duckdb.connect() as database:
        count = "SELECT count(*), count(DISTINCT (device, ts)) FROM read_parquet($f)"
        total, distinct = database.execute(count, {"f": files}).fetchall()[0]
    assert total == distinct == 36 * len(series.times_s)


def _write_and_kill(folder: Path, root: Path, first_tick: int, kill_after: int) -> list[int]:
    """Ticks that the process acknowledged; it may be anywhere in its work when it dies."""
    script = Path(__file__).with_name("writing_process.py")
    site = root / "examples/sites/charging-site.toml"
    command = [sys.executable, str(script), str(folder), str(site), str(first_tick)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(int(line))
            if len(seen) == kill_after:
                process.kill()
        assert process.wait() == -9
    return [tick for tick in seen if tick in range(first_tick, first_tick + len(seen))]
