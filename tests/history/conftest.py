"""A small site: three kinds of device, so three tables a minute."""

import tomllib

import msgspec
import pytest

from mallee.catalogue import load_models
from mallee.site.build import build_site
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel

SITE = """
name = "small"
[grid]
contracted_w = 200e3
import_max_w = 200e3
ramp_up_max_w_per_s = 500
ramp_down_max_w_per_s = 500
meter = { name = "meter", model = "grid-meter-sunspec" }
[[transformer]]
name = "tx1"
rating_va = 250e3
[[battery]]
name = "bess1"
model = "megapack-2h"
fed_by = "tx1"
[[pod]]
name = "pod1"
[[pod.rack]]
name = "r{1..2}"
fed_by = "tx1"
nodes = { model = "nvidia-hgx-h100-node", count = 2 }
"""


@pytest.fixture(scope="session")
def site() -> SiteModel:
    """A meter, a battery and four nodes in two racks."""
    return build_site(msgspec.convert(tomllib.loads(SITE), SiteFile), load_models())
