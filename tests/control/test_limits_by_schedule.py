"""Control's limits by hours and dates: lower when it is time, standing values always."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mallee.catalogue import load_site
from mallee.control import limits_now, limits_of
from mallee.site.clock import parse_start
from mallee.site.contract import LimitChange
from mallee.site.model import SiteModel

SITE = load_site(Path(__file__).parents[2] / "examples/sites/charging-site.toml")


def with_evening(site: SiteModel, **limit: Any) -> SiteModel:
    change = LimitChange(name="evening", from_time="17:00", until_time="21:00", **limit)
    feed = msgspec.structs.replace(site.grid, limits=[change])
    return replace(site, file=msgspec.structs.replace(site.file, grid=feed))


def utc_s(local: str) -> float:
    return parse_start(f"2026-07-15T{local}", SITE.file.timezone, "start")


def test_without_schedules_nothing_is_made_anew() -> None:
    limits = limits_of(SITE)
    assert limits_now(limits, SITE.file, utc_s("18:00")) is limits


def test_the_evening_lowers_contract_and_tree_and_the_night_gives_them_back() -> None:
    site = with_evening(SITE, import_max_w=400e3, export_max_w=0.0)
    limits, feed = limits_of(site), int(site.feed_branches[0])
    assert limits_now(limits, site.file, utc_s("12:00")) is limits
    evening = limits_now(limits, site.file, utc_s("18:00"))
    assert evening.import_contract_w == evening.contract_w[0] == 400e3
    assert evening.budget.limit_w[feed] == 400e3
    assert evening.import_min_w == 0.0
    others = np.arange(len(site.branches)) != feed
    assert (evening.budget.limit_w[others] == limits.budget.limit_w[others]).all()
    assert limits_now(limits, site.file, utc_s("21:00")) is limits


def test_it_comes_down_as_early_as_the_ramp_needs() -> None:
    """200 kW at 1 kW/s: on the way from 200 s before the minute that everything is ready in."""
    site = with_evening(SITE, import_max_w=400e3)
    limits = limits_of(site)
    before_w = [
        limits_now(limits, site.file, utc_s("17:00") - ahead_s).import_contract_w
        for ahead_s in (300.0, 200.0, 120.0, 60.0, 0.0)
    ]
    assert before_w == [600e3, 540e3, 460e3, 400e3, 400e3]


def test_a_limit_above_the_own_one_changes_nothing() -> None:
    site = with_evening(SITE, import_max_w=900e3)
    limits = limits_of(site)
    assert limits_now(limits, site.file, utc_s("18:00")) is limits


def test_standing_values_know_no_clock() -> None:
    """What devices fall back to holds in the lowest hours, whatever the hour is."""
    low, own = limits_of(with_evening(SITE, import_max_w=300e3)), limits_of(SITE)
    assert (low.safe_w <= own.safe_w).all()
    factor = own.budget.loads.factor
    assert (low.safe_w * factor).sum() <= (own.safe_w * factor).sum()
    assert (own.safe_w * factor).sum() - (low.safe_w * factor).sum() > 0.0
