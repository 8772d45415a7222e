"""Fault plans: what is wrong with one is said before the run; swarms repeat."""

from pathlib import Path

import pytest

from mallee.core.errors import ConfigError
from mallee.site.model import SiteModel
from mallee.twin.faults import KINDS, FaultEvent, FaultPlan
from mallee.twin.faults.registry import describe_kinds
from mallee.twin.faults.targets import Targets

GOOD = """
[[fault]]
at_s = 10
target = "bess1"
kind = "battery-trip"
until_s = 20

[[fault]]
at_s = 5.02
target = "pod1/cdu1"
kind = "pump-trip"
parameters = { pump = 1 }

[[fault]]
at_s = 30
target = "meter/import_w"
kind = "sensor-scaled"
parameters = { factor = 1000 }
"""


def plan_of(text: str, site: SiteModel, tmp_path: Path) -> FaultPlan:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    return FaultPlan.from_toml(path, site)


def test_reads_a_plan(demo_site: SiteModel, tmp_path: Path) -> None:
    plan = plan_of(GOOD, demo_site, tmp_path)
    pairs = plan.resolve(demo_site)
    assert [kind.name for kind, _ in pairs] == ["pump-trip", "battery-trip", "sensor-scaled"]
    first = pairs[0][1]
    assert (first.start_ms, first.values["pump"]) == (5020, 1.0)
    assert pairs[2][1].target.rows.tolist() == [demo_site.find_point("meter/import_w")]


@pytest.mark.parametrize(
    ("change", "where", "hint"),
    [
        (('"battery-trip"', '"batery-trip"'), r"fault\[0\]\.kind", "battery-trip"),
        (('"bess1"', '"bes1"'), r"fault\[0\]\.target", "bess1"),
        (('"bess1"', '"pod1/cdu1"'), r"fault\[0\]\.target.*is a cdu.*needs a battery", ""),
        (("pump = 1", "pmup = 1"), r"fault\[1\]\.parameters\.pmup", "pump"),
        (("pump = 1", "pump = 7"), r"fault\[1\]\.parameters\.pump: is 7", "0 to 2"),
        (("pump = 1", "pump = true"), r"fault\[1\]\.parameters\.pump", "not a number"),
        (("until_s = 20", "until_s = 9"), r"fault\[0\]\.until_s", "not after"),
        (("until_s = 20", "until = 20"), r"fault\[0\]\.until", "until_s"),
        (("at_s = 10", "at_s = -1"), r"fault\[0\]\.at_s", ">= 0"),
        (("at_s = 10", ""), r"fault\[0\]", "has no at_s"),
        (("import_w", "import_kw"), r"fault\[2\]\.target", "import_w"),
        (("[[fault]]\nat_s = 10", "[[faults]]\nat_s = 10"), "faults", "fault"),
        (("at_s = 10", "at_s = ="), "is not valid TOML", ""),
    ],
)
def test_wrong_plans_name_the_place_and_what_would_be_right(
    demo_site: SiteModel, tmp_path: Path, change: tuple[str, str], where: str, hint: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(ConfigError, match=where) as caught:
        plan_of(GOOD.replace(*change, 1), demo_site, tmp_path)
    assert hint in str(caught.value)


def test_unreadable_plan(demo_site: SiteModel, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        FaultPlan.from_toml(tmp_path / "none.toml", demo_site)


def test_patterns_hit_several_targets(demo_site: SiteModel) -> None:
    def hits(target: str, kind: str) -> int:
        return len(FaultPlan([FaultEvent(at_s=0, target=target, kind=kind)]).resolve(demo_site))

    assert hits("pod1/r1/n*", "comms-silent") == 18
    assert hits("pod1/r?/n01*", "comms-silent") == 2
    assert hits("*/gpu0_power_w", "sensor-stuck") == 36
    assert hits("pod1/r*", "air-lock") == 2
    with pytest.raises(ConfigError, match="no rack"):
        hits("pod9/*", "air-lock")


def test_there_are_enough_kinds_and_all_are_sound() -> None:
    assert len(KINDS) >= 30
    assert len({kind.family for kind in KINDS.values()}) == 10
    for kind in KINDS.values():
        assert kind.text.endswith(".")
        for parameter in kind.parameters:
            assert parameter.low <= parameter.default <= parameter.high
    assert describe_kinds().count("\n") == len(KINDS) + 2


def test_every_kind_has_targets_of_a_known_sort(
    demo_site: SiteModel, large_site: SiteModel
) -> None:
    without = {
        kind.name
        for kind in KINDS.values()
        if not any(Targets(demo_site).names(target) for target in kind.targets)
    }
    absent = {
        "ups", "pdu", "genset", "solar", "switch_over", "tie", "chiller", "dry_cooler",
        "air_handler", "pump",
    }  # fmt: skip
    assert without == {kind.name for kind in KINDS.values() if set(kind.targets) <= absent}
    assert {"ups-locked", "ats-stuck", "genset-trip", "chiller-trip"} <= without
    assert Targets(large_site).make("node", 16775).name == "hall4/r233/n18"


def test_swarms_repeat_and_differ(demo_site: SiteModel) -> None:
    first = FaultPlan.swarm(demo_site, 3, 600.0, 5.0)
    assert first == FaultPlan.swarm(demo_site, 3, 600.0, 5.0)
    assert first.events != FaultPlan.swarm(demo_site, 4, 600.0, 5.0).events
    first.resolve(demo_site)


def test_swarms_switch_families_off_and_leave_time_to_recover(demo_site: SiteModel) -> None:
    seen: list[int] = []
    for seed in range(30):
        events = FaultPlan.swarm(demo_site, seed, 600.0, 5.0).events
        assert all(event.until_s <= 0.8 * 600.0 + 0.2 for event in events)
        seen.append(len({KINDS[event.kind].family for event in events}))
    assert min(seen) <= 2
    assert max(seen) >= 6
    assert all(count < 9 for count in seen) or seen.count(9) < 3


def test_the_manual_lists_all_kinds(root: Path) -> None:
    text = (root / "docs/faults.md").read_text(encoding="utf-8")
    assert describe_kinds() in text, "paste describe_kinds() into docs/faults.md"


def test_the_example_plan_fits_the_example_site(demo_site: SiteModel, root: Path) -> None:
    plan = FaultPlan.from_toml(root / "examples/faults/hard-afternoon.toml", demo_site)
    assert len(plan.events) == 9
