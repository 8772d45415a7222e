"""What is wrong or worth knowing about a site that can be built: the findings of `mallee check`.

`error` is what cannot work or cannot be kept safe, `warning` what is probably not meant or costs
work, `note` what control has to do because the hardware alone does not. All figures come from
nameplates.
"""

from collections.abc import Callable, Iterator

from mallee.site.checks import (
    addresses,
    cooling,
    models,
    power,
    ramp,
    schedules,
    sources,
    tenants,
)
from mallee.site.checks.finding import Finding, Level, finding_of, watts
from mallee.site.checks.power import WorkLeft
from mallee.site.model import SiteModel

__all__ = ["Finding", "Level", "WorkLeft", "check_site", "finding_of", "watts", "worst_first"]

CHECKS: tuple[Callable[[SiteModel], Iterator[Finding]], ...] = (
    sources.breakers_above,
    sources.parallel,
    sources.voltages,
    sources.apparent_power,
    power.shelves,
    power.unused,
    cooling.loops,
    cooling.dry_racks,
    cooling.plant,
    ramp.ramps,
    ramp.charge_window,
    schedules.windows,
    tenants.tenants,
    models.points,
    models.caps,
    addresses.missing,
    addresses.twice,
)
"""All checks that need nothing but the site."""

ABSENCES = frozenset(
    {"unused-feed", "unused-branch", "plant-missing", "ramp-not-covered", "cooling-short"}
)
"""Rules about what is not there; on a site that was read in part they would be guesses."""

_ORDER = {"error": 0, "warning": 1, "note": 2}


def check_site(
    site: SiteModel, work_left: WorkLeft | None = None, *, in_part: bool = False
) -> list[Finding]:
    """All findings, worst first.

    Args:
        site: the site model.
        work_left: share of the work that is left at a cap, both 0..1; without it only caps are
            told.
        in_part: the file had mistakes, and the model lacks what they concern.
    """
    found = [finding for check in CHECKS for finding in check(site)]
    found += power.ratings(site, work_left)
    found += power.after_a_loss(site, work_left)
    if in_part:  # what the missing part would add is not known, so no notes about sums either
        found = [f for f in found if f.rule not in ABSENCES and f.level != "note"]
    return worst_first(found)


def worst_first(found: list[Finding]) -> list[Finding]:
    """Errors, then warnings, then notes; each in the order of the file where that is known."""
    return sorted(found, key=lambda finding: (_ORDER[finding.level], finding.line))
