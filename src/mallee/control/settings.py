"""Set points that control leaves alone until somebody asks: coolant supply, solar output, gensets.

While a request runs, a reading outside its bounds is written to the nearest of them. When it is
over, what stood there before comes back: read before the first write, kept in memory until a
reading shows it again.
"""

import math

import numpy as np

from mallee.control.places import Setting
from mallee.control.refusal import why_not
from mallee.control.scene import Scene
from mallee.core.command import CONTROL, Command

RENEW_CYCLES, SLOW_CYCLES = 100, 10
"""Values with a lease are renewed every ten seconds."""
TOLERANCE_FRAC = 0.01

Before = tuple[int, float]
"""Row of a set point, and what stood there before anybody asked."""


def setting_commands(
    scene: Scene, before: tuple[Before, ...], cycle: int
) -> tuple[list[Command], tuple[Before, ...]]:
    """What is written to such points now, and what is to come back later.

    Args:
        before: what stood there, as the last call handed it back.
    """
    asked = {
        setting.row: (setting, request)
        for request in scene.requests
        if request.ask == "bound" and not why_not(scene.limits, request)
        for setting in scene.limits.places.settings_named(request.subject)
    }
    stood = dict(before)
    commands = []
    for row, (setting, request) in asked.items():
        reading = float(scene.snapshot.values[row])
        if math.isnan(reading):
            continue  # what cannot be read cannot be put back
        wanted = min(max(stood.get(row, reading), request.low), request.high)
        renew = setting.lease_s > 0.0 and cycle % RENEW_CYCLES < SLOW_CYCLES
        if renew or abs(reading - wanted) > _tolerance(setting):
            stood.setdefault(row, reading)
            commands.append(_command(setting, wanted, request.reason, request.actor))
    known = {one.row: one for one in scene.limits.places.settings} if stood else {}
    for row in [row for row in stood if row not in asked]:
        reading = float(scene.snapshot.values[row])
        if row not in known or abs(reading - stood[row]) <= _tolerance(known[row]):
            del stood[row]
        elif not math.isnan(reading):
            commands.append(_command(known[row], stood[row], "as it was before", CONTROL))
    return commands, tuple(sorted(stood.items()))


def _tolerance(setting: Setting) -> float:
    return TOLERANCE_FRAC * (setting.high - setting.low)


def _command(setting: Setting, value: float, reason: str, actor: str) -> Command:
    return Command(
        rows=np.array([setting.row], np.int64),
        values=np.array([value]),
        lease_s=setting.lease_s,
        reason=reason,
        actor=actor,
    )
