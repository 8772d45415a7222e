"""The site file as written by a person: what stands where, how it is fed and how it is reached.

Everything here is data with bounds. Names may hold one range (``r{1..932}``); addresses may hold
the numbers ``{n}`` (position in the group), ``{rack}`` and ``{pod}``, all counted from 1.
Tables of devices are named by their kinds: a kind that stands at the site gives a top-level table,
one that stands in pods a list of a pod, one that stands in racks a table of a rack.
`mallee.site.build` turns the file into the model that the rest of Mallee works with.
"""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from mallee.kinds import KINDS, DeviceKind, Stands
from mallee.site.contract import UtilityFeed
from mallee.site.entry import (
    Address,
    Count,
    Device,
    Entry,
    FedBy,
    Fraction,
    Name,
    NotNegativeInt,
    Priority,
)
from mallee.site.simulated import Twin
from mallee.site.switchgear import Breaker, Bus, Tie, TransferSwitch, Transformer


class Several(Entry, frozen=True, kw_only=True):
    """A number of equal devices inside each rack, named by position."""

    model: str
    count: Count
    name: Name = ""
    address: Address = ""
    credentials: str = ""
    tls_ca: str = ""


class CduGroup(Entry, frozen=True, kw_only=True):
    """CDUs of a pod that serve their racks together through one header.

    Attributes:
        cdus: its members, a name or range of the pod's `cdu` list.
        spare: how many of them may be lost without the rest falling short (N+1: 1).
    """

    name: Name
    cdus: str
    spare: NotNegativeInt = 1


class RackFields(Entry, frozen=True, kw_only=True):
    """One rack, or many alike by a range in the name.

    Attributes:
        fed_by: a range here spreads the racks over the branches in equal blocks; a list of two
            gives the racks a second cord.
        cdu: the coolant distribution unit, or the group of them, that it hangs on; a range spreads
            likewise.
    """

    name: Name
    fed_by: FedBy
    cdu: str = ""
    priority: Priority = 0
    tenant: str = ""

    def several(self, kind: DeviceKind) -> Several | None:
        """The rack's equal devices of one kind, or None."""
        found: Several | None = getattr(self, kind.rack_table, None)
        return found


class _Places(Entry, frozen=True):
    """What holds devices by kind, in tables that the kinds name."""

    def devices(self, kind: DeviceKind) -> list[Device]:
        """The entries of one kind; none for a kind that does not stand here."""
        found: list[Device] = getattr(self, kind.table, []) if kind.table else []
        return found


class PodFields(_Places, frozen=True, kw_only=True):
    """One enclosure, or many alike by a range in the name."""

    name: Name
    rack: "list[Rack]"
    cdu_group: list[CduGroup] = []
    priority: Priority = 0
    tenant: str = ""


def _tables(stands: Stands) -> list[tuple[str, Any, Any]]:
    """Fields for the kinds that stand in a place."""
    kinds = [kind for kind in KINDS.values() if stands in kind.stands]
    if stands == "rack":
        return [(kind.rack_table, Several | None, None) for kind in kinds]
    return [(kind.table, list[Device], []) for kind in kinds if kind.table]


Rack: TypeAlias = RackFields
Pod: TypeAlias = PodFields
if not TYPE_CHECKING:
    _alike = {"frozen": True, "kw_only": True, "module": __name__}
    Rack = msgspec.defstruct("Rack", _tables("rack"), bases=(RackFields,), **_alike)
    Pod = msgspec.defstruct("Pod", _tables("pod"), bases=(PodFields,), **_alike)


class Control(Entry, frozen=True, kw_only=True):
    """How control may use the site.

    Attributes:
        soc_min, soc_max: window that control keeps the battery in.
        soc_target: where it brings the battery back to when nothing else is asked of it.
        import_margin_frac: share of the import limit kept free for what cannot be foreseen.
        cap_floor_frac: lowest node cap, as a fraction of its maximum, before jobs should pause.
        policy: who is served first when power is short; `shared` gives chargers and nodes the same
            fraction of what they want.
    """

    soc_min: Fraction = 0.2
    soc_max: Fraction = 0.9
    soc_target: Fraction = 0.6
    import_margin_frac: Fraction = 0.02
    cap_floor_frac: Fraction = 0.5
    policy: Literal["chargers-first", "compute-first", "shared"] = "chargers-first"


class Energy(Entry, frozen=True, kw_only=True):
    """What energy costs here, for plans; files stand beside the site file.

    Attributes:
        tariff: tariff file (TOML).
        prices: CSV with ``time`` and one column a market that the tariff follows.
    """

    tariff: str
    prices: str = ""


class SiteFields(_Places, frozen=True, kw_only=True):
    """A whole site file.

    Attributes:
        grid, feed: the one connection of most sites, or several with a name each.
    """

    name: Name
    timezone: str = "UTC"
    grid: UtilityFeed | None = None
    feed: list[UtilityFeed] = []
    transformer: list[Transformer] = []
    breaker: list[Breaker] = []
    switchboard: list[Bus] = []
    busway: list[Bus] = []
    tie: list[Tie] = []
    transfer_switch: list[TransferSwitch] = []
    pod: list[Pod] = []
    control: Control = Control()
    energy: Energy | None = None
    twin: Twin | None = None

    @property
    def feeds(self) -> tuple[UtilityFeed, ...]:
        """All connections, in the order of the file."""
        return (*([] if self.grid is None else [self.grid]), *self.feed)


SiteFile: TypeAlias = SiteFields
if not TYPE_CHECKING:
    SiteFile = msgspec.defstruct("SiteFile", _tables("site"), bases=(SiteFields,), **_alike)
