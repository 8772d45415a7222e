"""The energy planner in virtual time: the twin, not the model, says what came of a plan."""

from pathlib import Path

import pytest

from mallee.catalogue import load_site
from mallee.core.errors import ConfigError
from mallee.core.plan import Plan, PlanStep, charge_at
from mallee.optimize.site_planner import SitePlanner, planner_of
from mallee.simulation.run import simulate

pytestmark = pytest.mark.slow

TARIFF = """
name = "t"
[[energy]]
name = "dear now"
usd_per_mwh = 400
from_time = "18:00"
until_time = "19:00"
[[energy]]
name = "cheap later"
usd_per_mwh = 20
from_time = "19:00"
until_time = "18:00"
[[demand]]
name = "month"
usd_per_w_month = 5e-3
"""


@pytest.fixture
def planned(tmp_path: Path, root: Path) -> SitePlanner:
    """The demo site with a tariff that is dear in the simulated hour and cheap after it."""
    text = (root / "examples/sites/charging-site.toml").read_text(encoding="utf-8")
    cut = text.index("[control]")
    site = tmp_path / "site.toml"
    site.write_text(
        text[:cut] + '[energy]\ntariff = "tariff.toml"\n\n' + text[cut:], encoding="utf-8"
    )
    (tmp_path / "tariff.toml").write_text(TARIFF, encoding="utf-8")
    planner = planner_of(load_site(site), tmp_path)
    assert planner is not None
    return planner


def test_a_plan_is_followed_and_the_null_case_is_dearer(planned: SitePlanner) -> None:
    run = simulate(planned.site, duration_s=660, seed=3, planner=planned.step)
    null = simulate(planned.site, duration_s=660, seed=3)
    assert planned.made == 3  # at once, and at each five minutes of the clock
    assert planned.lost == 0
    assert planned.schedule is not None
    assert planned.schedule.good
    limit_w = planned.site.grid.import_max_w
    assert run.series["grid_w"].max() <= limit_w
    late = slice(400, 660)
    discharged = -run.series["battery_charge_w"][late].mean()
    assert discharged > 0.3 * run.series["load_w"][late].mean()  # dear energy comes from the store
    assert run.series["grid_w"][late].mean() < 0.7 * null.series["grid_w"][late].mean()
    again = simulate(planned.site, duration_s=60, seed=3)
    assert again.sha256 == simulate(planned.site, duration_s=60, seed=3, planner=None).sha256


def test_without_tariff_there_is_no_planner(root: Path, tmp_path: Path) -> None:
    site = load_site(root / "examples/sites/charging-site.toml")
    assert planner_of(site, tmp_path) is None


def test_prices_that_do_not_fit_are_told(planned: SitePlanner, tmp_path: Path) -> None:
    text = TARIFF.replace("usd_per_mwh = 20", 'market = "da"')
    (tmp_path / "tariff.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no column 'da'"):
        planner_of(planned.site, tmp_path)


def test_the_first_plan_that_says_so_sets_the_charge() -> None:
    def of(charge_w: float | None) -> Plan:
        step = PlanStep(from_s=0.0, until_s=10.0, charge_w=charge_w)
        return Plan(source="s", generation=1, made_s=0.0, valid_until_s=5.0, steps=(step,))

    assert charge_at((of(None), of(-3.0), of(4.0)), 1.0) == -3.0
    assert charge_at((of(-3.0),), 6.0) is None  # lapsed
