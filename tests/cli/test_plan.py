"""`mallee plan show` and `why` on an outlook by hand."""

import importlib
import json
import time
from types import SimpleNamespace

import pytest

from mallee.core.outlook import Ahead, ForecastScore, Month, MonthLine, Outlook, Past, Peak
from mallee.core.plan import Plan, Plans, PlanStep
from mallee.site.model import SiteModel

commands = importlib.import_module("mallee.cli.plan")
NOW_UTC_S = 1_784_134_800.0  # 15 July 2026, 12:00 in Chicago


def outlook() -> Outlook:
    steps = [NOW_UTC_S + 300.0 * k for k in range(13)]
    flat: list[float | None] = [250e3] * 13
    return Outlook(
        site="s",
        tariff="t",
        currency="USD",
        made_utc_s=NOW_UTC_S,
        generation=7,
        good=True,
        ahead=Ahead(
            from_utc_s=steps,
            until_utc_s=steps[-1] + 300.0,
            price_per_mwh=[40.0] * 13,
            marginal_per_mwh=[40.0] * 13,
            load_w=flat,
            load_low_w=[None] * 13,
            load_high_w=[None] * 13,
            import_w=flat,
            import_max_w=flat,
            charge_w=[0.0] * 13,
            soc=[0.5] * 13,
        ),
        past=Past(
            from_utc_s=[NOW_UTC_S - 300.0],
            import_w=[260e3],
            planned_import_w=[None],
            charge_w=[1e3],
            planned_charge_w=[2e3],
            load_w=[259e3],
        ),
        month=Month(
            name="2026-07",
            from_utc_s=0.0,
            lines=[
                MonthLine(name="energy", quantity=2.0, unit="MWh", amount=80.0, amount_without=90.0)
            ],
            peaks=[
                Peak(
                    name="month", so_far_w=450e3, aimed_w=460e3, at_risk_w=500e3, price_per_kw=12.0
                )
            ],
            notes=["1 h has no reading"],
        ),
        said=[],
        scores=[
            ForecastScore(
                name="load", unit="W", lead_s=3600.0, error=9e3, persistence_error=12e3, skill=0.25,
                count=12,
            ),
            ForecastScore(
                name="load", unit="W", lead_s=86400.0, error=None, persistence_error=None,
                skill=None, count=0,
            ),
        ],
        cost=100.0,
        cost_without=130.0,
        worth_after=-5.0,
        made=3,
        lost=1,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def running(monkeypatch: pytest.MonkeyPatch, demo_site: SiteModel) -> None:
    now_s = time.monotonic()
    step = PlanStep(from_s=now_s, until_s=now_s + 300.0, import_target_w=460e3, reason="the peak")
    stands = Plan(
        source="energy", generation=7, made_s=now_s, valid_until_s=now_s + 900.0, steps=(step,),
        notes=("the import limit binds",),
    )  # fmt: skip
    board = SimpleNamespace(plans=lambda: Plans(plans=(stands,)), outlook=outlook)
    monkeypatch.setattr(commands, "running", lambda _: (None, None, demo_site, board))


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.show() == 0
    said = capsys.readouterr().out
    for text in (
        "energy, generation 7",
        "the peak",
        "Wed 13:00",
        "50%",
        "plan and actual",
        "11:55",
    ):
        assert text in said
    assert "Wed 12" not in said.split("now")[1]  # an hour is told once
    commands.show(json_=True)
    assert json.loads(capsys.readouterr().out)["outlook"]["generation"] == 7


def test_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.why() == 0
    said = capsys.readouterr().out
    for text in (
        "energy: the import limit binds",
        "saving against no battery, over the time ahead: 25.00 USD",
        "1 not sent",
        "+25% against yesterday's value (12 values)",
        "24 h ahead: no score yet",
        "(+600.00)",
        "note: 1 h has no reading",
    ):
        assert text in said
