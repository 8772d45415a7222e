"""The pieces of the power tree that are no devices, as the site file gives them."""

from typing import Annotated, Literal

from msgspec import Meta

from mallee.site.entry import Address, Entry, FedBy, Fraction, Name, NotNegative, Positive


class Transformer(Entry, frozen=True, kw_only=True):
    """A transformer as a branch of the power tree; losses at rating as fractions of it.

    Losses where not given are those that EU regulation 548/2014 tier 2 allows from 0.8 to 2.5 MVA.

    Attributes:
        voltage_v: nominal line-to-line voltage below it; that above it where not given.
    """

    name: Name
    fed_by: FedBy = "grid"
    rating_va: Positive
    voltage_v: Positive | None = None
    no_load_loss_frac: Fraction = 0.0007
    load_loss_frac: Fraction = 0.0075
    impedance_frac: Fraction = 0.0575


class Breaker(Entry, frozen=True, kw_only=True):
    """A breaker (or a busway tap) as a branch of the power tree.

    Attributes:
        rating_a: continuous current setting Ir per phase.
        trip: `electronic` follows an LSI curve, `thermal-magnetic` a bimetal.
    """

    name: Name
    fed_by: FedBy
    rating_a: Positive
    trip: Literal["electronic", "thermal-magnetic"] = "electronic"


class Bus(Entry, frozen=True, kw_only=True):
    """A switchboard or a busway: what several breakers or taps hang on."""

    name: Name
    fed_by: FedBy
    rating_a: Positive


class Tie(Entry, frozen=True, kw_only=True):
    """A tie breaker, normally open, through which one switchboard can carry the other's load.

    Attributes:
        between: the two switchboards.
    """

    name: Name
    between: Annotated[list[str], Meta(min_length=2, max_length=2)]
    rating_a: Positive


class TransferSwitch(Entry, frozen=True, kw_only=True):
    """A branch that takes the first of its two sources that has voltage.

    Attributes:
        fed_by: the normal source, then the standby one; a genset is a source.
        type: `ats` has contactors and interrupts its load, `sts` thyristors and does not.
        transfer_s: interruption when it transfers; by `type` where not given.
        return_s: how long the normal source must be good before it is taken again.
        model: a catalogue model where it can be read over a protocol.
    """

    name: Name
    fed_by: Annotated[list[str], Meta(min_length=2, max_length=2)]
    rating_a: Positive
    type: Literal["ats", "sts"] = "ats"
    transfer_s: NotNegative | None = None
    return_s: NotNegative = 300.0
    model: str = ""
    address: Address = ""
    credentials: str = ""
    tls_ca: str = ""
