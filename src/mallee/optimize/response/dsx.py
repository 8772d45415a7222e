"""NVIDIA DSX Flex 1.7.0 (`dsx-flex.yaml`, Apache-2.0): load targets in, breach reports out.

CloudEvents as structured JSON; the signature around `data` (JWS) belongs to the transport.
"""

import datetime as dt
import math
from typing import Any, Final

import msgspec

from mallee.core.errors import ConfigError
from mallee.optimize.response.event import GridEvent, Target
from mallee.optimize.response.iso import instant_utc_s

SOURCE: Final = "DSX Flex"
SET_TYPE: Final = "grid.loadtarget.set.v1"
_WATTS: Final = {"watt": 1.0, "kilowatt": 1e3, "megawatt": 1e6}
CRITICAL_FRAC: Final = 0.2
"""An excess above this share of the target is critical, below it a warning (the schema's rule)."""


def from_load_target(raw: bytes, *, now_utc_s: float) -> list[GridEvent]:
    """Events of one `grid.loadtarget.set.v1`; a null constraint clears its feeds.

    Raises:
        ConfigError: no such event, a target that is not above zero, a unit that is none.
    """
    try:
        found: Any = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise ConfigError("DSX Flex message", f"is not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("type") != SET_TYPE:
        raise ConfigError("DSX Flex message", f"is no {SET_TYPE}")
    data = found.get("data")
    targets = data.get("targets") if isinstance(data, dict) else None
    if not targets:
        raise ConfigError("DSX Flex message", "holds no targets")
    name = str(found.get("correlationid") or found.get("id") or "target")
    return [_event(target, f"{name}/{i}", now_utc_s) for i, target in enumerate(targets)]


def _event(target: dict[str, Any], name: str, now_utc_s: float) -> GridEvent:
    interval = target.get("interval") or {}
    start = instant_utc_s(interval["start_time"]) if interval.get("start_time") else now_utc_s
    end = instant_utc_s(interval["end_time"]) if interval.get("end_time") else math.inf
    if not start < end:
        raise ConfigError(f"DSX Flex target {name}", "ends before it starts")
    constraint, limit_w = target.get("load_constraint"), math.inf
    if constraint is not None:
        unit = constraint.get("unit")
        if unit not in _WATTS:
            raise ConfigError(
                f"DSX Flex target {name}", f"is in {unit!r}", "watt, kilowatt or megawatt"
            )
        limit_w = float(constraint.get("value", math.nan)) * _WATTS[unit]
        if not limit_w > 0.0:
            raise ConfigError(f"DSX Flex target {name}", "is not above zero")
    strategy = target.get("strategy") or {}
    return GridEvent(
        id=name,
        source=SOURCE,
        reason="load target",
        targets=(Target(from_utc_s=start, until_utc_s=end, kind="absolute", value=limit_w),),
        best_effort=bool(strategy.get("best_effort", False)),
        feeds=tuple(target.get("feed_tags") or ()),
    )


def breach_report(
    event: GridEvent,
    *,
    feed: str,
    breach_id: str,
    detected_utc_s: float,
    measured_w: float,
    limit_w: float,
    resolved_utc_s: float = math.nan,
) -> dict[str, Any]:
    """Data of a `grid.powerbreach.alert.v1`.

    Args:
        breach_id: a UUID, made by the caller; the same until the breach is resolved.
        resolved_utc_s: when it ended; NaN while it lasts.
    """
    resolved = math.isfinite(resolved_utc_s)
    breach = {"breach_id": breach_id, "detected_at": _text(detected_utc_s)}
    if resolved:
        breach["resolved_at"] = _text(resolved_utc_s)
    severe = measured_w > limit_w * (1.0 + CRITICAL_FRAC)
    return {
        "feed_tag": feed,
        "status": "resolved" if resolved else "escalated" if severe else "active",
        "severity": "critical" if severe else "warning",
        "breach": breach,
        "target": {
            "correlation_id": event.id.rsplit("/", 1)[0],
            "load_constraint": {"value": limit_w, "unit": "watt"},
        },
        "measured_load": {"value": measured_w, "unit": "watt"},
        "infrastructure_actions": [] if resolved or not severe else ["SHUTDOWN_NODES"],
    }


def _text(utc_s: float) -> str:
    return dt.datetime.fromtimestamp(utc_s, dt.UTC).isoformat().replace("+00:00", "Z")
