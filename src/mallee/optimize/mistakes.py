"""What a problem must be before it is solved; each mistake is one sentence."""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.optimize.inputs import Problem

_SERIES: Final = ("load_w", "import_usd_per_mwh", "export_usd_per_mwh", "carbon_kg_per_mwh")


def checked(problem: Problem) -> Problem:
    """The problem itself.

    Raises:
        ConfigError: a forecast holds blanks or has another length than the horizon, or a
            battery's numbers cannot be.
    """
    count = problem.horizon.count
    for name in _SERIES:
        _check(name, getattr(problem, name), count)
    _check("import_max_w", problem.connection.import_max_w, count)
    if problem.solar_w is not None:
        _check("solar_w", problem.solar_w, count)
    for battery in problem.batteries:
        if not battery.energy_wh > 0.0 or not 0.0 <= battery.soc_min < battery.soc_max <= 1.0:
            raise ConfigError(
                f"battery {battery.name}",
                f"has {battery.energy_wh:g} Wh and a window of {battery.soc_min:g} to "
                f"{battery.soc_max:g}",
                "an energy above 0 and 0 <= soc_min < soc_max <= 1 would be right",
            )
        if not np.isfinite(battery.soc):
            raise ConfigError(
                f"battery {battery.name}",
                "has no state of charge",
                "plan without it until it is measured again",
            )
        for name in ("charge_efficiency", "discharge_efficiency"):
            if not 0.0 < getattr(battery, name) <= 1.0:
                raise ConfigError(
                    f"battery {battery.name}: {name}",
                    f"is {getattr(battery, name):g}",
                    "a fraction above 0 and at most 1 would be right",
                )
    return problem


def _check(name: str, values: FloatArray | float, count: int) -> None:
    array = np.asarray(values)
    if array.ndim and array.shape != (count,):
        raise ConfigError(
            name,
            f"has {len(array)} values for {count} steps",
            "one value a step of the horizon would be right",
        )
    if not np.all(np.isfinite(array)):
        where = int(np.flatnonzero(~np.isfinite(np.atleast_1d(array)))[0])
        raise ConfigError(
            name, f"is blank in step {where + 1}", "fill forecasts before planning with them"
        )
