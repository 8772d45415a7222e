"""From a breaker that opens on a pod of 1,440 accelerators to the banner in a frame."""

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from mallee.catalogue import load_site
from mallee.console.alarms import AlarmWatch
from mallee.console.api.serving import Served
from mallee.console.frame import decode_frame
from mallee.console.hub import Hub
from mallee.console.live import Live
from mallee.console.process import SAMPLE_S, SAMPLES, Watching
from mallee.console.recorder import Recorder
from mallee.core.arrays import BoolArray
from mallee.core.event_kinds import new_event
from mallee.core.snapshot import Quality
from mallee.runtime.board import Board
from mallee.runtime.run_folder import RunFolder
from mallee.site.model import SiteModel

DEMO = Path(__file__).parents[2] / "examples/sites/charging-site.toml"
BREAKER, FIRST = "q-pod", "breaker-open@q-pod"
SILENT_S = 20
"""Samples go on so long after a trip, so that everything behind it is found silent."""


class LastFrame(Hub):
    """Keeps what would be sent, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[tuple[float, bytes]] = []

    def publish(self, frame: bytes) -> None:
        """Note it."""
        self.frames.append((time.perf_counter(), frame))


def pod_of_1440(folder: Path) -> SiteModel:
    """The demo site with twenty racks in its pod; its ratings do not matter here."""
    text = DEMO.read_text("utf-8").replace('name = "r{1..2}"', 'name = "r{01..20}"')
    path = folder / "pod.toml"
    path.write_text(text, "utf-8")
    site = load_site(path)
    count = sum(group.count * group.model.accelerators for group in site.groups)
    if count != 1440:
        raise AssertionError(f"{count} accelerators")
    return site


def banner_figures(trips: int) -> dict[str, float]:
    """Milliseconds from the event to the frame that names it first; and what sounds in the end.

    Work only: the wait for the next of ten samples a second is added as drawn, evenly between none
    and a tenth of a second.
    """
    rng = np.random.default_rng(1)
    waits_ms, annunciated, right = [], 0, 0
    raised = 0
    with tempfile.TemporaryDirectory() as name:
        site = pod_of_1440(Path(name))
        board, watching, hub, watch = console_on(site, Path(name))
        pod = np.array([p.startswith("pod1/") for p in site.point_paths()])
        for _ in range(trips):
            write(site, board, pod, Quality.GOOD)
            watching.tell_second()
            hub.frames.clear()
            event = new_event("breaker-trip", time.monotonic(), BREAKER, why="opened by short time")
            began_s = time.perf_counter()
            board.post("control", event)
            watching.sample()
            done_s = next(at for at, frame in hub.frames if first_of(frame) == FIRST)
            waits_ms.append(1e3 * (done_s - began_s + rng.uniform(0.0, SAMPLE_S)))
            annunciated, raised, right = settle(site, board, watch, pod)
    return {
        "banner_p95_ms": float(np.percentile(waits_ms, 95)),
        "annunciated": annunciated,
        "null_annunciated": raised,
        "first_out_right": right,
        "samples_a_second": SAMPLES,
    }


def console_on(site: SiteModel, folder: Path) -> tuple[Board, Watching, LastFrame, AlarmWatch]:
    """The console's loop on a board of its own, without a network."""
    place = RunFolder(folder / "data")
    place.make()
    board, hub, watch = Board.create(place.board, site), LastFrame(), AlarmWatch(site)
    served = Served(live=Live(site), board=board, alarms=watch)
    return board, Watching(board, place, served, hub, Recorder(place.history, site)), hub, watch


def write(site: SiteModel, board: Board, which: BoolArray, quality: Quality) -> None:
    """Readings of a site that is well, or is silent in part."""
    values = np.full(site.point_count, 500.0)
    for row, path in enumerate(site.point_paths()):
        if path.endswith(("degc", "leak_count")):
            values[row] = 20.0 if path.endswith("degc") else 0.0
    rows = np.flatnonzero(which) if quality != Quality.GOOD else np.arange(site.point_count)
    board.write_readings(
        rows, values[rows], np.full(rows.size, quality, np.uint8), time.monotonic()
    )


def settle(
    site: SiteModel, board: Board, watch: AlarmWatch, pod: BoolArray
) -> tuple[int, int, int]:
    """Everything behind the breaker falls silent: what sounds, what stands, whether it is first.

    Afterwards all is well again.
    """
    desk = watch.desk
    board.mark(np.flatnonzero(pod), Quality.STALE)
    begun_s = desk.time_s
    for second in range(1, SILENT_S + 1):
        watch.look(board.snapshot(time.monotonic()), [], begun_s + second)
    sounds, stands = int(desk.state.annunciated.sum()), int(desk.state.stands.sum())
    is_right = int(watch.summary().first == FIRST)
    write(site, board, pod, Quality.GOOD)
    over = new_event("breaker-closed", 0.0, BREAKER)
    for second in range(SILENT_S + 1, SILENT_S + 150, 10):
        watch.look(board.snapshot(time.monotonic()), [over], begun_s + second)
    everything = range(len(desk.ids))
    desk.act("acknowledge", everything, desk.time_s, "bench")
    desk.act("reset", everything, desk.time_s, "bench")
    return sounds, stands, is_right


def first_of(frame: bytes) -> str:
    """The alarm that a frame shows first."""
    return str(json.loads(decode_frame(frame).text)["alarms"]["first"]) if frame else ""
