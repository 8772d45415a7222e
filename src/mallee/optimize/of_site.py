"""From the site model to the parts of a plan, so that nobody describes a site twice."""

from mallee.core.errors import ConfigError
from mallee.kinds.battery import BATTERY
from mallee.optimize.inputs import Battery
from mallee.site.model import SiteModel


def battery_of(site: SiteModel, *, soc: float, wear_usd_per_mwh: float = 2.0) -> Battery:
    """All batteries of a site as one, within the window that control keeps.

    Args:
        soc: of all together, 0..1.

    Raises:
        ConfigError: the site has none.
    """
    groups = list(site.groups_of(BATTERY))
    if not groups:
        raise ConfigError(site.name, "has no battery, so there is nothing to plan with")
    energy_wh = sum(g.count * g.model.parameter("energy_wh") for g in groups)

    def mean(name: str) -> float:
        total = sum(
            g.count * g.model.parameter("energy_wh") * g.model.parameter_or(name, 0.95)
            for g in groups
        )
        return total / energy_wh

    control = site.file.control
    return Battery(
        name="battery",
        energy_wh=energy_wh,
        soc=soc,
        soc_min=control.soc_min,
        soc_max=control.soc_max,
        charge_max_w=sum(g.count * g.model.parameter("charge_max_w") for g in groups),
        discharge_max_w=sum(g.count * g.model.parameter("discharge_max_w") for g in groups),
        charge_efficiency=mean("charge_efficiency"),
        discharge_efficiency=mean("discharge_efficiency"),
        wear_usd_per_mwh=wear_usd_per_mwh,
    )
