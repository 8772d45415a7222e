"""The processes of a site: one row a role. A new kind of process is a new row.

Order is start order. The supervisor is no row: it starts the rest, and shares only the board.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mallee.runtime.speaking import speaking
from mallee.site.model import SiteModel

COLLECTORS_MAX: Final = 8
DEVICES_PER_COLLECTOR: Final = 1500
"""What one processor reads at 1 Hz over TLS; measured at about 1,200 devices of mixed protocols."""
SUPERVISOR: Final = "supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One role.

    Attributes:
        name: of the role and of its first process; further shards are called ``name-2`` and so on.
        module: has `main(folder: Path)`, or `main(folder: Path, shard: int)` where `shards_max`
            is more than one; perhaps also `warm(folder)`, which a spare calls while it waits. By
            name, because the console stands above the runtime.
        count: how many processes of it a site has; 0 for none.
        niceness: on a busy machine the real work goes first: control before pages and physics.
        hung_s: without a heartbeat for so long a process is killed and started again.
        start_max_s: time until the first heartbeat.
        stop_order: lowest first, so that each finds what it needs to end well.
        has_spare: whether a loaded process waits beside each working one to take over at once.
        shards_max: most processes that share the work of the role.
    """

    name: str
    module: str
    hung_s: float
    start_max_s: float
    stop_order: int
    count: Callable[[SiteModel], int] = lambda _: 1
    niceness: int = 0
    has_spare: bool = True
    shards_max: int = 1


def _is_simulated(site: SiteModel) -> int:
    return int(site.file.twin is not None)


def _collectors(site: SiteModel) -> int:
    devices = int(speaking(site).sum())
    return min(max(1, math.ceil(devices / DEVICES_PER_COLLECTOR)), COLLECTORS_MAX)


ROLES: Final = (
    Role(
        name="twin",
        module="mallee.runtime.twin_process",
        count=_is_simulated,
        niceness=5,
        hung_s=10.0,
        start_max_s=300.0,  # it may have to compile its kernels first
        stop_order=4,
    ),
    Role(
        name="collect",
        module="mallee.runtime.collector",
        count=_collectors,
        shards_max=COLLECTORS_MAX,
        hung_s=6.0,
        start_max_s=30.0,
        stop_order=3,
    ),
    Role(
        name="control",
        module="mallee.runtime.control_loop",
        hung_s=3.0,
        start_max_s=30.0,
        stop_order=1,
    ),
    Role(
        name="plan",
        module="mallee.runtime.plan_process",
        niceness=5,
        hung_s=120.0,  # late is no harm: control lets an old plan lapse
        start_max_s=60.0,
        stop_order=2,
        has_spare=False,
    ),
    Role(
        name="console",
        module="mallee.console.process",
        niceness=10,
        hung_s=15.0,
        start_max_s=60.0,
        stop_order=5,
    ),
)


@dataclass(frozen=True, slots=True)
class Seat:
    """One process of a role.

    Attributes:
        name: ``collect``, ``collect-2``: on the board, in logs and messages.
        shard: counted from 0.
    """

    role: Role
    shard: int = 0

    @property
    def name(self) -> str:
        """Name of the process."""
        return self.role.name if self.shard == 0 else f"{self.role.name}-{self.shard + 1}"


SEATS: Final = {
    seat.name: seat for role in ROLES for seat in (Seat(role, n) for n in range(role.shards_max))
}
"""Every process that a site of any size may have, by name."""

PROCESSES: Final = (SUPERVISOR, *SEATS)
"""Names of all that have a heartbeat and a ring of events on the board."""


def find_role(name: str) -> Role:
    """The row of a role."""
    return SEATS[name].role


def process_names(site: SiteModel) -> tuple[str, ...]:
    """Names of all processes of a site, the supervisor first."""
    return SUPERVISOR, *(seat.name for seat in seats_of(site))


def seats_of(site: SiteModel) -> list[Seat]:
    """The processes that a site needs, in start order."""
    return [Seat(role, shard) for role in ROLES for shard in range(role.count(site))]
