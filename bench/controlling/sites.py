"""Sites of the reproductions, made from the demo's text."""

import re
import tempfile
from pathlib import Path

from mallee.catalogue import load_site
from mallee.site.model import SiteModel

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples/sites"
MODELS = ROOT / "src/mallee/catalogue/models"

DEMO = (EXAMPLES / "charging-site.toml").read_text(encoding="utf-8")
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
[control]
soc_min = 0.2
soc_max = 0.9
soc_target = 0.6
[twin]
soc_start = 0.6
ambient_degc = 22
ev_sessions_per_day = 12
load = { kind = "training", iteration_s = 2.5 }
"""
"""Eight racks and a charging cabinet near their limit, without a battery."""
TINY = NO_BATTERY.replace("600e3", "450e3").replace(
    "[control]",
    '[[breaker]]\nname = "q-b"\nfed_by = "tx1"\nrating_a = 2500\n'
    '[[battery]]\nname = "bess1"\nmodel = "tiny"\nfed_by = "q-b"\n[control]',
)
"""The same with 450 kW and a battery of 100 kW and 25 kWh."""
RATINGS = {
    "power_max_w": 100e3,
    "energy_wh": 25e3,
    "charge_max_w": 100e3,
    "discharge_max_w": 100e3,
    "apparent_max_va": 110e3,
    "auxiliary_w": 300.0,
}


def made(text: str, *changes: tuple[str, str], degc: float | None = None) -> SiteModel:
    """A site from its text, with parts replaced.

    Args:
        degc: weather in place of its own.
    """
    if degc is not None:
        changes = (*changes, ("ambient_degc = 22", f"ambient_degc = {degc}"))
    for old, new in changes:
        if old not in text:
            raise ValueError(f"the site's text has no {old!r}")
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "site.toml"
        path.write_text(text, encoding="utf-8")
        if '"tiny"' in text:
            (path.parent / "catalogue").mkdir()
            (path.parent / "catalogue/tiny.toml").write_text(_tiny_battery(), encoding="utf-8")
        return load_site(path)


def _tiny_battery() -> str:
    """The demo's battery under another name, with other ratings."""
    text = (MODELS / "megapack-2h.toml").read_text(encoding="utf-8")
    text = text.replace('model = "megapack-2h"', 'model = "tiny"')
    for name, value in RATINGS.items():
        text = re.sub(
            rf"^({name} = (?:{{ value = )?)[0-9]+", rf"\g<1>{value:.0f}", text, flags=re.M
        )
    return text
