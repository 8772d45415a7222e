"""Sums over the power tree, with the losses of each transformer and cable on the way up."""

import numpy as np
from numpy.typing import NDArray

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel


@kernel
def energise(feeders: NDArray[np.void], states: NDArray[np.void], grid_alive: int) -> None:
    """Which feeders are alive: closed, with a living parent. Parents come first."""
    for f in range(feeders.shape[0]):
        parent = feeders[f]["parent"]
        above = grid_alive if parent < 0 else states[parent]["alive"]
        states[f]["alive"] = above * states[f]["closed"]


@kernel
def sum_up(feeders: NDArray[np.void], states: NDArray[np.void], step_s: float) -> float:
    """Add losses and children's flows upwards; returns the power that enters feeder 0.

    `demand_w` holds the loads that hang on each feeder itself when this is called. Loss is
    ``no-load + load-loss (S / rating)^2``.
    """
    for f in range(feeders.shape[0] - 1, -1, -1):
        feeder, state = feeders[f], states[f]
        if state["alive"] == 0:
            loss_w = 0.0
        else:
            part = state["demand_w"] / feeder["rating_w"]
            loss_w = feeder["no_load_w"] + feeder["load_loss_w"] * part * part
        state["loss_w"] = loss_w
        state["loss_wh"] += loss_w * step_s / SECONDS_PER_HOUR
        state["flow_w"] = state["demand_w"] + loss_w
        if feeder["parent"] >= 0:
            states[feeder["parent"]]["demand_w"] += state["flow_w"]
    return states[0]["flow_w"]
