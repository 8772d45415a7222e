"""Writes a plausible site onto a real board: what the console is tried with where no site runs.

Run as a program, it serves the console on such a board: `python tests/console/fake_board.py 8801`,
with a second number to multiply import by.
"""

import math
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from mallee.catalogue import load_site_file
from mallee.console.process import main
from mallee.core.event import Event, Severity
from mallee.core.snapshot import Quality
from mallee.core.status import ControlStatus
from mallee.runtime.board import Board
from mallee.runtime.roles import process_names
from mallee.runtime.run_folder import Run, RunFolder, load_run
from mallee.site.model import SiteModel

SITE = Path(__file__).parents[2] / "examples/sites/charging-site.toml"

PERIOD_S = 2.5


class FakeSite:
    """A pod that trains, a battery that keeps the swing off the grid, cars that charge."""

    def __init__(self, site: SiteModel, board: Board) -> None:
        self.site, self.board = site, board
        self.rng = np.random.default_rng(7)
        self.values = np.full(site.point_count, np.nan)
        self.soc = 0.584
        self.excess = 1.0
        self.cycle = 0

    def set(self, kind: str, point: str, value: float, spread: float = 0.0) -> None:
        """Give one point of every device of a kind a value, apart by a relative spread."""
        rows = self.site.rows(kind, point)
        noise = 1.0 + spread * self.rng.standard_normal(len(rows)) if spread else 1.0
        self.values[rows] = value * noise

    def step(self, time_s: float, time_of_day_s: float) -> None:
        """Everything as it is at one moment; events and silence are the caller's to add."""
        phase = (time_of_day_s % PERIOD_S) / PERIOD_S
        busy = 1.0 if phase < 0.72 else 0.42
        tray_w = 1150 + 5150 * busy
        self.set("node", "power_w", tray_w, 0.012)
        self.set("node", "cap_w", 6667)
        self.set("switch", "power_w", 520, 0.02)
        rack_w = 18 * tray_w + 9 * 520
        self.set("power_shelf", "output_w", rack_w / 8, 0.004)
        self.set("power_shelf", "input_w", rack_w / 8 / 0.972, 0.004)
        self.set("cdu", "power_w", 6120, 0.004)
        self.set("cdu", "supply_degc", 30.1, 0.001)
        self.set("cdu", "supply_set_degc", 30.0)
        self.set("cdu", "return_degc", 37.6, 0.001)
        cars = 232e3 + 9e3 * math.sin(time_of_day_s / 40)
        for row, share in zip(self.site.rows("charger", "power_w"), (0.63, 0.37), strict=False):
            self.values[row] = cars * share
        for row, count in zip(self.site.rows("charger", "occupied_count"), (4, 2), strict=False):
            self.values[row] = count
        self.set("charger", "limit_w", 150e3)
        racks = len(self.site.racks.names)
        pods_w = racks * rack_w / 0.972 + 6120
        import_w = 488e3 * self.excess + 11e3 * math.sin(time_of_day_s / 55)
        battery_w = import_w - pods_w - cars - 4.1e3
        self.soc -= battery_w / 3.85e6 / 3600 * -0.2
        self.set("meter", "import_w", import_w)
        self.set("meter", "voltage_v", 478.6, 0.0004)
        self.set("meter", "frequency_hz", 60.0, 0.0002)
        self.set("battery", "charge_w", battery_w)
        self.set("battery", "soc", self.soc)
        self.set("battery", "capacity_wh", 3.85e6)
        self.set("battery", "charge_available_w", 1.93e6)
        self.set("battery", "discharge_available_w", 1.93e6)
        quality = np.where(np.isfinite(self.values), Quality.GOOD, Quality.NEVER)
        rows = np.flatnonzero(np.isfinite(self.values))
        self.board.write_readings(rows, self.values[rows], quality[rows], time_s)
        self.report(time_s, import_w, pods_w + cars)

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
                import_in_force_w=588e3,
                import_target_w=490e3,
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
    while not stopped.wait(0.2):
        fake.step(time.monotonic(), time.time())


def _serve(port: int, excess: float) -> None:
    stopped = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        site, board = make_folder(Path(folder), port)
        threading.Thread(
            target=keep_writing, args=(site, board, stopped, excess), daemon=True
        ).start()
        main(Path(folder))
        stopped.set()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
