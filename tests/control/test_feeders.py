"""Static shares of branches that no meter watches."""

from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.control import Limits, limits_of

EXAMPLE = Path(__file__).parents[2] / "examples/sites/charging-site.toml"


def limits(tmp_path: Path, *changes: tuple[str, str]) -> Limits:
    """Limits of the demo site with parts of its file replaced."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    return limits_of(load_site(path))


def test_ample_branches_leave_every_rating_alone(tmp_path: Path) -> None:
    found = limits(tmp_path)
    assert (found.nodes.cap_max_w == 6667.0).all()
    assert [charger.max_w for charger in found.chargers] == [1e6, 1e6]


def test_a_narrow_breaker_lowers_the_caps_below_it(tmp_path: Path) -> None:
    found = limits(tmp_path, ("rating_a = 400", "rating_a = 250"))
    rating_w = 250 * 480 * np.sqrt(3)
    assert found.pods_max_w <= rating_w
    assert found.nodes.cap_max_w[0] < 6667.0
    assert (found.nodes.cap_max_w >= 1927.0).all()


def test_a_branch_that_carries_the_whole_site_bounds_the_import(tmp_path: Path) -> None:
    found = limits(tmp_path, ("rating_va = 750e3", "rating_va = 400e3"))
    assert found.import_contract_w == pytest.approx(392e3)
    assert (found.nodes.cap_max_w == 6667.0).all()


def test_chargers_leave_the_nodes_their_lowest_on_a_branch_they_share(tmp_path: Path) -> None:
    found = limits(
        tmp_path,
        ('fed_by = "q-ev{1..2}"', 'fed_by = "q-pod"'),
        ("rating_a = 400", "rating_a = 1000"),
    )
    rating_w = 1000 * 480 * np.sqrt(3)
    chargers_w = sum(charger.max_w for charger in found.chargers)
    assert 0.0 < chargers_w < 2e6
    assert chargers_w + found.pods_max_w <= rating_w


def test_without_a_battery_the_nodes_keep_their_range(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    start = text.index("[[battery]]")
    found = limits(tmp_path, (text[start : text.index("[[charger]]")], ""))
    assert found.batteries == ()
    assert (found.nodes.cap_max_w == 6667.0).all()
