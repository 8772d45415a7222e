"""Does a feed's meter agree with the devices behind it? A wrong meter is worse than a missing one.

A current transformer put in backwards, a wrong ratio or a stuck register all give fresh, good
looking readings. What the meter shows less what the devices say is plant and losses: it follows
weather and load, slowly. That difference is averaged with its sign, because device readings are a
second old: a swing cancels in the mean, a lie stays.

      0      least              most                 twice the contract
    --|--------[==================]----------------------|----> mean of meter less devices
      a lie          agrees          a load unknown to us       a lie

Where the devices draw more than it shows, it lies: limits would be broken unseen. Where it shows
more, there may be a load that nobody told of: it is believed, and told. A meter whose reading does
not move by a bit while the devices move is stuck.
"""

import math

import msgspec

SLOW_S, BASE_S = 20.0, 300.0
"""A small lie is found in half a minute; what flows beside the devices is learned over minutes, so
that a lie is not learned."""
GROSS_TIMES = 4
"""A gross lie (ten times, the wrong sign) shows in so many comparisons in a row, with one sign: an
edge of a swing that the devices report a second late does so twice."""
ABSURD_TIMES = 2.0
"""So many times the contract cannot flow through a connection."""
GROSS_FRAC, FINE_FRAC = 0.25, 0.06
"""Unexplained power, as a share of what the devices draw, that speaks of a gross, a small lie."""
FLOOR_FRAC = 0.03
"""Below this share of the contract nothing is judged: small loads are known badly."""
BAND = (0.3, 1.7)
"""What flows beside the devices may be between these multiples of what was learned."""
YOUNG = 20
"""Comparisons before the mean is judged."""
FROZEN_S = 8.0
MOVED_FRAC = 0.02
"""A reading that keeps its last bit for `FROZEN_S` while the devices changed by this share of the
contract is stuck."""


class MeterCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What is held against one feed's meter.

    Attributes:
        compared: how often it was compared; a young mean says nothing yet.
        mean_w: meter less devices, over `SLOW_S`.
        base_w: what was learned to flow beside the devices; NaN before anything was.
        gross: comparisons in a row that were grossly off, negative below.
        last_w: its last reading, `last_known_w` what the devices said when it last moved.
        moved_s: when it last moved.
        distrusted: why it is left out of account; empty while it is trusted.
        unknown_w: load at it that no device accounts for; 0 where there is none to speak of.
    """

    compared: int = 0
    mean_w: float = 0.0
    base_w: float = math.nan
    gross: int = 0
    last_w: float = math.nan
    last_known_w: float = math.nan
    moved_s: float = -math.inf
    distrusted: str = ""
    unknown_w: float = 0.0


def next_check(
    before: MeterCheck,
    *,
    flow_w: float,
    reading_w: float,
    known_w: float,
    other_max_w: float,
    contracted_w: float,
    time_s: float,
    period_s: float,
) -> MeterCheck:
    """What is known of a meter after one more comparison. Called once a second.

    Args:
        flow_w: its mean over the last second.
        reading_w: its last reading as it came.
        known_w: what batteries, chargers and nodes say.
        other_max_w: the most that can flow beside them.
        contracted_w: size of the connection.
    """
    floor_w = FLOOR_FRAC * contracted_w
    scale_w = max(abs(known_w), floor_w)
    gross_w, fine_w = max(GROSS_FRAC * scale_w, 2.0 * floor_w), max(FINE_FRAC * scale_w, floor_w)
    low_w, high_w = _band(before.base_w, other_max_w)
    off_w = _off(flow_w - known_w, low_w, high_w)
    absurd_w = ABSURD_TIMES * contracted_w
    gross = _count(before.gross, off_w, gross_w, absurd_w)
    # Bounded, so that trust returns soon however far off a reading was.
    beside_w = max(flow_w - known_w, low_w - gross_w)
    beside_w = beside_w if beside_w < absurd_w else high_w
    compared = before.compared + 1
    mean_w = _mean(before.mean_w, beside_w, period_s / SLOW_S, compared)
    mean_off_w = _off(mean_w, low_w, high_w)
    moved = reading_w != before.last_w  # NaN moves, too
    moved_s = time_s if moved else before.moved_s
    last_known_w = known_w if moved else before.last_known_w
    stood_s = time_s - moved_s
    why = ""
    if stood_s >= FROZEN_S and abs(known_w - last_known_w) > MOVED_FRAC * contracted_w:
        why = f"its reading has stood at {reading_w / 1e3:.1f} kW for {stood_s:.0f} s"
    elif abs(gross) >= GROSS_TIMES:
        why = _unexplained(off_w)
    elif compared >= YOUNG and mean_off_w < -fine_w * (0.5 if before.distrusted else 1.0):
        why = _unexplained(mean_off_w)
    base_w = before.base_w
    if not why and compared >= YOUNG:
        seen_w = max(mean_w, 0.0)
        base_w = seen_w if math.isnan(base_w) else _mean(base_w, seen_w, period_s / BASE_S)
    return MeterCheck(
        compared=compared,
        mean_w=mean_w,
        base_w=base_w,
        gross=gross,
        last_w=reading_w,
        last_known_w=last_known_w,
        moved_s=moved_s,
        distrusted=why,
        unknown_w=mean_off_w if compared >= YOUNG and mean_off_w > gross_w else 0.0,
    )


def _count(before: int, off_w: float, gross_w: float, absurd_w: float) -> int:
    """Comparisons in a row that speak of a lie, with one sign."""
    if off_w > absurd_w:
        return max(before, 0) + 1
    if off_w < -gross_w:
        return min(before, 0) - 1
    return 0


def _mean(before: float, now: float, weight: float, count: int = 1_000_000) -> float:
    """Moving mean; the first few samples count alike."""
    return before + (now - before) * min(1.0, max(weight, 1.0 / count))


def _band(base_w: float, other_max_w: float) -> tuple[float, float]:
    """Least and most that may flow beside the devices."""
    if math.isnan(base_w):
        return 0.0, other_max_w
    return BAND[0] * base_w, max(BAND[1] * base_w, other_max_w)


def _off(mean_w: float, low_w: float, high_w: float) -> float:
    return mean_w - min(max(mean_w, low_w), high_w)


def _unexplained(off_w: float) -> str:
    if off_w > 0.0:
        return f"{off_w / 1e3:.0f} kW at it are not explained by any device"
    return f"devices draw {-off_w / 1e3:.0f} kW more than it shows"
