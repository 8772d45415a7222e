"""`mallee status`: what the site draws, by what people call it."""

import math
from pathlib import Path

import numpy as np

from mallee.catalogue import load_site
from mallee.cli.site_state import powers_of
from mallee.kinds.meter import METER
from mallee.kinds.solar import SOLAR
from mallee.site.model import SiteModel


def test_the_grid_import_is_what_the_feeds_meters_read(root: Path) -> None:
    """A sub-meter reads a part of the same power, which is not to be counted twice."""
    site = load_site(root / "examples/sites/microgrid.toml")
    values = np.full(site.point_count, np.nan)
    values[site.rows(METER, "import_w")] = 1.0
    assert len(site.rows(METER, "import_w")) > len(site.feed_branches)
    values[site.rows(SOLAR, "output_w")] = 2.0
    powers = powers_of(site, values)
    assert powers["grid import"] == len(site.feed_branches)
    assert powers["solar"] == 2.0 * len(site.rows(SOLAR, "output_w"))
    assert math.isnan(powers["nodes"]), "nobody reported any"


def test_only_what_the_site_has_is_told(demo_site: SiteModel) -> None:
    powers = powers_of(demo_site, np.zeros(demo_site.point_count))
    known = ["grid import", "battery charge", "chargers", "CDUs", "nodes", "switches"]
    assert list(powers) == known
