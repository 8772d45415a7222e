"""Forty hard worlds of a minute on all example sites: a campaign that fits into every change.

`mallee campaign` runs more, for longer, with measured traces and beside other rules.
"""

from pathlib import Path

import pytest

from mallee.catalogue import load_site
from mallee.simulation.campaign.runner import Outcome, run_world
from mallee.simulation.campaign.world import draw_world

WORLDS = range(1, 41)
DURATION_S = 60
POINTS_MAX = 50_000
"""A minute of the site with 67,000 accelerators takes minutes."""
UNSAFE = {"trips", "hot_spot", "over_5s", "export_5s", "soc_window_breaks", "die", "clipped"}
WRONG = {"not_recovered", "untrue_events"}


@pytest.fixture(scope="module")
def sites(root: Path) -> list[Path]:
    models = {path: load_site(path) for path in sorted((root / "examples/sites").glob("*.toml"))}
    return [
        path
        for path, site in models.items()
        if site.file.twin is not None and site.point_count <= POINTS_MAX
    ]


@pytest.mark.slow
@pytest.mark.parametrize("tenth", range(4))
def test_nothing_unsafe_happens_whatever_breaks(sites: list[Path], tenth: int) -> None:
    outcomes = [
        run_world(draw_world(seed, sites, [], DURATION_S))
        for seed in list(WORLDS)[10 * tenth : 10 * tenth + 10]
    ]
    assert [one.crash for one in outcomes if one.crash] == []
    assert [_named(one) for one in outcomes if set(one.broken) & (UNSAFE | WRONG)] == []


def _named(outcome: Outcome) -> str:
    return f"seed {outcome.world.seed} at {Path(outcome.world.site).stem}: {outcome.broken}"
