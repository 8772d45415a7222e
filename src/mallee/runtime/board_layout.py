"""Where everything stands in the board's file: regions in order, each on its own cache line."""

from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mallee.runtime.event_ring import SLOT_BYTES, SLOTS
from mallee.runtime.roles import COLLECTORS_MAX, PROCESSES
from mallee.site.model import SiteModel

LAYOUT: Final = 3
"""Grows with every change of what follows; a board of another layout is not opened."""

TIMINGS: Final = 4096
STATUS_BYTES: Final = 32 * 1024
STATE_BYTES_PER_DEVICE: Final = 512
PLANS_BYTES: Final = 256 * 1024
OUTLOOK_BYTES: Final = 256 * 1024
REQUESTS_BYTES: Final = 256 * 1024
REASONS, REASON_BYTES = 1024, 1024
RECORDS_MIN: Final = 4096
ALIGNMENT: Final = 64

HEADER: Final = np.dtype([("magic", "S8"), ("layout", "i8"), ("digest", "S16"), ("session", "i8")])
MAGIC: Final = b"MALLEE\r\n"

COMMAND: Final = np.dtype(
    [
        ("number", "i8"),
        ("row", "i8"),
        ("value", "f8"),
        ("lease_s", "f8"),
        ("time_s", "f8"),
        ("reason", "i8"),
    ]
)
"""One write that control asked for; `number` counts them, `reason` is a number of a reason."""

OUTCOME: Final = np.dtype(
    [
        ("number", "i8"),
        ("command", "i8"),
        ("row", "i8"),
        ("time_s", "f8"),
        ("reading", "f8"),
        ("progress", "u1"),
    ]
)
"""What came of a command: its `Progress` and, where it was read back, the reading."""

Field = tuple[np.dtype[np.generic], tuple[int, ...], int]


def settable_count(site: SiteModel) -> int:
    """How many points of a site can be written."""
    return sum(
        group.count * sum(point.access == "readwrite" for point in group.model.point)
        for group in site.groups
    )


def fields_of(site: SiteModel) -> dict[str, Field]:
    """Type, shape and offset of each region, in file order."""
    points, processes = site.point_count, len(PROCESSES)
    state_bytes = STATUS_BYTES + STATE_BYTES_PER_DEVICE * site.device_count
    records = max(RECORDS_MIN, 4 * settable_count(site))
    regions: dict[str, tuple[DTypeLike, tuple[int, ...]]] = {
        "header": (HEADER, (1,)),
        "command_sequence": ("i8", (1,)),
        "reading_sequences": ("i8", (COLLECTORS_MAX,)),
        "values": ("f8", (points,)),
        "times_s": ("f8", (points,)),
        "quality": ("u1", (points,)),
        "progress": ("u1", (points,)),
        "handled": ("i8", (points,)),
        "command_values": ("f8", (points,)),
        "command_leases_s": ("f8", (points,)),
        "command_times_s": ("f8", (points,)),
        "command_reasons": ("i8", (points,)),
        "command_numbers": ("i8", (points,)),
        "command_count": ("i8", (1,)),
        "command_log": (COMMAND, (records,)),
        "outcome_counts": ("i8", (COLLECTORS_MAX,)),
        "outcomes": (OUTCOME, (COLLECTORS_MAX, records)),
        "reason_count": ("i8", (1,)),
        "reason_marks": ("i8", (REASONS, 3)),
        "reasons": ("u1", (REASONS, REASON_BYTES)),
        "pids": ("i8", (processes,)),
        "beats_s": ("f8", (processes,)),
        "timing_count": ("i8", (1,)),
        "timings_s": ("f8", (TIMINGS, 2)),
        **_blob("status", STATUS_BYTES),
        **_blob("state", state_bytes),
        **_blob("plans", PLANS_BYTES),
        **_blob("outlook", OUTLOOK_BYTES),
        **_blob("requests", REQUESTS_BYTES),
        "event_heads": ("i8", (processes,)),
        "event_marks": ("i8", (processes, SLOTS, 3)),
        "events": ("u1", (processes, SLOTS, SLOT_BYTES)),
    }
    fields: dict[str, Field] = {}
    offset = 0
    for name, (kind, shape) in regions.items():
        dtype = np.dtype(kind)
        fields[name] = (dtype, shape, offset)
        size = dtype.itemsize * int(np.prod(shape))
        offset += -(-size // ALIGNMENT) * ALIGNMENT
    return fields


def _blob(name: str, size: int) -> dict[str, tuple[DTypeLike, tuple[int, ...]]]:
    return {
        f"{name}_head": ("i8", (1,)),
        f"{name}_sizes": ("i8", (2, 2)),
        name: ("u1", (2, size)),
    }


def size_of(site: SiteModel) -> int:
    """Bytes of a board; most of it stays untouched and takes no memory."""
    dtype, shape, offset = list(fields_of(site).values())[-1]
    return offset + dtype.itemsize * int(np.prod(shape))


def arrays_of(site: SiteModel, memory: Any) -> dict[str, NDArray[Any]]:
    """Views of all regions in a mapped file."""
    return {
        name: np.frombuffer(memory, dtype, int(np.prod(shape)), offset).reshape(shape)
        for name, (dtype, shape, offset) in fields_of(site).items()
    }
