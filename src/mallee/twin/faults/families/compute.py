"""Faults of accelerators, nodes and jobs."""

from typing import Final

from mallee.kinds.node import NODE
from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts
from mallee.twin.parts.compute.thermal import NO_LIMIT_W

_SHUT_DOWN: Final = 2
_RUNS: Final = 0


def _slots(parts: Parts, one: Occurrence) -> list[tuple[int, int]]:
    """Places of a node's accelerators, or of the one that the fault numbers."""
    layout, node = parts.compute.layout, one.target.index
    rack, first = int(layout.node_rack[node]), int(layout.node_slot[node])
    count, number = int(layout.node_gpus[node]), round(one.values["gpu"])
    chosen = range(count) if number < 0 else [number % count]
    return [(rack, first + gpu) for gpu in chosen]


def _job(parts: Parts, one: Occurrence) -> int | None:
    """Position of a job among those that have nodes."""
    for number, job in enumerate(parts.compute.jobs):
        if job.name == one.target.name:
            return number
    return None


def _abort(parts: Parts, one: Occurrence) -> None:
    number = _job(parts, one)
    if number is not None:
        parts.compute.abort_job(number)


def _restart(parts: Parts, one: Occurrence) -> None:
    number = _job(parts, one)
    if number is not None:
        parts.compute.jobs[number].running_from_ms = one.until_ms


def _straggle(parts: Parts, one: Occurrence) -> None:
    for place in _slots(parts, one):
        parts.compute.slow[place] = one.values["speed_frac"]


def _keep_up(parts: Parts, one: Occurrence) -> None:
    for place in _slots(parts, one):
        parts.compute.slow[place] = 1.0


def _lose_gpu(parts: Parts, one: Occurrence) -> None:
    for place in _slots(parts, one):
        parts.compute.dies.state[place] = _SHUT_DOWN
        parts.compute.pace.broken[place] = True
        parts.compute.slots.hot_w[place] = 0.0


def _return_gpu(parts: Parts, one: Occurrence) -> None:
    for place in _slots(parts, one):
        parts.compute.dies.state[place] = _RUNS
        parts.compute.pace.broken[place] = False
        parts.compute.slots.hot_w[place] = NO_LIMIT_W


def _bad_contact(parts: Parts, one: Occurrence) -> None:
    for place in _slots(parts, one):
        spread = parts.compute.dies.spread
        one.overrides.scale("spread", spread, place, one.values["resistance_pu"])


def _good_contact(parts: Parts, one: Occurrence) -> None:
    for place in _slots(parts, one):
        one.overrides.mend("spread", parts.compute.dies.spread, place)


def _slow_caps(parts: Parts, one: Occurrence) -> None:
    delay_ms = parts.compute.caps.delay_ms
    one.overrides.put("cap delay", delay_ms, one.target.index, 1000.0 * one.values["delay_s"])


def _usual_caps(parts: Parts, one: Occurrence) -> None:
    one.overrides.mend("cap delay", parts.compute.caps.delay_ms, one.target.index)


_GPU: Final = Parameter(name="gpu", default=0.0, low=-1.0, high=71.0)

KINDS: Final = (
    FaultKind(
        name="job-abort",
        targets=("job",),
        text="A process dies: all load of the job is gone in one step; it restarts at the end.",
        start=_abort,
        end=_restart,
    ),
    FaultKind(
        name="straggler",
        targets=(NODE.name,),
        text="One accelerator computes slowly and holds up its job (gpu = -1: all of the node).",
        start=_straggle,
        end=_keep_up,
        parameters=(Parameter(name="speed_frac", default=0.7, low=0.1, high=1.0), _GPU),
    ),
    FaultKind(
        name="gpu-lost",
        targets=(NODE.name,),
        text="An accelerator falls off its bus (Xid 79): no power, its job stands still.",
        start=_lose_gpu,
        end=_return_gpu,
        parameters=(_GPU,),
    ),
    FaultKind(
        name="gpu-hot",
        targets=(NODE.name,),
        text="Bad contact of a cold plate: its thermal resistance is a multiple of normal.",
        start=_bad_contact,
        end=_good_contact,
        parameters=(Parameter(name="resistance_pu", default=1.8, low=1.0, high=4.0), _GPU),
    ),
    FaultKind(
        name="caps-slow",
        targets=(NODE.name,),
        text="The node's BMC takes long to put a cap into effect.",
        start=_slow_caps,
        end=_usual_caps,
        parameters=(Parameter(name="delay_s", default=40.0, low=0.0, high=120.0),),
    ),
)
