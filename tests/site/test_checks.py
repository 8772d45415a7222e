# ruff: noqa: E501 - snippets of site files read best in one line
"""What `mallee check` finds: every rule broken once in a site that is otherwise in order."""

import inspect
import math
import re
from pathlib import Path

import pytest

from mallee.catalogue import mistakes
from mallee.site import build, checks, devices, rules, tree
from mallee.site.checks import Finding, check_site, watts
from mallee.site.checks import finding as findings
from mallee.site.flows import flows_of
from mallee.site.model import SiteModel
from mallee.site.rules import RULES
from tests.site.sites import DEMO, HALL, WET, changed, demo_with, found_in, lines

DEMO_TEXT = DEMO.read_text(encoding="utf-8")
DEMO_TWIN = DEMO_TEXT.partition("[twin]")[2]
RACK = '[[pod.rack]]\nname = "r{1..8}"'
GRID_METER = 'meter = { name = "meter", model = "grid-meter-sunspec" }\n'
BATTERY = (
    "[[transformer]]",
    '[[battery]]\nname = "bess"\nmodel = "megapack-2h"\nfed_by = "q-b"\n[[transformer]]',
)


def limits(*rows: str) -> tuple[str, str]:
    """Scheduled limits of the grid connection."""
    text = ",\n".join(f"  {{ {row} }}" for row in rows)
    return GRID_METER, f"{GRID_METER}limits = [\n{text},\n]\n"


def windows(*rows: str) -> tuple[str, str]:
    """Demand windows of the grid connection."""
    text = ",\n".join(f"  {{ {row} }}" for row in rows)
    return GRID_METER, f"{GRID_METER}demand_windows = [\n{text},\n]\n"


def ramps(row: str) -> tuple[str, str]:
    """A ramp window of the grid connection."""
    return GRID_METER, f"{GRID_METER}ramps = [{{ {row} }}]\n"


CASES: dict[str, tuple[str, list[tuple[str, str]], str, str]] = {
    # rule or its variant: site, changes, level, pattern of what is said
    "work-lost": (
        HALL,
        [('name = "q-a"\nfed_by = "msb1"\nrating_a = 800', 'name = "q-a"\nfed_by = "msb1"\nrating_a = 400')],
        "warning",
        r"breaker.q-a.rating_a: 277 kW for 326 kW .* held to 85% of full power, which costs 15%",
    ),
    "overload": (
        HALL,
        [('name = "q-a"\nfed_by = "msb1"\nrating_a = 800', 'name = "q-a"\nfed_by = "msb1"\nrating_a = 250')],
        "error",
        r"breaker.q-a.rating_a: carries at least 198 kW even with every cap at its lowest",
    ),
    "work-lost transformer": (
        HALL,
        [("rating_va = 1000e3", "rating_va = 300e3"), ('fed_by = ["q-a", "q-b"]', 'fed_by = "q-a"')],
        "warning",
        r"transformer.tx1.rating_va: 300 kW for 329 kW",
    ),
    "work-lost feed": (
        HALL,
        [("import_max_w = 800e3", "import_max_w = 400e3")],
        "warning",
        r"grid.import_max_w: 400 kW for 4\d\d kW",
    ),
    "unused-branch": (
        HALL,
        [("[[chiller]]", '[[breaker]]\nname = "spare"\nfed_by = "msb1"\nrating_a = 9\n[[chiller]]')],
        "note",
        "breaker.spare: feeds nothing",
    ),
    "unused-feed": (
        HALL,
        [("[[transformer]]", '[[genset]]\nname = "g1"\nmodel = "genset-diesel-1mw"\n[[transformer]]')],
        "warning",
        "genset.g1: feeds nothing, not even as a second source",
    ),
    "no-breaker": (
        HALL,
        [('model = "air-handler-120kw"\nfed_by = "q-plant"', 'model = "air-handler-120kw"\nfed_by = "grid"')],
        "warning",
        "ah1 and 3 more: directly on the grid connection",
    ),
    "loss-of-a-feed": (
        HALL,
        [('name = "q-b"\nfed_by = "msb2"\nrating_a = 800', 'name = "q-b"\nfed_by = "msb2"\nrating_a = 400')],
        "warning",
        r"breaker.q-b.rating_a: must hold its computers to 85% of full power once .* is lost",
    ),
    "loss-of-a-feed, for good": (
        HALL,
        [('name = "q-b"\nfed_by = "msb2"\nrating_a = 800', 'name = "q-b"\nfed_by = "msb2"\nrating_a = 100')],
        "warning",
        r"breaker.q-b.rating_a: carries at least 198 kW once .* is lost",
    ),
    "shared-with-chargers": (
        HALL,
        [("[[transformer]]", '[[charger]]\nname = "ev1"\nmodel = "charger-cabinet-8x250kw"\nfed_by = "q-a"\n[[transformer]]')],
        "warning",
        r"breaker.q-a.rating_a: 554 kW for pods of 327 kW and chargers that may take 1 MW: .* held to 61% .* 39% of",
    ),
    "ups-small": (
        HALL,
        [
            ("[[transformer]]", '[[ups]]\nname = "ups1"\nmodel = "ups-500kw"\nfed_by = "q-a"\n[[transformer]]'),
            ('fed_by = ["q-a", "q-b"]\nnodes = { model = "nvidia-hgx-h100-node", count = 4 }', 'fed_by = "ups1"\nnodes = { model = "nvidia-hgx-h100-node", count = 7 }'),
            ("rating_a = 800", "rating_a = 1250"),
        ],
        "error",
        r"ups.ups1: 500 kW for 5\d\d kW at full power",
    ),
    "voltage-too-high": (
        HALL,
        [("voltage_v = 400", "voltage_v = 20e3")],
        "warning",
        r"hang on 20000 V, and take low voltage",
    ),
    "limits-differ": (
        HALL,
        [("import_max_w = 800e3", "import_max_w = 800e3\nimport_max_va = 700e3")],
        "warning",
        "can never be drawn within import_max_va 700 kVA",
    ),
    "parallel-sources": (
        HALL,
        [("[[transformer]]", '[[genset]]\nname = "g1"\nmodel = "genset-diesel-1mw"\nfed_by = "msb1"\n[[transformer]]')],
        "error",
        "g1: gives into msb1, in parallel with what feeds that",
    ),
    "plant-missing": (
        HALL,
        [
            ('[[chiller]]\nname = "ch{1..2}"\nmodel = "chiller-air-cooled-500kw"\nfed_by = "q-plant"\n', ""),
            ('[[air_handler]]\nname = "ah{1..4}"\nmodel = "air-handler-120kw"\nfed_by = "q-plant"\n', ""),
        ],
        "warning",
        "site: no chiller, dry_cooler or air_handler for 326 kW of heat to air",
    ),
    "cooling-short": (
        HALL,
        [("ah{1..4}", "ah{1..2}")],
        "warning",
        r"pod.pod1: air handlers carry 240 kW of 326 kW",
    ),
    "cooling-short, none": (
        HALL,
        [('[[chiller]]\nname = "ch{1..2}"\nmodel = "chiller-air-cooled-500kw"\nfed_by = "q-plant"\n', "")],
        "warning",
        "no chillers for room air for 326 kW",
    ),
    "cooling-without-spare": (
        HALL,
        [("ah{1..4}", "ah{1..3}")],
        "note",
        "air handlers carry 240 kW of 326 kW with the largest one out of service",
    ),
    "hot-day": (
        WET,
        [('[[chiller]]\nname = "trim{1..2}"\nmodel = "chiller-trim-1000kw"\nfed_by = "q-plant"\n', "")],
        "warning",
        r"dry coolers of 2.1 MW bring 865 kW .* only up to 36 degC",
    ),
    "dry coolers too small": (
        WET,
        [
            ('[[chiller]]\nname = "trim{1..2}"\nmodel = "chiller-trim-1000kw"\nfed_by = "q-plant"\n', ""),
            ("dc{1..3}", "dc1"),
        ],
        "warning",
        "dry coolers carry 700 kW of 865 kW",
    ),
    "cdu-short": (
        WET,
        [("r{1..8}", "r{1..14}"), ("import_max_w = 2e6", "import_max_w = 3e6")],
        "error",
        "pod1/loop: 1 of 2 CDUs carry 1.3 MW, but the liquid of its racks brings 1.51 MW",
    ),
    "cdu-short, one CDU": (
        WET,
        [("r{1..8}", "r{1..14}"), ('cdu = "loop"', 'cdu = "cdu1"')],
        "warning",
        "pod1/cdu1: rated 1.3 MW, but the liquid of its racks brings 1.51 MW at full power",
    ),
    "no-cdu": (WET, [('cdu = "loop"\n', "")], "error", "r1/n01 and 143 more: .* names no cdu"),
    "shelves-short": (WET, [("count = 8 }", "count = 3 }")], "warning", "draw 127 kW at full power"),
    "shelves-short, for good": (WET, [("count = 8 }", "count = 1 }")], "error", "shelves of 33 kW"),
    "ramp-not-covered": (
        HALL,
        [ramps("window_s = 60, up_max_w = 80e3, down_max_w = 80e3")],
        "warning",
        r"grid.ramps\[0\]: no battery covers it: nodes can drop or rise by 262 kW",
    ),
    "ramp as a slope": (
        HALL,
        [(GRID_METER, f"ramp_up_max_w_per_s = 1000\n{GRID_METER}")],
        "warning",
        "grid.ramp_up_max_w_per_s: no battery covers it",
    ),
    "battery-small": (
        WET,
        [
            ramps("window_s = 60, up_max_w = 80e3, down_max_w = 80e3"),
            ("r{1..8}", "r{1..30}"),
            ("[[transformer]]", '[[battery]]\nname = "b"\nmodel = "megapack-2h"\nfed_by = "q-pod"\n[[transformer]]'),
        ],
        "warning",
        "batteries charge with at most 1.93 MW, but nodes can drop or rise by 3.06 MW",
    ),
    "battery-room": (
        HALL,
        [ramps("window_s = 60, up_max_w = 200, down_max_w = 200"), BATTERY],
        "warning",
        "control.soc_target: leaves 1.16 MWh to charge, but following",
    ),
    "soc-window": (
        HALL,
        [("[twin]", "[control]\nsoc_min = 0.95\n[twin]")],
        "error",
        "control: soc_min 0.95 is not below",
    ),
    "soc-window, target": (
        HALL,
        [("[twin]", "[control]\nsoc_target = 0.1\n[twin]")],
        "error",
        "soc_target 0.1 is outside",
    ),
    "soc-window, start": (
        HALL,
        [("[twin]", "[twin]\nsoc_start = 0.1")],
        "warning",
        "twin.soc_start: the simulation starts at 0.1",
    ),
    "window-empty": (
        HALL,
        [windows('name = "e", from_time = "16:00", until_time = "16:00"')],
        "error",
        "grid.demand_windows.e: ends when it begins",
    ),
    "window-target": (
        HALL,
        [windows('name = "e", from_time = "16:00", until_time = "18:00", target_w = 50e3')],
        "warning",
        "e: target 50 kW is below the 331 kW",
    ),
    "window-target, above": (
        HALL,
        [windows('name = "e", from_time = "16:00", until_time = "18:00", target_w = 900e3')],
        "warning",
        "e: target 900 kW is above import_max_w",
    ),
    "window-overlap": (
        HALL,
        [
            windows(
                'name = "e", from_time = "16:00", until_time = "21:00"',
                'name = "n", from_time = "20:59", until_time = "05:00"',
            )
        ],
        "warning",
        "n: overlaps 'e'",
    ),
    "limit-dates": (
        HALL,
        [limits('name = "x", from_date = "2026-02-30", import_max_w = 7e5')],
        "error",
        "holds a day that does not exist",
    ),
    "limit-dates, order": (
        HALL,
        [limits('name = "x", from_date = "2027-02-01", until_date = "2027-01-01", import_max_w = 7e5')],
        "error",
        "ends on 2027-01-01, before it begins",
    ),
    "limit-empty": (HALL, [limits('name = "x", days = ["mon"]')], "warning", "x: changes no limit"),
    "limit-empty, above": (
        HALL,
        [limits('name = "x", import_max_w = 9e5')],
        "warning",
        "x: import_max_w of 900 kW is above the feed's own 800 kW",
    ),
    "limit-too-low": (
        HALL,
        [limits('name = "x", import_max_w = 1e5')],
        "warning",
        "x: 100 kW is below the 331 kW",
    ),
    "limit-overlap": (
        HALL,
        [
            limits(
                'name = "x", from_time = "08:00", until_time = "18:00", import_max_w = 7e5',
                'name = "y", from_time = "12:00", until_time = "14:00", import_max_w = 6e5',
            )
        ],
        "warning",
        "y: overlaps 'x'",
    ),
    "limit-gap": (
        HALL,
        [
            limits(
                'name = "x", from_date = "2026-01-01", until_date = "2026-12-31", import_max_w = 7e5',
                'name = "y", from_date = "2027-02-01", until_date = "2027-12-31", import_max_w = 7e5',
            )
        ],
        "warning",
        "y: begins on 2027-02-01, 31 days after 'x' has ended",
    ),
    "limit-gap, hours": (
        HALL,
        [
            limits(
                'name = "x", from_time = "06:00", until_time = "12:00", import_max_w = 7e5',
                'name = "y", from_time = "13:00", until_time = "18:00", import_max_w = 7e5',
            )
        ],
        "warning",
        "y: begins at 13:00, 60 min after 'x' has ended",
    ),
    "clock-change": (
        HALL,
        [windows('name = "night", from_time = "02:30", until_time = "05:00"')],
        "note",
        "02:30 does not exist, or exists twice, .* Europe/Berlin .29 March in 2026",
    ),
    "tenant-overlap": (
        HALL,
        [
            ('[[pod]]\nname = "pod1"', '[[pod]]\nname = "pod1"\ntenant = "x"'),
            (RACK, f'{RACK}\ntenant = "y"'),
        ],
        "error",
        "pod.pod1.rack.r{1..8}: belongs to 'y', but stands in a pod of 'x'",
    ),
    "tenant-overlap, jobs": (
        HALL,
        [
            (
                'load = { kind = "training" }',
                'jobs = [{ name = "one", on = ["pod1/r{1..4}"], load = { kind = "hpl" } }, { name = "two", on = ["pod1/r4"], load = { kind = "idle" }, start_s = 60 }]',
            )
        ],
        "error",
        "twin.jobs.two: runs on pod1/r4 at the same time as 'one'",
    ),
    "no-address": (
        HALL,
        [('[twin]\nload = { kind = "training" }\n', "")],
        "error",
        "pod1/r1/n1 and 31 more: no address for redfish and dcgm",
    ),
    "no-credentials": (
        HALL,
        [
            ('[twin]\nload = { kind = "training" }\n', ""),
            ("count = 4 }", 'count = 4, address = { redfish = "10.1.{rack}.{n}", dcgm = "10.2.{rack}.{n}" } }'),
        ],
        "warning",
        "pod1/r1/n1 and 31 more: names no credentials",
    ),
    "address": (
        HALL,
        [(GRID_METER, 'meter = { name = "meter", model = "grid-meter-sunspec", address = "a b" }\n')],
        "error",
        "meter: 'a b' is no address",
    ),
    "address-twice": (
        HALL,
        [("count = 4 }", 'count = 4, address = { redfish = "10.1.0.{n}", dcgm = "10.2.{rack}.{n}" } }')],
        "error",
        "pod1/r2/n1: has the address 10.1.0.1:443 of pod1/r1/n1",
    ),
    "held-by-control": (HALL, [BATTERY], "note", "q-b.rating_a: may be asked for 1.93 MW, above"),
}  # fmt: skip


@pytest.mark.parametrize("text", [HALL, WET], ids=["hall", "wet"])
def test_a_site_in_order_has_no_finding(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize("name", CASES)
def test_each_rule(name: str) -> None:
    text, changes, level, said = CASES[name]
    found = found_in(changed(text, *changes))
    assert any(re.search(said, line) for line in lines(found, level)), lines(found)
    if name in RULES:
        mine = [finding for finding in found if finding.rule == name]
        assert [f.level for f in mine] == [level] * len(mine)
        assert mine


@pytest.mark.parametrize(
    "name",
    sorted(
        set(CASES)
        - {
            # a site without a plant, battery or adress lacks more than one thing
            "no-address",
            "no-credentials",
            "hot-day",
            "dry coolers too small",
            "voltage-too-high",
            "work-lost transformer",
            "overload",
            "battery-small",
            "cdu-short",
            "cdu-short, one CDU",
            "ups-small",
            "shared-with-chargers",
            "shelves-short, for good",
            "held-by-control",
        }
    ),
)
def test_one_cause_is_one_finding(name: str) -> None:
    text, changes, level, _ = CASES[name]
    found = found_in(changed(text, *changes))
    assert len([f for f in found if f.level == level]) == 1, lines(found)


def test_every_rule_of_the_checks_is_broken_somewhere() -> None:
    """The rest are rules about the text, tried in test_survey, or need the world outside."""
    folder = Path(inspect.getfile(checks)).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    used = {rule for rule in RULES if f'"{rule}"' in code}
    assert used - set(CASES) <= {
        "model-lacks-point",
        "model-lacks-parameter",
        "extra-point",
        "no-cap",
    }


def test_every_rule_has_a_place_in_the_code_and_no_other_exists() -> None:
    modules = (mistakes, tree, devices, build, findings)
    files = [Path(inspect.getfile(module)) for module in modules]
    files += sorted(Path(inspect.getfile(checks)).parent.glob("*.py"))
    source = Path(inspect.getfile(rules)).parents[1]
    files += [
        source / "cli/check.py",
        source / "catalogue/device_models.py",
        source / "catalogue/read.py",
    ]
    files += [source / "site/problems.py"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert [rule for rule in RULES if f'"{rule}"' not in code] == []
    with pytest.raises(ValueError, match="no rule 'made-up'"):
        Finding(level="note", rule="made-up", where="x", text="y")


def test_the_demo_site_has_no_error(demo_site: SiteModel) -> None:
    found = check_site(demo_site)
    assert {finding.level for finding in found} == {"note"}
    assert any(line.startswith("grid.import_max_w: may be asked for") for line in lines(found))


def test_the_large_site_is_checked_too(large_site: SiteModel) -> None:
    found = check_site(large_site)
    assert {finding.level for finding in found} == {"warning", "note"}


def test_a_suggested_line_mends_what_it_is_about() -> None:
    text, changes, _, _ = CASES["work-lost"]
    bad = changed(text, *changes)
    finding = next(f for f in found_in(bad) if f.rule == "work-lost")
    assert finding.suggest == "rating_a = 500"
    better = changed(bad, ('msb1"\nrating_a = 400', f'msb1"\n{finding.suggest}'))
    assert found_in(better) == []


def test_a_larger_transformer_is_suggested() -> None:
    text, changes, _, _ = CASES["work-lost transformer"]
    finding = next(f for f in found_in(changed(text, *changes)) if f.rule == "work-lost")
    assert finding.suggest == "rating_va = 500000"


def test_loads_add_up_the_tree(demo_site: SiteModel) -> None:
    flows = flows_of(demo_site)
    pod, transformer = demo_site.branch_index("q-pod"), demo_site.branch_index("tx1")
    nodes_w, switches_w, cdu_w = 36 * 6667, 18 * 800, 13_000
    computers_w = nodes_w + switches_w
    used, rating_w = computers_w / (16 * 33_000), 16 * 33_000
    loss_w = rating_w * (0.0065 - 0.0044 * used + 0.0342 * used**2)
    assert math.isclose(flows.direct_w[pod], computers_w + loss_w + cdu_w)
    assert flows.share[pod] == flows.share[transformer] == 1.0
    assert flows.others_w[transformer] <= 750e3
    assert flows.least_w[0] < 36 * 1927 + switches_w + cdu_w + 10_000 + 5_000 + 1_600


def test_losses_of_in_line_devices_and_windings_count() -> None:
    site_text = changed(
        HALL,
        ("[[chiller]]", '[[ups]]\nname = "ups1"\nmodel = "ups-500kw"\nfed_by = "q-a"\n[[chiller]]'),
        ('fed_by = ["q-a", "q-b"]', 'fed_by = "ups1"'),
    )
    from tests.site.sites import built

    site = built(site_text)
    flows = flows_of(site)
    load_w, rated_w = 32 * 10_200, 500_000
    used = load_w / rated_w
    ups = site.branch_index("ups1")
    assert math.isclose(
        flows.direct_w[ups], load_w + rated_w * (0.008 + 0.010 * used + 0.018 * used**2)
    )
    winding = site.branch_index("tx1")
    below = flows.direct_w[site.branch_index("msb1")]
    assert math.isclose(
        flows.direct_w[winding] - below, 1e6 * (0.0007 + 0.0075 * (below / 1e6) ** 2)
    )


def test_a_bottleneck_is_told_where_it_is_and_not_above() -> None:
    text = changed(
        HALL, ("rating_a = 800", "rating_a = 400"), ("rating_va = 1000e3", "rating_va = 300e3")
    )
    found = [f for f in found_in(text) if f.rule == "work-lost"]
    assert [f.where for f in found] == ["breaker.q-a.rating_a"]


def test_after_a_loss_everything_hangs_on_the_other_side() -> None:
    from tests.site.sites import built

    site = built(HALL)
    normal = flows_of(site)
    lost = flows_of(site, (site.branch_index("tx1"),))
    a, b = site.branch_index("q-a"), site.branch_index("q-b")
    assert math.isclose(normal.racks_full_w[a], 32 * 10_200)
    assert normal.racks_full_w[b] == 0.0
    assert not lost.alive[a]
    assert math.isclose(lost.racks_full_w[b], 32 * 10_200)
    dark = flows_of(site, (0,))
    assert not dark.alive.any()
    assert dark.racks_full_w.sum() == 0.0


def test_windows_that_touch_do_not_overlap() -> None:
    rows = (
        'name = "e", from_time = "16:00", until_time = "21:00"',
        'name = "n", from_time = "21:00", until_time = "16:00"',
    )
    assert "overlaps" not in str(found_in(changed(HALL, windows(*rows))))


def test_limits_on_different_days_do_not_overlap() -> None:
    rows = (
        'name = "x", days = ["mon", "tue"], import_max_w = 7e5',
        'name = "y", days = ["sat", "sun"], import_max_w = 6e5',
    )
    assert found_in(changed(HALL, limits(*rows))) == []


def test_a_zone_without_clock_changes_has_none() -> None:
    text = changed(
        HALL,
        ("Europe/Berlin", "America/Phoenix"),
        windows('name = "night", from_time = "02:30", until_time = "05:00"'),
    )
    assert found_in(text) == []


def test_a_genset_that_synchronises_may_hang_on_a_board() -> None:
    from dataclasses import replace

    import msgspec

    from mallee.core.device_model import Parameter
    from tests.site.sites import built

    site = built(changed(HALL, *CASES["parallel-sources"][1]))
    assert any(f.rule == "parallel-sources" for f in check_site(site))
    able = Parameter(1.0, "stated", "its controller")
    groups = tuple(
        replace(
            g,
            model=msgspec.structs.replace(
                g.model, physics={**g.model.physics, "synchronises": able}
            ),
        )
        if g.kind == "genset"
        else g
        for g in site.groups
    )
    assert not any(f.rule == "parallel-sources" for f in check_site(replace(site, groups=groups)))


def test_a_real_site_needs_addresses() -> None:
    twin = "[twin]" + DEMO_TWIN
    found = check_site(demo_with((twin, "")))
    errors = lines(found, "error")
    assert "pod1/r1/n01 and 35 more: no address for redfish and dcgm" in errors
    assert "meter: no address for sunspec" in errors
    assert not any(line.startswith("ev1") for line in errors)  # chargers dial in


@pytest.mark.parametrize(
    ("power_w", "text"),
    [(999, "999 W"), (264_123, "264 kW"), (1.93e6, "1.93 MW"), (150e6, "150 MW")],
)
def test_powers_as_people_read_them(power_w: float, text: str) -> None:
    assert watts(power_w) == text


def test_the_page_of_rules_is_the_table(root: Path) -> None:
    page = (root / "docs/check.md").read_text(encoding="utf-8")
    rows = [f"| `{rule}` | {meaning} |" for rule, meaning in RULES.items()]
    assert [row for row in rows if row not in page] == []
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == list(RULES)
