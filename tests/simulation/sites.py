"""Sites of simulation tests, made from the demo and from text."""

import tempfile
from pathlib import Path

from mallee.catalogue import load_site
from mallee.site.model import SiteModel

ROOT = Path(__file__).parents[2]
DEMO = (ROOT / "examples/sites/charging-site.toml").read_text(encoding="utf-8")

NO_BATTERY = """
name = "nobat"
timezone = "America/Chicago"
[grid]
contracted_w = 600e3
import_max_w = 600e3
ramp_up_max_w_per_s = 1000
ramp_down_max_w_per_s = 1000
meter = { name = "meter", model = "grid-meter-sunspec" }
[[transformer]]
name = "tx1"
rating_va = 750e3
[[breaker]]
name = "q-pod"
fed_by = "tx1"
rating_a = 1200
[[breaker]]
name = "q-ev1"
fed_by = "tx1"
rating_a = 1250
[[charger]]
name = "ev1"
model = "charger-cabinet-8x250kw"
fed_by = "q-ev1"
[[pod]]
name = "pod1"
cdu = [{ name = "cdu1", model = "cdu-1300kw", fed_by = "q-pod" }]
[[pod.rack]]
name = "r{1..8}"
fed_by = "q-pod"
cdu = "cdu1"
nodes = { model = "nvidia-hgx-h100-node", count = 4 }
[twin]
ambient_degc = 22
ev_sessions_per_day = 12
load = { kind = "training", iteration_s = 2.5 }
"""
"""Eight air and liquid racks and a charging cabinet near their limit, without a battery."""


def made(text: str, *changes: tuple[str, str]) -> SiteModel:
    """A site from its text, with parts replaced."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "site.toml"
        path.write_text(text, encoding="utf-8")
        return load_site(path)


def at_ambient(text: str, degc: int) -> SiteModel:
    """A site in other weather."""
    return made(text, ("ambient_degc = 22", f"ambient_degc = {degc}"))
