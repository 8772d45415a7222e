"""What batteries are told: settings at the meter, set points, the state of charge."""

from dataclasses import replace as dataclass_replace
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from mallee.control.battery import (
    Override,
    battery_commands,
    heartbeats,
    safe_battery_commands,
    set_point_w,
    supervise,
)
from mallee.control.scene import Scene
from mallee.control.soc import Recovery, keep_recovery, next_recovery
from mallee.control.trust import Trust
from tests.control.scene_of import scene_of, state_of
from tests.control.site_view import SiteView

SITE = SiteView().site
STEP_W = 0.02 * 588e3
"""Largest change of the charge bias in a second."""


@pytest.fixture
def view() -> SiteView:
    """A site at rest, its battery set as it should be."""
    view = SiteView(SITE)
    view.set(import_w=200e3)
    return view


def remembering(scene: Scene, **changes: Any) -> Scene:
    return dataclass_replace(scene, state=replace(scene.state, **changes))


def asked(
    view: SiteView, scene: Scene, *, overridden: bool = False, import_w: float = 588e3
) -> dict[str, tuple[float, float]]:
    """What would be written: value and lease by point of the battery."""
    commands = battery_commands(
        scene, scene.snapshot, overridden=overridden, import_w=import_w, reason="a test"
    )
    return {
        view.site.point_path(row).removeprefix("bess1/"): (value, command.lease_s)
        for command in commands
        for row, value in zip(command.rows.tolist(), command.values.tolist(), strict=True)
    }


# Its own mode


def test_its_own_mode_is_set_by_the_contract(view: SiteView) -> None:
    """0.95 of the ramps; the limit in force; every setting with a lease, the mode last."""
    written = asked(view, scene_of(view))
    assert written == {
        "filter_import_max_w": (588e3, 60.0),
        "filter_ramp_up_w_per_s": (950.0, 60.0),
        "filter_ramp_down_w_per_s": (950.0, 60.0),
        "filter_time_s": (20.0, 60.0),
        "mode": (2.0, 60.0),
    }
    assert list(written)[-1] == "mode"


def test_settings_that_stand_are_not_written_again(view: SiteView) -> None:
    for point, (value, _) in asked(view, scene_of(view)).items():
        view.battery(point, value)
    assert asked(view, scene_of(view)) == {}
    view.battery("filter_import_max_w", 588e3 * 1.009)
    assert asked(view, scene_of(view)) == {}, "a register has a resolution"
    view.battery("filter_import_max_w", 588e3 * 1.011)
    assert asked(view, scene_of(view)) == {"filter_import_max_w": (588e3, 60.0)}
    view.battery("filter_import_max_w", np.nan)
    assert asked(view, scene_of(view)) == {}, "what cannot be read is not known to differ"


def test_the_bias_goes_with_the_settings(view: SiteView) -> None:
    scene = remembering(scene_of(view), charge_bias_w=40e3)
    assert asked(view, scene)["filter_charge_bias_w"] == (40e3, 60.0)


def test_in_the_safe_state_it_keeps_the_contract_without_bias(view: SiteView) -> None:
    view.battery("filter_charge_bias_w", 25e3)
    view.battery("filter_import_max_w", 300e3)
    commands = safe_battery_commands(view.snapshot(0.0), view.limits, "safe")
    values = {
        view.site.point_path(row): value
        for command in commands
        for row, value in zip(command.rows.tolist(), command.values.tolist(), strict=True)
    }
    assert values["bess1/filter_charge_bias_w"] == 0.0
    assert values["bess1/filter_import_max_w"] == pytest.approx(588e3)


def test_heartbeats_count_and_start_over(view: SiteView) -> None:
    for count, value in ((10, 10.0), (65536 + 7, 7.0)):
        (beat,) = heartbeats(view.limits, count)
        assert beat.values.tolist() == [value]
        assert view.site.point_path(int(beat.rows[0])) == "bess1/heartbeat_count"


# Overriding it


def over(view: SiteView, **changes: Any) -> Scene:
    """Import of 620 kW, 32 above what control aims at, with a battery that could do more."""
    view.set(import_w=620e3, charge_w=-100e3, chargers_w=(300e3, 200e3))
    scene = scene_of(view)
    return remembering(scene, **{"trusts": (Trust(),), **changes})


def test_a_mode_that_lets_import_stand_above_the_limit_is_overridden_after_two_seconds(
    view: SiteView,
) -> None:
    scene = over(view)
    assert supervise(scene) == Override(active=False, since_s=600.0)
    early = remembering(scene, filter_override_since_s=598.1)
    assert supervise(early) == Override(active=False, since_s=598.1)
    late = remembering(scene, filter_override_since_s=598.0)
    assert supervise(late) == Override(active=True, since_s=598.0)


def test_one_per_cent_above_is_not_above(view: SiteView) -> None:
    view.set(import_w=593.8e3, charge_w=-100e3, chargers_w=(300e3, 200e3))
    scene = remembering(scene_of(view), filter_override_since_s=0.0)
    assert supervise(scene) == Override(active=False, since_s=None)


def test_a_battery_that_cannot_do_more_is_not_overridden(view: SiteView) -> None:
    doubted = over(view, trusts=(Trust(proven_w=1e5, failures=1),), filter_override_since_s=0.0)
    assert not supervise(doubted).active
    full = dataclass_replace(over(view, filter_override_since_s=0.0), support_w=[102e3])
    assert not supervise(full).active, "0.98 of what it can do"
    assert supervise(dataclass_replace(full, support_w=[103e3])).active


def test_control_hands_back_after_twenty_seconds_below(view: SiteView) -> None:
    held = {"filter_overridden": True}
    assert supervise(over(view, **held)) == Override(active=True, since_s=None)
    view.set(import_w=560e3, charge_w=-160e3, chargers_w=(300e3, 200e3))
    well = remembering(scene_of(view), filter_overridden=True)
    assert supervise(well) == Override(active=True, since_s=600.0)
    assert supervise(remembering(well, filter_override_since_s=580.1)).active
    assert not supervise(remembering(well, filter_override_since_s=580.0)).active


# Set points


def test_a_set_point_discharges_what_stands_above_the_bound(view: SiteView) -> None:
    """C12: loads of 720 kW, a bound of 588 kW: 132 kW out, negative, with a lease of 5 s."""
    scene = over(view, load_mean_w=700e3)
    assert set_point_w(scene, 0, 588e3) == pytest.approx(-132e3)
    assert set_point_w(remembering(scene, load_mean_w=750e3), 0, 588e3) == pytest.approx(-162e3)
    written = asked(view, scene, overridden=True)
    assert written == {"charge_set_w": (pytest.approx(-132e3), 5.0), "mode": (1.0, 5.0)}


def test_a_set_point_gives_no_more_than_batteries_can_and_never_exports(view: SiteView) -> None:
    scene = over(view, load_mean_w=700e3)
    assert set_point_w(dataclass_replace(scene, support_w=[50e3]), 0, 588e3) == -50e3
    falling = dataclass_replace(scene, load_w=30e3)
    assert set_point_w(falling, 0, 588e3) == -30e3, "the load is gone; its mean is not"
    assert set_point_w(dataclass_replace(scene, support_w=[0.0]), 0, 588e3) == 0.0


def test_below_the_bound_a_set_point_follows_the_state_of_charge(view: SiteView) -> None:
    scene = remembering(scene_of(view), charge_bias_w=40e3, load_mean_w=200e3)
    assert set_point_w(scene, 0, 588e3) == 40e3
    assert set_point_w(scene, 0, 220e3) == pytest.approx(20e3), "the room that is left"
    giving = remembering(scene, charge_bias_w=-40e3)
    assert set_point_w(giving, 0, 588e3) == -40e3


# State of charge


def recovered(view: SiteView, *, planned_w: float | None = None, **memory: Any) -> Recovery:
    state = state_of(view, **memory)
    return next_recovery(scene_of(view, state=state), planned_w)


def test_recovery_starts_five_points_off_and_ends_at_one(view: SiteView) -> None:
    for soc, under_way, expected in (
        (0.551, False, False), (0.549, False, True), (0.589, True, True), (0.591, True, False),
        (0.649, False, False), (0.651, False, True),
    ):  # fmt: skip
        view.battery("soc", soc)
        assert recovered(view, soc_recovering=under_way).recovering is expected


def test_the_bias_makes_good_what_is_missing_in_two_hours(view: SiteView) -> None:
    """(0.05 + 0.05 / 1800) of 3.85 MWh in 2 h, reached by 2 % of the limit a second."""
    view.battery("soc", 0.55)
    first = recovered(view, soc_recovering=True)
    assert first.bias_w == pytest.approx(STEP_W)
    assert first.integral == pytest.approx(0.05 / 1800.0)
    wanted_w = (0.05 + 0.05 / 1800.0) * 3.85e6 / 2.0
    settled = recovered(view, soc_recovering=True, charge_bias_w=wanted_w)
    assert settled.bias_w == pytest.approx(wanted_w)
    later = recovered(view, soc_recovering=True, soc_integral=0.02, charge_bias_w=130e3)
    assert later.bias_w == pytest.approx((0.07 + 0.05 / 1800.0) * 3.85e6 / 2.0)


def test_a_full_battery_is_discharged(view: SiteView) -> None:
    view.battery("soc", 0.7)
    found = recovered(view, soc_recovering=True)
    assert found.bias_w == pytest.approx(-STEP_W)
    assert found.integral == pytest.approx(-0.1 / 1800.0)


def test_charging_ends_at_the_room_under_the_limit_without_winding_up(view: SiteView) -> None:
    """C2: 8 kW of room; what the battery takes already is part of it."""
    view.battery("soc", 0.3)
    view.set(import_w=580e3, charge_w=30e3, chargers_w=(300e3, 50e3))
    found = recovered(view, soc_recovering=True, charge_bias_w=30e3, soc_integral=0.1)
    assert found.bias_w == pytest.approx(38e3)
    assert found.integral == 0.1
    view.set(import_w=620e3, charge_w=0.0, chargers_w=(300e3, 120e3))
    assert recovered(view, soc_recovering=True).bias_w == 0.0


def test_a_plan_is_followed_inside_the_window(view: SiteView) -> None:
    assert recovered(view, planned_w=9e3).bias_w == 9e3
    assert recovered(view, planned_w=-9e3) == Recovery(-9e3, 0.0, recovering=False)
    view.battery("soc", 0.9)
    assert recovered(view, planned_w=9e3).bias_w == pytest.approx(-STEP_W), "full: it is not"
    assert recovered(view, planned_w=-9e3).bias_w == -9e3
    view.battery("soc", 0.2)
    assert recovered(view, planned_w=-9e3).bias_w == pytest.approx(STEP_W), "empty: it is not"


def test_without_a_battery_in_sight_nothing_is_asked(view: SiteView) -> None:
    view.lose("bess1/charge_w")
    assert recovered(view, charge_bias_w=9e3) == Recovery(0.0, 0.0, recovering=False)


def test_between_two_decisions_the_bias_stands(view: SiteView) -> None:
    scene = remembering(scene_of(view), charge_bias_w=9e3, soc_integral=0.02, soc_recovering=True)
    assert keep_recovery(scene) == Recovery(9e3, 0.02, recovering=True)
