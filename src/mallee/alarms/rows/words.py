"""What the rows of all themes share."""

from typing import Final

MINUTE_S: Final = 60.0
SHIFT_S: Final = 8 * 3600.0
POWER: Final = ("breaker-open",)
"""What explains that something below it does not answer or does not run."""
