"""Plays collect and control for `test_board.py`: whatever one call writes always agrees."""

import sys
import time
from pathlib import Path

import numpy as np

from mallee.catalogue.read import load_site
from mallee.core.event import Event
from mallee.core.plan import Plan, PlanStep
from mallee.core.status import ControlStatus
from mallee.runtime.board import Board

EXAMPLE = Path(__file__).parents[2] / "examples" / "sites" / "charging-site.toml"


def main(path: Path, duration_s: float) -> None:
    site = load_site(EXAMPLE)
    board = Board.open(path, site)
    rows = np.arange(0, site.point_count, 3)
    until_s = time.monotonic() + duration_s
    number = 0
    while time.monotonic() < until_s:
        number += 1
        same = float(number)
        board.write_readings(rows, same, number % 5, same)
        board.command(rows, same, lease_s=same, time_s=same, reason=f"{number}", actor=f"{number}")
        board.set_progress(rows, number, number % 5, readings=same, time_s=same)
        step = PlanStep(from_s=same, until_s=same + 1.0, reason="x" * (number % 300))
        plan = Plan(source="", generation=number, made_s=same, valid_until_s=same, steps=(step,))
        board.publish_plans((plan,) * (number % 3), number)
        board.publish_status(
            ControlStatus(
                time_s=same,
                mode="auto",
                binding="none",
                acting="",
                text="x" * (number % 700),
                import_in_force_w=same,
                import_target_w=same,
                charge_bias_w=same,
                chargers_max_w=same,
                nodes_max_w=same,
                cycle=number,
            )
        )
        board.post("control", Event(time_s=same, kind="test", source="", text="x" * (number % 300)))
    board.beat("control", 1.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
