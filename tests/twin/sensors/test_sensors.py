"""Reported values: error, refresh, window, latency, rounding, drop-out, faults, repeatability."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.core.device_model import PointSpec, Sensor
from mallee.site.model import SiteModel
from mallee.twin.sensors import Sensors
from mallee.twin.sensors.defaults import EXACT, SensorSpec, sensor_of
from mallee.twin.sensors.kernels import DROPPED, STUCK

FAST = ("meter", "battery", "charger")


def true_points(site: SiteModel, value: float = 1000.0) -> FloatArray:
    return np.full(site.point_count, value)


def run(
    site: SiteModel, sensors: Sensors, seconds: int, values: FloatArray, start_s: int = 0
) -> FloatArray:
    reported = np.full(site.point_count, np.nan)
    for step in range(start_s * 10, (start_s + seconds) * 10 + 1):
        sensors.update(step * 100, values, reported)
    return reported


def with_sensor(site: SiteModel, kind: str, point: str, sensor: Sensor) -> SiteModel:
    """The same site with another sensor in one model."""
    groups = []
    for group in site.groups:
        if group.kind == kind:
            points = [
                msgspec.structs.replace(spec, sensor=sensor) if spec.name == point else spec
                for spec in group.model.point
            ]
            model = msgspec.structs.replace(group.model, point=points)
            values = {name: getattr(group, name) for name in group.__slots__}
            groups.append(type(group)(**(values | {"model": model})))
        else:
            groups.append(group)
    return replace(site, groups=tuple(groups))


def test_gpu_gain_errors_span_the_published_five_percent(demo_site: SiteModel) -> None:
    reported = run(demo_site, Sensors(demo_site, 1, FAST), 1, true_points(demo_site))
    rows = np.concatenate([demo_site.rows("node", f"gpu{n}_power_w") for n in range(4)])
    errors = reported[rows] / 1000.0 - 1.0
    assert np.abs(errors).max() <= 0.05
    assert errors.std() == pytest.approx(0.05 / np.sqrt(3.0), rel=0.25)
    assert abs(errors.mean()) < 0.01


def test_energy_counter_and_power_share_their_error(demo_site: SiteModel) -> None:
    reported = run(demo_site, Sensors(demo_site, 1, FAST), 1, true_points(demo_site))
    power = reported[demo_site.rows("node", "gpu2_power_w")]
    energy = reported[demo_site.rows("node", "gpu2_energy_wh")]
    assert energy == pytest.approx(power, abs=0.001)
    other = reported[demo_site.rows("node", "gpu3_power_w")]
    assert np.abs(power - other).max() > 1.0


def test_set_points_and_counters_are_exact(demo_site: SiteModel) -> None:
    reported = run(demo_site, Sensors(demo_site, 1, FAST), 1, true_points(demo_site, 1234.5678))
    for kind, point in (("node", "cap_w"), ("battery", "mode"), ("cdu", "leak_count")):
        assert (reported[demo_site.rows(kind, point)] == 1234.5678).all()


def test_meter_is_of_class_0_2(demo_site: SiteModel) -> None:
    row = demo_site.rows("meter", "import_w")[0]
    readings = [
        run(demo_site, Sensors(demo_site, seed, FAST), 0, true_points(demo_site, 4e5))[row]
        for seed in range(40)
    ]
    assert np.abs(np.array(readings) / 4e5 - 1.0).max() < 0.003
    assert np.std(readings) > 100.0


def test_fast_rows_follow_each_100_ms_and_slow_rows_each_second(demo_site: SiteModel) -> None:
    sensors, reported = Sensors(demo_site, 1, FAST), np.full(demo_site.point_count, np.nan)
    sensors.update(0, true_points(demo_site, 1e5), reported)
    before = reported.copy()
    sensors.update(100, true_points(demo_site, 2e5), reported)
    meter, node = demo_site.rows("meter", "import_w"), demo_site.rows("node", "power_w")
    assert reported[meter] == pytest.approx(2e5, rel=0.01)
    assert np.array_equal(reported[node], before[node])
    for step in range(2, 11):
        sensors.update(step * 100, true_points(demo_site, 2e5), reported)
    assert reported[node] == pytest.approx(2e5, rel=0.03)


def test_charger_power_is_averaged_and_refreshed_each_second(demo_site: SiteModel) -> None:
    sensors, reported = Sensors(demo_site, 1, FAST), np.full(demo_site.point_count, np.nan)
    rows = demo_site.rows("charger", "power_w")
    sensors.update(0, true_points(demo_site, 0.0), reported)
    seen = []
    for step in range(1, 21):
        sensors.update(step * 100, true_points(demo_site, 1e5), reported)
        seen.append(reported[rows][0])
    assert seen[:9] == [0.0] * 9
    assert seen[9] == pytest.approx(0.87e5, rel=0.02)  # a 1 s window after a step
    assert seen[10:19] == [seen[9]] * 9
    assert seen[19] > 0.97e5


def test_rounding_latency_and_drop_out_come_from_the_catalogue(demo_site: SiteModel) -> None:
    own = Sensor(gain_frac=0.0, noise_frac=0.0, quantum=50.0, latency_s=0.3)
    site = with_sensor(demo_site, "meter", "import_w", own)
    sensors, reported = Sensors(site, 1, FAST), np.full(site.point_count, np.nan)
    row, seen = site.rows("meter", "import_w")[0], []
    for step in range(8):
        sensors.update(step * 100, true_points(site, 110.0 * step), reported)
        seen.append(reported[row])
    assert np.isnan(seen[:3]).all()
    assert seen[3:] == [0.0, 100.0, 200.0, 350.0, 450.0]
    site = with_sensor(demo_site, "meter", "import_w", Sensor(dropout_frac=0.3))
    sensors = Sensors(site, 5, FAST)
    missing = 0
    for step in range(1000):
        sensors.update(step * 100, true_points(site), reported)
        missing += int(np.isnan(reported[row]))
    assert 230 < missing < 370


def test_missing_truth_is_missing_report(demo_site: SiteModel) -> None:
    sensors, values = Sensors(demo_site, 1, FAST), true_points(demo_site)
    row = demo_site.rows("node", "power_w")[0]
    values[row] = np.nan
    reported = run(demo_site, sensors, 1, values)
    assert np.isnan(reported[row])
    assert np.isfinite(np.delete(reported, row)).all()
    values[row] = 500.0
    assert run(demo_site, sensors, 1, values, 2)[row] == pytest.approx(500.0, rel=0.03)


def test_faults_stick_drop_scale_and_mend(demo_site: SiteModel) -> None:
    sensors, reported = Sensors(demo_site, 1, FAST), np.full(demo_site.point_count, np.nan)
    stuck, dropped, scaled = (
        demo_site.rows("meter", n)[:1] for n in ("import_w", "voltage_v", "current_a")
    )
    sensors.update(0, true_points(demo_site), reported)
    first = reported.copy()
    sensors.set_fault(stuck, mode=STUCK)
    sensors.set_fault(dropped, mode=DROPPED)
    sensors.set_fault(scaled, factor=-10.0, offset=3.0)
    sensors.update(100, true_points(demo_site, 2000.0), reported)
    assert np.array_equal(reported[stuck], first[stuck])
    assert np.isnan(reported[dropped]).all()
    assert reported[scaled] == pytest.approx(-20.0 * first[scaled] + 3.0, abs=0.2)
    for rows in (stuck, dropped, scaled):
        sensors.set_fault(rows)
    sensors.update(200, true_points(demo_site, 2000.0), reported)
    for rows in (stuck, dropped, scaled):
        assert reported[rows] == pytest.approx(2000.0, rel=0.005)


def test_same_seed_same_reports_and_restore_continues(demo_site: SiteModel) -> None:
    values = np.random.default_rng(3).uniform(10.0, 1e5, demo_site.point_count)
    first, second = Sensors(demo_site, 7, FAST), Sensors(demo_site, 7, FAST)
    assert np.array_equal(run(demo_site, first, 3, values), run(demo_site, second, 3, values))
    third = Sensors(demo_site, 7, FAST)
    third.restore(first.save())
    a, b = run(demo_site, first, 2, values, 4), run(demo_site, third, 2, values, 4)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, run(demo_site, Sensors(demo_site, 8, FAST), 2, values, 4))


def test_catalogue_overrides_only_what_it_names(demo_site: SiteModel) -> None:
    (group,) = demo_site.groups_of("battery")
    point = PointSpec(name="charge_w", protocol="sunspec", sensor=Sensor(quantum=500.0))
    spec = sensor_of(group.model, point)
    assert spec == SensorSpec(window_s=0.1, refresh_s=0.1, gain_frac=0.005, quantum=500.0)
    assert sensor_of(group.model, PointSpec(name="mode", access="readwrite")) is EXACT
