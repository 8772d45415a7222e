"""Pictures of a simulated run: one HTML page that needs nothing but itself."""

from mallee.twin.report.data import RunRecord
from mallee.twin.report.html import write_report

__all__ = ["RunRecord", "write_report"]
