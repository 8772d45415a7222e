"""What `mallee check` finds: each rule broken once, and the examples as they are."""

import math
import re

import pytest

from mallee.site.checks import Finding, check_site, watts
from mallee.site.loads import branch_range
from mallee.site.model import SiteModel
from tests.site.sites import DEMO, demo_with

DEMO_TWIN = DEMO.read_text(encoding="utf-8").partition("[twin]")[2]


def test_the_demo_site_has_no_error(demo_site: SiteModel) -> None:
    found = check_site(demo_site)
    assert {finding.level for finding in found} == {"note"}
    assert "grid.import_max_w: may be asked for 4.2 MW, above its limit 600 kW" in lines(found)


def test_the_large_site_is_checked_too(large_site: SiteModel) -> None:
    found = check_site(large_site)
    assert [finding.level for finding in found] == ["warning", "note"]


def test_loads_add_up_the_tree(demo_site: SiteModel) -> None:
    load = branch_range(demo_site)
    pod, transformer = demo_site.branch_index("q-pod"), demo_site.branch_index("tx1")
    nodes_w, switches_w, cdu_w = 36 * 6667, 18 * 800, 13_000
    computers_w = nodes_w + switches_w
    used, rating_w = computers_w / (16 * 33_000), 16 * 33_000
    loss_w = rating_w * (0.0065 - 0.0044 * used + 0.0342 * used**2)
    assert math.isclose(load.most_w[pod], computers_w + loss_w + cdu_w)
    assert math.isclose(load.most_w[transformer], load.most_w[pod] + 1_930_000 + 2_000_000)
    assert math.isclose(load.most_w[0], load.most_w[transformer])
    assert load.least_w[0] < 36 * 1927 + switches_w + cdu_w + 10_000 + 5_000 + 1_600


@pytest.mark.parametrize(
    ("old", "new", "level", "message"),
    [
        (
            'fed_by = "tx1"\nrating_a = 400',
            'fed_by = "tx1"\nrating_a = 100',
            "error",
            "breaker.q-pod: carries at least 1.* kW even with every cap at its lowest",
        ),
        (
            'fed_by = "tx1"\nrating_a = 400',
            'fed_by = "tx1"\nrating_a = 300',
            "note",
            "breaker.q-pod: may be asked for 27. kW, above its rating 249 kW",
        ),
        (
            '[[breaker]]\nname = "q-pod"',
            '[[breaker]]\nname = "spare"\nfed_by = "tx1"\nrating_a=9\n[[breaker]]\nname = "q-pod"',
            "note",
            "breaker.spare: feeds nothing",
        ),
        ('fed_by = "q-battery"', 'fed_by = "grid"', "warning", "bess1: directly on the grid"),
        ("count = 8", "count = 1", "error", "pod1/r1 and 1 more: power shelves of 33 kW"),
        ("count = 8", "count = 3", "warning", "pod1/r1 and 1 more: .* draw 127 kW at full power"),
        ('cdu = "cdu1"\n', "", "error", r"pod1/r1/n01 and 35 more: .* its rack names no cdu"),
        (
            'name = "r{1..2}"\nfed_by = "q-pod"',
            'name = "r{01..14}"\nfed_by = "q-pod"',
            "warning",
            "pod1/cdu1: rated 1.3 MW, but the liquid of its racks brings 1.51 MW",
        ),
        (
            "ramp_down_max_w_per_s = 1000",
            "ramp_down_max_w_per_s = 4",
            "warning",
            "control.soc_target: leaves 1.16 MWh to charge",
        ),
        ('until_time = "21:00"', 'until_time = "16:00"', "error", "evening: ends when it"),
        ("target_w = 550e3", "target_w = 50e3", "warning", "evening: target 50 kW is below"),
        ("target_w = 550e3", "target_w = 650e3", "warning", "evening: .* changes nothing"),
        (
            "target_w = 550e3 },",
            'target_w = 550e3 },\n{ name = "night", from_time = "20:59", until_time = "05:00" },',
            "warning",
            "night: overlaps 'evening'",
        ),
        ("soc_min = 0.2", "soc_min = 0.95", "error", "control: soc_min 0.95 is not below"),
        ("soc_target = 0.6", "soc_target = 0.1", "error", "control: soc_target 0.1 is outside"),
        ("soc_start = 0.6", "soc_start = 0.1", "warning", "twin.soc_start: .* starts at 0.1"),
    ],
)
def test_each_rule(old: str, new: str, level: str, message: str) -> None:
    found = check_site(demo_with((old, new)))
    assert [f for f in found if f.level == level], lines(found)
    assert any(re.search(message, line) for line in lines(found, level)), lines(found)


def test_windows_that_touch_do_not_overlap() -> None:
    more = 'target_w = 550e3 },\n{ name = "night", from_time = "21:00", until_time = "16:00" },'
    assert "overlaps" not in str(check_site(demo_with(("target_w = 550e3 },", more))))


def test_a_site_without_a_battery_is_warned() -> None:
    text = '[[battery]]\nname = "bess1"\nmodel = "megapack-2h"\nfed_by = "q-battery"\n'
    found = check_site(demo_with((text, "")))
    assert any("battery: none, while nodes can drop" in line for line in lines(found, "warning"))


def test_a_standby_feed_must_carry_what_it_takes_over() -> None:
    site = demo_with(
        ('[[breaker]]\nname = "q-pod"', '[[breaker]]\nname = "q-{1..2}"'),
        ("rating_a = 400", "rating_a = 150"),
        ('fed_by = "q-pod" }]', 'fed_by = ["q-1", "q-2"] }]'),
        ('fed_by = "q-pod"\ncdu', 'fed_by = ["q-{1..2}", "q-2"]\ncdu'),
    )
    assert any("q-2: carries at least" in line for line in lines(check_site(site), "warning"))


def test_a_real_site_needs_addresses() -> None:
    twin = "[twin]" + DEMO_TWIN
    found = check_site(demo_with((twin, "")))
    errors = lines(found, "error")
    assert "pod1/r1/n01 and 35 more: no address for redfish and dcgm" in errors
    assert "meter: no address for sunspec" in errors
    assert not any(line.startswith("ev1") for line in errors)  # chargers dial in
    address = '{ redfish = "10.1.{rack}.{n}", dcgm = "10.1.{rack}.{n+100}:9400" }'
    model = 'model = "nvidia-gb200-nvl72-compute-tray", '
    with_one = check_site(demo_with((twin, ""), (model, f"{model}address = {address}, ")))
    assert not any("n01 and" in line for line in lines(with_one, "error"))
    assert any("n01 and 35 more: names no credentials" in x for x in lines(with_one, "warning"))


def test_an_address_used_twice() -> None:
    model = 'model = "nvidia-gb200-nvl72-switch-tray", '
    found = check_site(demo_with((model, f'{model}address = "10.1.0.{{n}}", ')))
    assert "pod1/r2/sw1: has the address 10.1.0.1:443 of pod1/r1/sw1" in lines(found, "error")


@pytest.mark.parametrize(
    ("power_w", "text"),
    [(999, "999 W"), (264_123, "264 kW"), (1.93e6, "1.93 MW"), (150e6, "150 MW")],
)
def test_powers_as_people_read_them(power_w: float, text: str) -> None:
    assert watts(power_w) == text


def lines(found: list[Finding], level: str = "") -> list[str]:
    """Findings as the command line prints them, without hints."""
    return [f"{f.where}: {f.text}".split(": control")[0] for f in found if level in ("", f.level)]
