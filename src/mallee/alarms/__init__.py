"""Alarms after ISA-18.2: rows of data, states, suppression by cause, what people do, figures."""

from mallee.alarms.actions import (
    UNTIL_OVER,
    acknowledge,
    put_back,
    reset,
    shelve,
    take_out,
    unshelve,
)
from mallee.alarms.desk import Act, Desk, Remark
from mallee.alarms.engine import SiteAlarms, banner, first_out, site_alarms, step
from mallee.alarms.kind import AlarmKind
from mallee.alarms.kpi import Kpis, is_flood, kpis
from mallee.alarms.rows import ALARMS, describe_alarms
from mallee.alarms.state import AlarmState, Change, hidden_by, nothing_yet, state_of
from mallee.alarms.topology import hit_by

__all__ = [
    "ALARMS",
    "UNTIL_OVER",
    "Act",
    "AlarmKind",
    "AlarmState",
    "Change",
    "Desk",
    "Kpis",
    "Remark",
    "SiteAlarms",
    "acknowledge",
    "banner",
    "describe_alarms",
    "first_out",
    "hidden_by",
    "hit_by",
    "is_flood",
    "kpis",
    "nothing_yet",
    "put_back",
    "reset",
    "shelve",
    "site_alarms",
    "state_of",
    "step",
    "take_out",
    "unshelve",
]
