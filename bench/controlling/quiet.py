"""Days without a fault on every example site: nothing may be told, held back or written in vain."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from controlling.cases import FALSE
from controlling.sites import EXAMPLES
from mallee.catalogue import load_site
from mallee.simulation.campaign.checks import Observed, Seen, untrue_events
from mallee.simulation.campaign.world import World
from mallee.simulation.figures import figures_of
from mallee.simulation.run import simulate
from mallee.site.clock import START_UTC_S
from mallee.site.model import SiteModel

HOURS_FROM_START = (-10.0, -5.0, 0.0, 4.0, 8.0)
"""Night, morning, midday, afternoon, evening: hours from the start that a run has by default."""
POINTS_MAX = 50_000
"""Sites with more points take minutes for a minute and are left out, by name."""
SETTLE_S = 30
"""What is written and told while a run starts from rest is not judged: no site starts so."""
SAFE = frozenset({"safe-state", "meter-degraded"})


class Quiet(NamedTuple):
    """What a run without a fault came to."""

    site: str
    hours: float
    safe: int
    false: int
    chatter_per_min: float
    busiest: str
    lost: float
    over_s: int


class Late(Observed):
    """Counts writes once a run has settled."""

    def watch(self, twin, snapshot, state, commands) -> None:  # type: ignore[no-untyped-def]
        """A `Watcher`."""
        super().watch(twin, snapshot, state, commands)
        if snapshot.time_s < SETTLE_S:
            self.writes.clear()


def sites() -> tuple[list[Path], list[str]]:
    """Example sites that run here, and the names of those that do not."""
    models = {path: load_site(path) for path in sorted(EXAMPLES.glob("*.toml"))}
    small = [
        path
        for path, site in models.items()
        if site.file.twin is not None and site.point_count <= POINTS_MAX
    ]
    return small, [path.stem for path in models if path not in small]


def run_quiet(path: Path, hours: float, duration_s: int, control: str) -> Quiet:
    """One site at one time of day."""
    site, observed = load_site(path), Late()
    run = simulate(
        site,
        duration_s=duration_s,
        start_utc_s=START_UTC_S + hours * 3600.0,
        control=control,
        watch=observed.watch,
    )
    world = World(
        seed=1, site=str(path), duration_s=duration_s, ambient_degc=0.0, load_share=1.0,
        battery_delay_s=0.0,
    )  # fmt: skip
    figures = figures_of(run)
    kinds = [event.kind for event in run.events if event.time_s >= SETTLE_S]
    untrue = untrue_events(Seen(world, run, figures, observed))
    by_device: Counter[str] = Counter()
    for row, count in observed.writes.items():
        by_device[device_of(site, row)] += count
    busiest, writes = by_device.most_common(1)[0] if by_device else ("", 0)
    return Quiet(
        site=path.stem,
        hours=hours,
        safe=sum(kind in SAFE for kind in kinds),
        false=sum(kind in FALSE - SAFE for kind in kinds) + int(untrue),
        chatter_per_min=writes * 60.0 / max(duration_s - SETTLE_S, 1),
        busiest=busiest,
        lost=float(figures["throughput_lost_caps"]),
        over_s=int(figures["limit_violations"]),
    )


def device_of(site: SiteModel, row: int) -> str:
    """Path of the device that a point belongs to."""
    return site.point_path(row).rpartition("/")[0]
