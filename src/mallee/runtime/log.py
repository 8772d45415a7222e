"""Logs of the processes: one JSON object a line, to the file that the supervisor put behind stderr.

Events are for people and go to the board; a log line is for whoever looks into a process.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

# structlog's console renderer would import rich, a fifth of a second that every restart would pay.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

import structlog  # noqa: E402

_SECRET = ("password", "secret", "token", "authorization", "login", "cookie")


def start_log(role: str) -> None:
    """Log this process's lines under the name of its role; call once, first."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)
    # Libraries: warnings only. Their lower levels would print requests, and with them logins.
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(levelname)s: %(message)s")
    # It reports every connection that a client gives up as an error, with a dump of the bytes.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


def hide_secrets(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank whatever is named like a secret; nobody should log one, and if, it does not show."""
    for key in line:
        if any(word in key.lower() for word in _SECRET):
            line[key] = "***"
    return line
