"""What an alarm says: one sentence that stays true, with the numbers that raised it."""

import numpy as np

from mallee.alarms.instances import Instances, PointCheck
from mallee.alarms.kind import Dark, Unreadable
from mallee.core.snapshot import Quality, Snapshot
from mallee.site.model import SiteModel


def says(site: SiteModel, instances: Instances, alarm: int, snapshot: Snapshot) -> str:
    """Why an alarm about points was raised just now; empty for one that an event tells of."""
    condition = instances.kinds[int(instances.kind[alarm])].condition
    if isinstance(condition, Unreadable):
        if condition.point:
            return f"{condition.point} is not read."
        return f"Nothing is read over {condition.protocol}." if condition.protocol else "No answer."
    if isinstance(condition, Dark):
        return "None of its nodes answers or runs."
    for check in instances.points:
        at = np.flatnonzero(check.alarms == alarm)
        if at.size:
            return _beyond(site, check, int(at[0]), snapshot)
    return ""


def _beyond(site: SiteModel, check: PointCheck, at: int, snapshot: Snapshot) -> str:
    """The point that is furthest beyond, and by what."""
    rows = check.rows[at]
    readings = np.where(
        snapshot.quality[rows] == Quality.GOOD, check.sign * snapshot.values[rows], -np.inf
    )
    worst = int(rows[int(np.argmax(readings))])
    point = site.point_path(worst).rpartition("/")[2]
    side = "above" if check.sign > 0.0 else "below"
    return f"{point} read {snapshot.values[worst]:.4g}, {side} {check.limit:.4g}."
