"""What the console's tests share."""

import logging

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def quiet_log() -> None:
    """Nothing is logged: pretty tracebacks of the failures that tests provoke take seconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
