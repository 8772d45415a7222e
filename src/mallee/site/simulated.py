"""The ``[twin]`` of a simulated site: its load, weather and starting state."""

from typing import Annotated, Literal

from msgspec import Meta

from mallee.site.entry import Count, Entry, Fraction, Name, NotNegative, Positive


class Load(Entry, frozen=True, kw_only=True):
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


class Job(Entry, frozen=True, kw_only=True):
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


class Smoothing(Entry, frozen=True, kw_only=True):
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


class Twin(Entry, frozen=True, kw_only=True):
    """Present when the site is simulated: its load, weather and starting state.

    Attributes:
        load: what runs on every node that no job names.
        jobs: loads placed on nodes.
        smoothing: power smoothing of the accelerators; none leaves it off.
        shelf_storage_j: energy storage in the power shelves for each accelerator (65 J class).
        ambient_degc: outside air where no weather file says it.
        weather: CSV (or .csv.gz) of a typical year, hour by hour: ``hour_of_year,temp_c`` and
            ``ghi_w_m2`` where there is sun, or ``month,day,hour,temp_c,ghi_wh_m2``.
        latitude_deg: north positive; gives the sun of a clear sky where no file does.
        ev_sessions_per_day: cars arriving per charger evse and day; 0 leaves the evses empty.
        ev_sessions: CSV of sessions that replaces the generator.
    """

    load: Load = Load()
    jobs: list[Job] = []
    smoothing: Smoothing | None = None
    shelf_storage_j: NotNegative = 0.0
    soc_start: Fraction = 0.6
    ambient_degc: float = 20.0
    weather: str = ""
    latitude_deg: Annotated[float, Meta(ge=-90, le=90)] | None = None
    ev_sessions_per_day: NotNegative = 0.0
    ev_sessions: str = ""
