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
Count = Annotated[int, Meta(ge=1, le=100_000)]
NAME_PATTERN = r"^[a-zA-Z0-9_{][a-zA-Z0-9._{}-]*$"
Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
CLOCK_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"
ClockTime = Annotated[str, Meta(pattern=CLOCK_PATTERN)]
Feed = str | list[str]
Address = str | dict[str, str]


class _Entry(
    msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True
):
    """Base of every table in the file: a key that is not listed is an error."""


class Device(_Entry, frozen=True, kw_only=True):
    """One device, or several alike by a range in the name.

    Attributes:
        model: a catalogue model.
        fed_by: the branch above it; two branches mean it can transfer to the second.
        address: ``host:port``, or one per protocol (``{ redfish = "...", dcgm = "..." }``).
            A simulated site needs none.
        credentials: the name of a login in the secrets file; never the login itself.
        tls_ca: PEM file of the authority that signed the device's certificate, where it is not one
            that the system trusts.
    """

    name: Name
    model: str
    fed_by: Feed = ""
    address: Address = ""
    credentials: str = ""
    tls_ca: str = ""


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
    tls_ca: str = ""


class Rack(_Entry, frozen=True, kw_only=True):
    """One rack, or many alike by a range in the name.

    Attributes:
        fed_by: a range here spreads the racks over the branches in equal blocks.
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
    """What the simulated nodes compute. Activity 0 is idle, 1 is nameplate power.

    Attributes:
        kind: `training` (synchronous), `inference`, `hpl`, `idle`, `constant` or `trace`.
        trace: CSV (or .csv.gz) for `trace`, with ``t_s,power_w``, ``t_s,total_w`` or
            ``t_s,gpu0_w..gpuN_w,total_w``; relative to the working folder.
        scale_to_w: IT power that the trace's peak is scaled to; 0 takes ``power_w`` as it is and
            maps the ``gpu*_w`` columns onto the site's accelerators by their share of the peak.
        trace_form: `as-is`, or `deaveraged` to undo the 1 s average of the power sensors.
        level: mean activity for `constant` and `inference`, compute activity for `hpl`.
        iteration_s: time of one training iteration without caps.
        iteration_jitter_frac: standard deviation of it.
        compute_frac: share of an iteration that computes; the rest is exposed communication.
        compute_level, comm_level: activity in the two.
        bubbles, bubble_s, bubble_depth_frac: pipeline bubbles an iteration, their length, and the
            share of the activity that they take away.
        checkpoint_iterations: iterations between checkpoints; 0 for none.
        checkpoint_s, checkpoint_level: how long a checkpoint stalls the job, and activity then.
        checkpoint_jitter_frac: standard deviation of the length of the stalls.
        setup_s, setup_level: time before the first iteration (loading, compiling), and activity.
        wander_frac, wander_s: standard deviation and correlation time of a slow wander of the
            activity, as by data loading and clocks.
        start_ramp_s, stop_ramp_s: time to come up and to go down; 0 stops in one step.
        restart_s: from the return of a lost node to the job's restart.
        noise_frac: relative noise of each accelerator's dynamic power.
        throughput_class: which table of throughput versus cap holds; by `kind` where empty.
        replica_gpus: accelerators of one inference replica.
        requests: CSV of inference arrivals with ``t_s`` and optionally ``context_tokens`` and
            ``generated_tokens``; empty generates them.
        diurnal_frac: depth of the daily wave of inference arrivals, 0..1.
    """

    kind: Literal["training", "inference", "hpl", "idle", "constant", "trace"] = "training"
    trace: str = ""
    scale_to_w: NotNegative = 0.0
    trace_form: Literal["as-is", "deaveraged"] = "as-is"
    level: Fraction = 1.0
    iteration_s: Positive = 2.5
    iteration_jitter_frac: Fraction = 0.02
    compute_frac: Fraction = 0.82
    compute_level: Fraction = 0.95
    comm_level: Fraction = 0.15
    bubbles: Annotated[int, Meta(ge=0, le=32)] = 3
    bubble_s: NotNegative = 0.06
    bubble_depth_frac: Fraction = 0.25
    checkpoint_iterations: Annotated[int, Meta(ge=0)] = 240
    checkpoint_s: NotNegative = 10.0
    checkpoint_level: Fraction = 0.1
    checkpoint_jitter_frac: Fraction = 0.0
    setup_s: NotNegative = 0.0
    setup_level: Fraction = 0.07
    wander_frac: Fraction = 0.0
    wander_s: Positive = 2.0
    start_ramp_s: NotNegative = 2.0
    stop_ramp_s: NotNegative = 0.0
    restart_s: NotNegative = 180.0
    noise_frac: Fraction = 0.02
    throughput_class: Literal["", "training", "fine-tune", "inference", "pre-train"] = ""
    replica_gpus: Count = 8
    requests: str = ""
    diurnal_frac: Fraction = 0.4


class Job(_Entry, frozen=True, kw_only=True):
    """A load on some of the nodes.

    Attributes:
        on: pods, racks or nodes it runs on, each with at most one range: ``pod1/r{1..2}``.
        start_s, stop_s: twin time of its start and end; a `stop_s` of 0 never ends.
    """

    name: Name
    on: list[str]
    load: Load
    start_s: NotNegative = 0.0
    stop_s: NotNegative = 0.0


class Smoothing(_Entry, frozen=True, kw_only=True):
    """Power smoothing of the accelerators: the eight parameters of an NVML profile.

    Attributes:
        floor_frac: primary floor as a fraction of the accelerator's maximum.
        ramp_up_w_per_s, ramp_down_w_per_s: largest slopes of an accelerator's power.
        hysteresis_s: how long the floor is held after the work stopped.
        secondary_floor_w: floor while the primary one is not active; 0 for none.
        activation_window, target_window: lengths of the two moving averages, in base windows of
            100 ms; 0 takes the present value.
        activation_offset_w: the primary floor becomes active when the activation average exceeds
            it by this much.
    """

    floor_frac: Fraction = 0.6
    ramp_up_w_per_s: Positive = 5000.0
    ramp_down_w_per_s: Positive = 3000.0
    hysteresis_s: NotNegative = 2.0
    secondary_floor_w: NotNegative = 0.0
    activation_window: NotNegative = 1.0
    target_window: NotNegative = 0.0
    activation_offset_w: NotNegative = 0.0


class Twin(_Entry, frozen=True, kw_only=True):
    """Present when the site is simulated: its load, weather and starting state.

    Attributes:
        load: what runs on every node that no job names.
        jobs: loads placed on nodes.
        smoothing: power smoothing of the accelerators; none leaves it off.
        shelf_storage_j: energy storage in the power shelves for each accelerator (65 J class).
        ev_sessions_per_day: cars arriving per charger evse and day; 0 leaves the evses empty.
        ev_sessions: CSV of sessions that replaces the generator.
    """

    load: Load = Load()
    jobs: list[Job] = []
    smoothing: Smoothing | None = None
    shelf_storage_j: NotNegative = 0.0
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
