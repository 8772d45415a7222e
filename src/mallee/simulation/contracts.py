"""What flowed at each utility feed of a run, against what its contract allowed at that time."""

from typing import NamedTuple

from mallee.core.arrays import FloatArray
from mallee.simulation.run import Simulation
from mallee.site.compliance import Compliance, check_record
from mallee.site.contract import UtilityFeed
from mallee.site.schedule import limits_over


class FeedRecord(NamedTuple):
    """One feed; powers are 1 s means at its meter.

    Attributes:
        import_w: negative where it exports.  # (seconds,)
        import_max_w, export_max_w: limits in force, by schedule.  # (seconds,) each
    """

    feed: UtilityFeed
    import_w: FloatArray
    import_max_w: FloatArray
    export_max_w: FloatArray
    compliance: Compliance


def feed_records(run: Simulation) -> list[FeedRecord]:
    """Every feed of the site, in the order of its file."""
    feeds, found = run.site.file.feeds, []
    for number, feed in enumerate(feeds):
        alone = len(feeds) == 1  # then the sum of all feeds is its record, to the last bit
        import_w = run.series["grid_w"] if alone else run.record.feeds_w[:, number]
        limits = limits_over(feed, run.clock, import_w.size)
        record = check_record(import_w, feed, *limits)
        found.append(FeedRecord(feed, import_w, *limits, record))
    return found
