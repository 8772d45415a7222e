"""Rules that hold a limit by the battery, or shape the load by the accelerators alone."""

from dataclasses import replace

import numpy as np
from msgspec import structs

from mallee.core.command import Command
from mallee.core.snapshot import Snapshot
from mallee.simulation.baselines.hands import FILTER, SET_POINT, STANDBY, hands_of
from mallee.simulation.baselines.rule import Decide, slowly
from mallee.site.model import SiteModel
from mallee.site.simulated import Smoothing, Twin

SHAVE, RECHARGE = 0.97, 0.90
"""Shares of the limit above which the battery discharges and below which it charges [assumed]."""
FLOOR_FRAC = 0.85
"""Highest floor that NVIDIA's power smoothing offers is about this share of an accelerator's
power [A]; it costs energy, not work."""


def battery_alone(site: SiteModel) -> Decide:
    """The battery's own filter as commissioned; nobody asks anything of nodes and chargers."""
    hands = hands_of(site)

    def once_a_second(snapshot: Snapshot, second: int) -> list[Command]:
        del snapshot
        return hands.batteries(FILTER, np.zeros(hands.battery_set.size), second)

    return slowly(once_a_second)


def peak_shaving(site: SiteModel) -> Decide:
    """OpenEMS's symmetric peak shaving: discharge what is above one power, charge below another."""
    hands = hands_of(site)
    share = hands.discharge_max_w / max(float(hands.discharge_max_w.sum()), 1.0)
    memory = {"charge_w": 0.0}

    def once_a_second(snapshot: Snapshot, second: int) -> list[Command]:
        load_w = hands.import_w(snapshot) - memory["charge_w"]
        if load_w > SHAVE * hands.import_max_w:
            wanted_w = SHAVE * hands.import_max_w - load_w
        elif load_w < RECHARGE * hands.import_max_w:
            wanted_w = RECHARGE * hands.import_max_w - load_w
        else:
            wanted_w = 0.0
        memory["charge_w"] = float(
            np.clip(wanted_w, -hands.discharge_max_w.sum(), hands.charge_max_w.sum())
        )
        return hands.batteries(SET_POINT, memory["charge_w"] * share, second)

    return slowly(once_a_second)


def floor_alone(site: SiteModel) -> Decide:
    """Nothing but the accelerators' power smoothing, which `with_floor` puts into the site."""
    hands = hands_of(site)

    def once_a_second(snapshot: Snapshot, second: int) -> list[Command]:
        del snapshot
        return hands.batteries(STANDBY, np.zeros(hands.battery_set.size), second)

    return slowly(once_a_second)


def with_floor(site: SiteModel) -> SiteModel:
    """The same site with power smoothing at its highest floor on every accelerator."""
    twin = site.file.twin or Twin()
    smooth = structs.replace(twin, smoothing=Smoothing(floor_frac=FLOOR_FRAC))
    return replace(site, file=structs.replace(site.file, twin=smooth))
