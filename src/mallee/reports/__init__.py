"""Pictures of a simulated run: one HTML page that needs nothing but itself."""

from mallee.reports.data import RunRecord
from mallee.reports.html import write_report

__all__ = ["RunRecord", "write_report"]
