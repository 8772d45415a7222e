"""The demo site as the runtime's tests see it."""

from pathlib import Path

import pytest

from mallee.catalogue.read import load_site
from mallee.core.site import SiteModel

EXAMPLES = Path(__file__).parents[2] / "examples" / "sites"


@pytest.fixture(scope="session")
def site() -> SiteModel:
    """The charging site of `./run`."""
    return load_site(EXAMPLES / "charging-site.toml")
