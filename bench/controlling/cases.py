"""What an outsider broke, as rows: site, faults, and what must hold. One row a reproduction."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from controlling.faults import fault, rush
from controlling.sites import DEMO, NO_BATTERY, TINY, made
from mallee.simulation.run import Simulation
from mallee.site.clock import START_UTC_S
from mallee.site.model import SiteModel
from mallee.twin.faults import FaultEvent

OVER_MAX_S = 5
LOST_MAX = 0.01
FALSE = frozenset({"safe-state", "meter-degraded", "battery-not-following", "load-unknown"})
GOOD_NEWS = frozenset({"charge-recovered", "import-within-limit", "nodes-released"})
BEFORE_WINDOW_UTC_S = START_UTC_S + 2.0 * 3600.0 + 55 * 60.0
"""15:55 at the site: five minutes before its demand window opens."""
TX2 = '[[transformer]]\nname = "tx2"\nrating_va = 2500e3\n\n'

Held = Callable[[Simulation], bool]


class Case(NamedTuple):
    """One reproduction.

    Attributes:
        name: its number in the review, and what happened.
        site: the site in a weather, degC.
        holds: what must be so, by name.
        start_utc_s: when it begins.
    """

    name: str
    site: Callable[[float], SiteModel]
    duration_s: int
    faults: tuple[FaultEvent, ...]
    holds: dict[str, Held]
    start_utc_s: float = START_UTC_S


def over_s(run: Simulation) -> int:
    """Longest stretch over the import limit."""
    over = run.series["grid_w"] > run.site.grid.import_max_w
    edges = np.flatnonzero(np.diff(np.concatenate([[0], over.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def told(run: Simulation) -> set[str]:
    """Kinds of events."""
    return {event.kind for event in run.events}


def _good_news_on_entry(run: Simulation) -> bool:
    """Whether anything was told to be over in the instant in which control lost its sight."""
    blind = {e.time_s for e in run.events if e.kind in ("safe-state", "meter-degraded")}
    return any(e.kind in GOOD_NEWS and e.time_s in blind for e in run.events)


HELD: dict[str, Held] = {"import": lambda run: over_s(run) <= OVER_MAX_S}
AUTO: dict[str, Held] = {"mode": lambda run: run.state.mode == "auto"}
WORK: dict[str, Held] = {"work": lambda run: 1.0 - run.throughput_mean <= LOST_MAX}
CALM: dict[str, Held] = {"false events": lambda run: not FALSE & told(run)}
HONEST: dict[str, Held] = {"good news": lambda run: not _good_news_on_entry(run)}
WINDOW: dict[str, Held] = {
    "soc": lambda run: bool(run.series["soc"].min() >= run.site.file.control.soc_min - 0.01)
}
SERVED: dict[str, Held] = {
    "cars": lambda run: bool(run.series["chargers_w"][240] > 100e3),
}
TARGET: dict[str, Held] = {
    "target": lambda run: bool(run.series["grid_w"][300:1200].mean() <= 450e3)
}


def _demo(*changes: tuple[str, str]) -> Callable[[float], SiteModel]:
    return lambda degc: made(DEMO, *changes, degc=degc)


_FROZEN = (
    fault(50, "bess1/charge_available_w", "sensor-stuck"),
    fault(50, "bess1/discharge_available_w", "sensor-stuck"),
)
_FIVE_RACKS = (("r{1..2}", "r{1..5}"), ("rating_a = 400", "rating_a = 900"))
_SLOW_JOB = (*_FIVE_RACKS, ("iteration_s = 2.5", "iteration_s = 5.0"))
_OWN_TX = (
    '[[breaker]]\nname = "q-battery"\nfed_by = "tx1"',
    TX2 + '[[breaker]]\nname = "q-battery"\nfed_by = "tx2"',
)
_X10 = fault(60, "meter/import_w", "sensor-scaled", until_s=64, factor=10.0)
_TRIP = fault(55, "bess1", "battery-trip")
_SILENT = fault(50, "meter", "comms-silent")

CASES = (
    Case("S1 battery says ready, gives nothing", _demo(), 300,
         (*_FROZEN, fault(60, "bess1", "battery-trip"), rush(120)), HELD),
    Case("S2 battery trips, cars come", _demo(), 360, (_TRIP, rush(60)), HELD),
    Case("S3 blind without a battery", lambda degc: made(NO_BATTERY, degc=degc), 300,
         (_SILENT, rush(60)), HELD | HONEST),
    Case("S3 blind, battery tripped", _demo(), 300, (_SILENT, _TRIP, rush(60)), HELD | HONEST),
    Case("S4 cars without a battery", lambda degc: made(NO_BATTERY, degc=degc), 360,
         (rush(60),), HELD | AUTO | SERVED),
    Case("S5 chargers read negative", _demo(), 150,
         (fault(30, "bess1", "battery-trip"), fault(40, "ev*", "sensor-flipped")), HELD | AUTO),
    Case("S8 battery acts half a second late", _demo(), 240,
         (fault(1, "bess1", "battery-slow", delay_s=0.5, tau_s=0.2), rush(60)), HELD | AUTO),
    Case("S9 healthy battery out of reach", _demo(), 300,
         (fault(60, "bess1", "comms-silent", until_s=260),), HELD | WORK),
    Case("S10 large slow swings", _demo(*_SLOW_JOB), 300, (), HELD | CALM),
    Case("S10 meter times ten for 4 s", _demo(), 120, (_X10,), HELD | AUTO | WORK),
    Case("S10 the same without a battery", lambda degc: made(NO_BATTERY, degc=degc), 150,
         (_X10,), HELD | AUTO),
    Case("S11 small battery near its floor", lambda degc: made(TINY, degc=degc), 600, (),
         HELD | WINDOW),
    Case("S11 charge register stuck", lambda degc: made(TINY, degc=degc), 600,
         (fault(10, "bess1/soc", "sensor-stuck"), rush(60)), HELD | WINDOW),
    Case("S12 demand window", _demo(*_FIVE_RACKS, ("target_w = 550e3", "target_w = 450e3")),
         1200, (), HELD | TARGET, BEFORE_WINDOW_UTC_S),
    Case("S14 meter times ten in a rush", _demo(), 180,
         (rush(20), fault(60, "meter/import_w", "sensor-scaled", factor=10.0)), HELD | HONEST),
    Case("battery on its own transformer", _demo(_OWN_TX), 240, (), HELD | WORK | CALM),
)  # fmt: skip
"""S6 is about evidence (the null case beside each figure), S7 about batteries without a mode at
the meter (`tests/control`, `tests/twin`), S13 the cars of S4."""
