"""The site file as written by a person: what stands where, how it is fed and how it is reached.

Everything here is data with bounds. Names may hold one range (``r{1..932}``); addresses may hold
the numbers ``{n}`` (position in the group), ``{rack}`` and ``{pod}``, all counted from 1.
`mallee.core.site` turns it into the model that the rest of Mallee works with.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Name = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9._{}-]+$")]
ClockTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Feed = str | list[str]
Address = str | dict[str, str]


class _Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of every table in the file: a key that is not listed is an error."""


class Device(_Entry, frozen=True, kw_only=True):
    """One device, or several alike by a range in the name.

    Attributes:
        model: a catalogue model.
        fed_by: the feeder above it; two feeders mean it can transfer to the second.
        address: ``host:port``, or one per protocol (``{ redfish = "...", dcgm = "..." }``).
            A simulated site needs none.
        credentials: the name of a login in the secrets file; never the login itself.
    """

    name: Name
    model: str
    fed_by: Feed = ""
    address: Address = ""
    credentials: str = ""


class DemandWindow(_Entry, frozen=True, kw_only=True):
    """Hours in which the highest mean import over `interval_s` is billed.

    Attributes:
        target_w: import that control tries to stay under during the window; 0 for none.
    """

    name: str
    from_time: ClockTime
    until_time: ClockTime
    interval_s: Positive = 900.0
    target_w: NotNegative = 0.0


class Grid(_Entry, frozen=True, kw_only=True):
    """The grid connection and its contract.

    Attributes:
        contracted_w: power that the contract is for; ramp tolerances refer to it.
        import_max_w: hard limit of import at the meter.
        export_max_w: hard limit of export at the meter; 0 forbids export.
        ramp_up_max_w_per_s, ramp_down_max_w_per_s: how fast import may change.
        voltage_v: nominal line-to-line voltage at the site's low-voltage bus.
    """

    contracted_w: Positive
    import_max_w: Positive
    export_max_w: NotNegative = 0.0
    ramp_up_max_w_per_s: Positive
    ramp_down_max_w_per_s: Positive
    voltage_v: Positive = 480.0
    frequency_hz: Positive = 60.0
    meter: Device
    demand_windows: list[DemandWindow] = []


class Transformer(_Entry, frozen=True, kw_only=True):
    """A transformer as a node of the power tree; losses at rating as fractions of it."""

    name: Name
    fed_by: str = "grid"
    rating_va: Positive
    no_load_loss_frac: Fraction = 0.0015
    load_loss_frac: Fraction = 0.009
    impedance_frac: Fraction = 0.0575


class Breaker(_Entry, frozen=True, kw_only=True):
    """A breaker (or a busway tap) as a node of the power tree.

    Attributes:
        rating_a: continuous current setting Ir per phase.
        trip: `electronic` follows an LSI curve, `thermal-magnetic` a bimetal.
    """

    name: Name
    fed_by: str
    rating_a: Positive
    trip: Literal["electronic", "thermal-magnetic"] = "electronic"


class Several(_Entry, frozen=True, kw_only=True):
    """A number of equal devices inside each rack, named by position."""

    model: str
    count: Count
    name: Name = ""
    address: Address = ""
    credentials: str = ""


class Rack(_Entry, frozen=True, kw_only=True):
    """One rack, or many alike by a range in the name.

    Attributes:
        fed_by: a range here spreads the racks over the feeders in equal blocks.
        cdu: the coolant distribution unit it hangs on; a range spreads likewise.
    """

    name: Name
    fed_by: Feed
    cdu: str = ""
    nodes: Several
    switches: Several | None = None
    power_shelves: Several | None = None


class Pod(_Entry, frozen=True, kw_only=True):
    """One enclosure, or many alike by a range in the name."""

    name: Name
    rack: list[Rack]
    cdu: list[Device] = []
    switch: list[Device] = []
    pdu: list[Device] = []


class Control(_Entry, frozen=True, kw_only=True):
    """How control may use the site.

    Attributes:
        soc_min, soc_max: window that control keeps the battery in.
        soc_target: where it brings the battery back to when nothing else is asked of it.
        import_margin_frac: share of the import limit kept free for what cannot be foreseen.
        cap_floor_frac: lowest node cap, as a fraction of its maximum, before jobs should pause.
    """

    soc_min: Fraction = 0.2
    soc_max: Fraction = 0.9
    soc_target: Fraction = 0.6
    import_margin_frac: Fraction = 0.02
    cap_floor_frac: Fraction = 0.5


class Load(_Entry, frozen=True, kw_only=True):
    """What the simulated pods compute.

    Attributes:
        kind: `training` (synchronous), `inference`, `hpl`, `idle`, `constant` or `trace`.
        trace: CSV with ``t_s,power_w``, for `trace`.
        level: mean utilisation 0..1 for `constant` and `inference`.
    """

    kind: Literal["training", "inference", "hpl", "idle", "constant", "trace"] = "training"
    trace: str = ""
    scale_to_w: NotNegative = 0.0
    level: Fraction = 1.0
    iteration_s: Positive = 2.5


class Twin(_Entry, frozen=True, kw_only=True):
    """Present when the site is simulated: its load, weather and starting state.

    Attributes:
        ev_sessions_per_day: cars arriving per charger post and day; 0 leaves the posts empty.
        ev_sessions: CSV of sessions that replaces the generator.
    """

    load: Load = Load()
    soc_start: Fraction = 0.6
    ambient_degc: float = 20.0
    ev_sessions_per_day: NotNegative = 0.0
    ev_sessions: str = ""


class SiteFile(_Entry, frozen=True, kw_only=True):
    """A whole site file."""

    name: Name
    timezone: str = "UTC"
    grid: Grid
    transformer: list[Transformer] = []
    breaker: list[Breaker] = []
    battery: list[Device] = []
    charger: list[Device] = []
    ups: list[Device] = []
    pod: list[Pod] = []
    control: Control = Control()
    twin: Twin | None = None
