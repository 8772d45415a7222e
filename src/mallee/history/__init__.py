"""What a site was doing: readings in Parquet, events and the audit in SQLite, how to ask."""

from mallee.history.actions import ActionStore, StoredAction
from mallee.history.audit import AuditStore, StoredWrite
from mallee.history.events import EventStore, StoredEvent
from mallee.history.export import export_csv, export_parquet, iso, to_json, write_csv
from mallee.history.query import (
    History,
    Series,
    downsample,
    find_points,
    last_time,
    read_point,
    read_points,
)
from mallee.history.writer import HistoryFull, HistoryWriter

__all__ = [
    "ActionStore",
    "AuditStore",
    "EventStore",
    "History",
    "HistoryFull",
    "HistoryWriter",
    "Series",
    "StoredAction",
    "StoredEvent",
    "StoredWrite",
    "downsample",
    "export_csv",
    "export_parquet",
    "find_points",
    "iso",
    "last_time",
    "read_point",
    "read_points",
    "to_json",
    "write_csv",
]
