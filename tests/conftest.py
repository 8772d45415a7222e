"""What tests of every layer share: the repository, example sites, data that lives beside it."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mallee.catalogue import load_site
from mallee.site.model import SiteModel

ROOT = Path(__file__).parents[1]

# A busy machine is no failure: no test has a time limit. What CI runs is the same twice; at a desk
# every run tries other cases.
settings.register_profile(
    "any machine",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Measured traces and golden files, which are too large for the repository."""
    folder = Path(os.environ.get("MALLEE_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"NO SHARED DATA: {folder}/data is missing; set MALLEE_SHARED to test with it")
    return folder


@pytest.fixture(scope="session")
def demo_site() -> SiteModel:
    """The site that `./run` starts."""
    return load_site(ROOT / "examples/sites/charging-site.toml")


@pytest.fixture(scope="session")
def large_site() -> SiteModel:
    """67,104 GPUs."""
    return load_site(ROOT / "examples/sites/cortex-67k.toml")
