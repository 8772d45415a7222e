"""Golden stories: a fault plan, and what control and devices said while it ran.

The text beside this file is the review: a change that tells another story shows as a diff.
`MALLEE_RETELL=1` writes it anew.
"""

import os
from pathlib import Path

import pytest

from mallee.simulation.run import simulate
from mallee.site.model import SiteModel
from mallee.twin.faults import FaultPlan

STORIES = Path(__file__).parent / "stories"


@pytest.mark.slow
@pytest.mark.parametrize(("story", "duration_s"), [("hard-afternoon", 720)])
def test_a_story_is_told_as_before(
    root: Path, demo_site: SiteModel, story: str, duration_s: int
) -> None:
    plan = FaultPlan.from_toml(root / f"examples/faults/{story}.toml", demo_site)
    run = simulate(demo_site, duration_s=duration_s, faults=plan)
    told = "".join(
        f"{event.time_s:5.0f} s  {event.severity.name.lower():<8}  "
        f"{event.kind:<20}  {event.source}\n"
        for event in run.events
    )
    path = STORIES / f"{story}.txt"
    if os.environ.get("MALLEE_RETELL"):
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")
