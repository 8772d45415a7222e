"""Writes a plausible site onto a real board: what the console is tried with where no site runs.

Run as a program, it serves the console on such a board, of any site file:

    python tests/console/fake_board.py 8801 [SITE.toml] [--excess 1.26]
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from mallee.catalogue import load_site_file
from mallee.console.places import METERED, power_tree
from mallee.console.process import main
from mallee.core.device_model import PointSpec
from mallee.core.event import Event, Severity
from mallee.core.snapshot import Quality
from mallee.core.status import ControlStatus
from mallee.kinds import KINDS
from mallee.runtime.board import Board
from mallee.runtime.roles import process_names
from mallee.runtime.run_folder import Run, RunFolder, load_run
from mallee.site.model import DeviceGroup, SiteModel

SITE = Path(__file__).parents[2] / "examples/sites/charging-site.toml"

PERIOD_S = 2.5
USED = {"load": 0.72, "storage": -0.04, "source": 0.3}
"""Part of its rating that a device of a role draws or gives, where the contract allows it."""
TYPICAL = {
    **{"soc": 0.584, "frac": 0.6, "degc": 31.0, "hz": 60.0, "v": 480.0, "pu": 1.0},
    **{"s": 900.0, "kgps": 12.0, "wh": 3.85e6, "a": 400.0},
}
"""By unit, of what nothing else says."""
NAMED = {"return_degc": 38.6, "supply_set_degc": 30.0, "leak_count": 0.0, "occupied_count": 3.0}
OVERHEAD = 1.02
"""What a meter reads over what hangs below it."""


class FakeSite:
    """Racks that train, a battery that keeps the swing off the grid, everything else as rated."""

    def __init__(self, site: SiteModel, board: Board) -> None:
        self.site, self.board = site, board
        self.rng = np.random.default_rng(7)
        self.values = np.full(site.point_count, np.nan)
        self.tree = power_tree(site)
        self.excess = 1.0
        self.cycle = 0
        rated_w = sum(group.count * group.model.power_max_w for group in site.groups_with("load"))
        self.fits = min(1.0, 0.8 * site.grid.import_max_w / (USED["load"] * rated_w))
        for group in site.groups:
            for point in group.model.point:
                noise = 1.0 + 0.004 * self.rng.standard_normal(group.count)
                self.values[group.rows(point.name)] = typical(group, point) * noise

    def step(self, time_s: float, time_of_day_s: float) -> None:
        """Everything as it is at one moment; events and silence are the caller's to add."""
        busy = 1.0 if (time_of_day_s % PERIOD_S) / PERIOD_S < 0.72 else 0.6
        for group in self.site.groups:
            kind = KINDS[group.kind]
            if kind.power in group.model.index and kind.role in USED:
                part = USED[kind.role] * (busy if group.model.accelerators else 1.0) * self.fits
                noise = 1.0 + 0.012 * self.rng.standard_normal(group.count)
                self.values[group.rows(kind.power)] = part * group.model.power_max_w * noise
        self.pass_on()
        import_w = self.meters()
        rows = np.flatnonzero(np.isfinite(self.values))
        good = np.full(len(rows), Quality.GOOD, np.uint8)
        self.board.write_readings(rows, self.values[rows], good, time_s)
        self.report(time_s, import_w, import_w * 1.04)

    def pass_on(self) -> None:
        """What shelves take and give, from what their rack draws."""
        for source in self.tree.sources:
            if len(source.output_rows):
                each_w = self.values[source.rows].sum() / len(source.output_rows)
                self.values[source.output_rows] = each_w
                self.values[source.input_rows] = each_w / 0.972

    def meters(self) -> float:
        """Set each meter to what hangs below it; the site's import."""
        places, sources = self.tree.places, self.tree.sources
        below_w = np.zeros(len(places))
        for index in range(len(places) - 1, -1, -1):
            place, source = places[index], sources[index]
            own_w = float(self.values[source.rows] @ source.weights) if place.box else 0.0
            power_w = (own_w if place.box else below_w[index]) * (OVERHEAD if place.metered else 1)
            if place.metered and not place.box:
                self.values[source.rows] = power_w
            if place.parent >= 0 and not place.computed:
                below_w[place.parent] += power_w
        rows = [group.rows(METERED) for group in self.site.groups_with("measures")]
        self.values[rows[0]] *= self.excess
        return float(self.values[rows[0]].sum())

    def report(self, time_s: float, import_w: float, load_w: float) -> None:
        """Control's status, and a sign of life of every process."""
        self.cycle += 10
        swing_w = load_w - import_w
        side = "above" if swing_w > 0 else "below"
        self.board.publish_status(
            ControlStatus(
                time_s=time_s,
                mode="auto",
                binding="ramp up" if swing_w > 0 else "ramp down",
                acting="bess1 ramp filter",
                text=(
                    f"Import {import_w / 1e3:.0f} of 588 kW; load is {abs(swing_w) / 1e3:.0f} kW "
                    f"{side} it and bess1 keeps import within 60 kW/min."
                ),
                import_in_force_w=0.98 * self.site.grid.import_max_w,
                import_target_w=0.8 * self.site.grid.import_max_w,
                charge_bias_w=4e3,
                chargers_max_w=300e3,
                nodes_max_w=240e3,
                bands={
                    "above 0.5 Hz": "GPU and power-shelf firmware",
                    "0.05 to 5 Hz": "battery inverter, ramp filter at the meter",
                    "below 0.2 Hz": "Mallee: limits, state of charge, charger shares, node caps",
                    "minutes": "plan: demand windows",
                },
                cycle=self.cycle,
            )
        )
        for role in process_names(self.site):
            self.board.beat(role, time_s)

    def post_some_events(self, time_s: float) -> None:
        """A morning's worth of events."""
        for age_s, kind, source, severity, text in (
            (3720, "mode", "control", Severity.INFO, "Control took over: mode auto."),
            (
                1980,
                "limit-binding",
                "grid",
                Severity.INFO,
                "The evening window lowers import to 550 kW.",
            ),
            (
                412,
                "device-lost",
                "pod1/r2/n07",
                Severity.WARNING,
                "No answer on redfish for 3.0 s; its last power stands in.",
            ),
            (
                397,
                "device-back",
                "pod1/r2/n07",
                Severity.INFO,
                "Answers again after 15.2 s.",
            ),
            (
                96,
                "limit-binding",
                "bess1",
                Severity.INFO,
                "Ramp up binds: load rose by 148 kW in 1 s, bess1 covers it.",
            ),
        ):
            self.board.post(
                "control",
                Event(
                    time_s=time_s - age_s, kind=kind, source=source, text=text, severity=severity
                ),
            )


def typical(group: DeviceGroup, point: PointSpec) -> float:
    """A plausible value of a point of any device."""
    if point.constant is not None:
        return point.constant
    name, unit = point.name, point.name.rpartition("_")[2]
    if name.startswith("gpu") and unit == "degc":
        return 61.0
    if unit in ("w", "va", "var"):
        limits = KINDS[group.kind].write_range(group.model, name)
        return limits[1] if limits else 0.5 * group.model.power_max_w
    return NAMED.get(name, TYPICAL.get(unit, 1.0))


def make_folder(path: Path, port: int, source: Path = SITE) -> tuple[SiteModel, Board]:
    """A run folder with a board, as the supervisor makes one."""
    folder = RunFolder(path)
    folder.make()
    file = load_site_file(source)
    folder.save(
        Run(site=file, source=source.name, pid=0, console=f"127.0.0.1:{port}", addresses={})
    )
    site = load_run(folder)[1]
    return site, Board.create(folder.board, site)


def keep_writing(
    site: SiteModel, board: Board, stopped: threading.Event, excess: float = 1.0
) -> None:
    """Play collect and control until told to stop; `excess` is by how much import is too high."""
    fake = FakeSite(site, board)
    fake.excess = excess
    fake.post_some_events(time.monotonic())
    every_s = 0.2 if site.point_count < 50_000 else 2.0
    while not stopped.wait(every_s):
        fake.step(time.monotonic(), time.time())


def _serve(port: int, source: Path, excess: float) -> None:
    stopped = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        site, board = make_folder(Path(folder), port, source)
        threading.Thread(
            target=keep_writing, args=(site, board, stopped, excess), daemon=True
        ).start()
        main(Path(folder))
        stopped.set()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="a console without a site")
    parser.add_argument("port", type=int)
    parser.add_argument("site", type=Path, nargs="?", default=SITE)
    parser.add_argument("--excess", type=float, default=1.0)
    options = parser.parse_args()
    _serve(options.port, options.site, options.excess)
