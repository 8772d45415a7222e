"""The demo site as the runtime's tests see it."""

import logging
from pathlib import Path

import pytest
import structlog

from mallee.catalogue.read import load_site
from mallee.site.model import SiteModel

EXAMPLES = Path(__file__).parents[2] / "examples" / "sites"


@pytest.fixture(scope="session")
def site() -> SiteModel:
    """The charging site of `./run`."""
    return load_site(EXAMPLES / "charging-site.toml")


@pytest.fixture(autouse=True, scope="session")
def quiet_log() -> None:
    """Nothing is logged: pretty tracebacks of the failures that tests provoke take seconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
