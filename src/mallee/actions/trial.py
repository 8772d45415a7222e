"""What a trial of an action gives: numbers beside the limits that they are held against."""

import msgspec


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """The highest, lowest and last of what a trial saw after the action began.

    Attributes:
        import_last_w: mean of the last ten seconds.
        nodes_last_w: what nodes draw then.
        soc_min: lowest state of charge; None without a battery.
        die_max_degc: hottest accelerator; None where none is reported.
    """

    import_max_w: float
    import_last_w: float
    nodes_last_w: float
    chargers_last_w: float
    soc_min: float | None
    die_max_degc: float | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A trial with the action, and beside it the same without.

    Attributes:
        trial_s: how long each was.
        start: where they started from: `the twin now`, or `the model at present readings`.
        limit_w: import limit of the contract.
        soc_floor: lowest state of charge that control uses.
        throttle_degc: where accelerators slow down by themselves; None where unknown.
        breaks: limits that the trial with the action breaks and the other does not.
    """

    trial_s: int
    start: str
    limit_w: float
    soc_floor: float
    throttle_degc: float | None
    with_it: Course
    without: Course
    breaks: list[str]
