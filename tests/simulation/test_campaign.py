"""The campaign: worlds repeat from their seed, each check sees what it is for, failures shrink."""

from copy import copy
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mallee.core.event import Event
from mallee.core.event_kinds import new_event
from mallee.simulation.baselines import CONTROLS
from mallee.simulation.campaign.checks import CHECKS, Observed, Seen, longest_s
from mallee.simulation.campaign.runner import Outcome, counts_of, keep_world, run_world, shrink
from mallee.simulation.campaign.world import Fault, World, draw_world, plan_of, site_of
from mallee.simulation.figures import figures_of
from mallee.simulation.oracle import forced_loss
from mallee.simulation.run import Simulation, simulate
from mallee.site.file import Control
from mallee.site.model import SiteModel

DEMO = Path(__file__).parents[2] / "examples/sites/charging-site.toml"
WORLDS = sorted((Path(__file__).parent / "worlds").glob("*.json"))


@pytest.fixture(scope="module")
def calm(demo_site: SiteModel) -> Simulation:
    """A minute without anything."""
    return simulate(demo_site, duration_s=60)


def world(**changes: object) -> World:
    values: dict[str, object] = {
        "seed": 1, "site": str(DEMO), "duration_s": 60, "ambient_degc": 22.0, "load_share": 0.6,
        "battery_delay_s": 0.02,
    }  # fmt: skip
    return World(**(values | changes))  # type: ignore[arg-type]


def broken(run: Simulation, observed: Observed | None = None, **changes: object) -> set[str]:
    """Names of the checks that a run breaks."""
    figures = figures_of(run) | (changes.pop("figures", None) or {})  # type: ignore[operator]
    seen = Seen(world(**changes), run, figures, observed or Observed())
    return {check.name for check in CHECKS if check.measure(seen) > 0.0}


def with_column(run: Simulation, *events: Event, **columns: float) -> Simulation:
    """A run whose record says something else in its last half."""
    record = copy(run.record)
    record.series = {name: column.copy() for name, column in run.series.items()}
    for name, value in columns.items():
        record.series[name][30:] = value
    return replace(run, record=record, events=events)


def test_a_seed_is_a_world_and_a_world_is_a_file() -> None:
    drawn = [draw_world(seed, [DEMO], [], 120) for seed in range(40)]
    assert drawn == [draw_world(seed, [DEMO], [], 120) for seed in range(40)]
    assert len({one.load_share for one in drawn}) == 40
    assert {one.is_broken for one in drawn} == {True, False}
    assert [msgspec.json.decode(msgspec.json.encode(one), type=World) for one in drawn] == drawn


def test_the_site_of_a_world_has_its_limit_weather_and_ramp() -> None:
    tight = site_of(world(load_share=0.98, ambient_degc=40.0))
    easy = site_of(world(load_share=0.49))
    assert easy.grid.import_max_w == pytest.approx(2.0 * tight.grid.import_max_w)
    assert tight.grid.ramp_up_w_per_s == pytest.approx(tight.grid.contracted_w / 600.0)
    assert tight.file.twin is not None
    assert tight.file.twin.ambient_degc == 40.0
    delayed = plan_of(world(battery_delay_s=0.25), tight).events[-1]
    assert (delayed.kind, delayed.parameters["delay_s"]) == ("battery-slow", 0.25)


def test_a_calm_run_breaks_nothing(calm: Simulation) -> None:
    assert broken(calm) == set()


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"grid_w": 700e3}, "over_5s"),
        ({"grid_w": -50e3}, "export_5s"),
        ({"grid_w": 400e3}, "ramp"),
        ({"soc": 0.1}, "soc_window_breaks"),
        ({"soc": 0.95}, "soc_window_breaks"),
        ({"gpu_max_degc": 99.0}, "die"),
    ],
)
def test_each_check_sees_what_it_is_for(
    columns: dict[str, float], name: str, calm: Simulation
) -> None:
    assert name in broken(with_column(calm, **columns))


def test_checks_of_events_and_commands(calm: Simulation) -> None:
    trip = new_event("breaker-trip", 30.0, "q-pod", why="opened by long time")
    clip = new_event("command-clipped", 30.0, "guard", count=1, why="x")
    over = new_event("import-over-limit", 30.0, "control", import_kw=700.0, limit_kw=600.0)
    capped = new_event("nodes-capped", 30.0, "control", why="capped at 1 kW")
    assert broken(with_column(calm, trip)) == {"trips"}
    assert broken(with_column(calm, clip)) == {"clipped"}
    assert broken(with_column(calm, over)) == {"untrue_events"}
    assert broken(with_column(calm, capped)) == {"untrue_events"}
    assert broken(with_column(calm, trip), faults=[weak()]) == set()
    assert broken(calm, Observed(hot_spot_degc=150.0)) == {"hot_spot"}
    assert broken(calm, Observed(turns={7: 3})) == {"chatter"}
    assert broken(calm, Observed(turns={7: 1})) == set()


def weak() -> Fault:
    return Fault(at_s=1.0, target="q-pod", kind="breaker-weak", until_s=50.0)


def test_work_lost_to_caps_is_held_against_what_had_to_be(calm: Simulation) -> None:
    lost = {"throughput_lost_caps": 0.3}
    assert broken(calm, figures=lost) == {"work_lost_beyond"}
    # With 600 kW for pods that want 1.6 MW, and a battery at its floor, it had to be.
    file = msgspec.structs.replace(calm.site.file, control=Control(soc_min=0.6, soc_target=0.6))
    tight = replace(calm, site=replace(calm.site, file=file))
    assert forced_loss(calm) == 0.0
    poor = with_column(tight, pods_w=3e6)
    assert 0.2 < forced_loss(poor) < 1.0
    assert "work_lost_beyond" not in broken(poor, figures={"throughput_lost_caps": 0.2})


def test_trouble_after_the_last_fault_counts(calm: Simulation) -> None:
    late = with_column(calm, grid_w=700e3)
    over_early = Fault(at_s=1.0, target="bess1", kind="battery-trip", until_s=5.0)
    assert "not_recovered" in broken(late, faults=[over_early])
    still_on = Fault(at_s=1.0, target="bess1", kind="battery-trip")
    assert "not_recovered" not in broken(late, faults=[still_on])


def test_longest_stretch() -> None:
    assert longest_s(np.array([True, True, False, True])) == 2.0
    assert longest_s(np.zeros(3, bool)) == 0.0


def test_a_failing_world_shrinks_to_what_matters(tmp_path: Path) -> None:
    faults = [
        Fault(at_s=float(10 * n), target="bess1", kind="battery-trip", until_s=10.0 * n + 5.0)
        for n in range(1, 6)
    ]
    failing = Outcome(world=world(duration_s=480, faults=faults), broken={"over_5s": 9.0})
    small = shrink(failing, broke=lambda one: faults[2] in one.faults)
    assert small.faults == [faults[2]]
    assert small.duration_s == 36
    path = keep_world(tmp_path, "late-trip", small, ["over_5s"])
    kept = msgspec.json.decode(path.read_bytes(), type=World)
    assert kept.expects == ["over_5s"]


def test_a_world_that_crashes_is_an_outcome() -> None:
    outcome = run_world(world(faults=[Fault(at_s=1.0, target="nobody", kind="battery-trip")]))
    assert "nobody" in outcome.crash
    assert counts_of([outcome])["crashes"] == 1


def test_every_rule_can_decide(demo_site: SiteModel) -> None:
    """Each runs, asks only what devices accept, and none of them is the product."""
    for name in CONTROLS:
        run = simulate(demo_site, duration_s=6, control=name)
        assert [event.kind for event in run.events] == [], name


def test_a_battery_that_stands_by_lets_the_swing_through(demo_site: SiteModel) -> None:
    """The null case that shows who does the work: without the filter the ramp is broken."""
    swings = {}
    for name in ("auto", "battery", "dynamo"):
        run = simulate(demo_site, duration_s=40, control=name)
        swings[name] = float(np.ptp(run.grid_20ms_w[1000:]))
    assert swings["dynamo"] > 2.0 * swings["battery"]
    assert swings["auto"] < 2.0 * swings["battery"]


@pytest.mark.slow
@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_kept_worlds_hold(path: Path, root: Path) -> None:
    kept = msgspec.json.decode(path.read_bytes(), type=World)
    kept = msgspec.structs.replace(kept, site=str(root / kept.site))
    outcome = run_world(kept)
    assert not outcome.crash
    assert not set(outcome.broken) & set(kept.expects), outcome.broken
