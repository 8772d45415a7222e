"""Small sites for tests: the demo site's text with changes, decoded as if from a file."""

import tomllib
from pathlib import Path

import msgspec

from mallee.catalogue import load_models
from mallee.catalogue.read import Survey, survey
from mallee.site.build import build_site
from mallee.site.checks import Finding, check_site
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel

DEMO = Path(__file__).parents[2] / "examples/sites/charging-site.toml"

HALL = """
name = "hall"
timezone = "Europe/Berlin"

[grid]
contracted_w = 800e3
import_max_w = 800e3
voltage_v = 400
frequency_hz = 50
meter = { name = "meter", model = "grid-meter-sunspec" }

[[transformer]]
name = "tx{1..2}"
rating_va = 1000e3

[[switchboard]]
name = "msb{1..2}"
fed_by = "tx{1..2}"
rating_a = 1600

[[breaker]]
name = "q-a"
fed_by = "msb1"
rating_a = 800

[[breaker]]
name = "q-b"
fed_by = "msb2"
rating_a = 800

[[breaker]]
name = "q-plant"
fed_by = "msb2"
rating_a = 630

[[chiller]]
name = "ch{1..2}"
model = "chiller-air-cooled-500kw"
fed_by = "q-plant"

[[air_handler]]
name = "ah{1..4}"
model = "air-handler-120kw"
fed_by = "q-plant"

[[pod]]
name = "pod1"

[[pod.rack]]
name = "r{1..8}"
fed_by = ["q-a", "q-b"]
nodes = { model = "nvidia-hgx-h100-node", count = 4 }

[twin]
load = { kind = "training" }
"""
"""An air-cooled hall in order: check finds nothing in it."""

WET = """
name = "wet"

[grid]
contracted_w = 2e6
import_max_w = 2e6
meter = { name = "meter", model = "grid-meter-sunspec" }

[[transformer]]
name = "tx1"
rating_va = 2500e3

[[breaker]]
name = "q-pod"
fed_by = "tx1"
rating_a = 2000

[[breaker]]
name = "q-plant"
fed_by = "tx1"
rating_a = 1000

[[dry_cooler]]
name = "dc{1..3}"
model = "dry-cooler-700kw"
fed_by = "q-plant"

[[chiller]]
name = "trim{1..2}"
model = "chiller-trim-1000kw"
fed_by = "q-plant"

[[chiller]]
name = "ch{1..2}"
model = "chiller-air-cooled-500kw"
fed_by = "q-plant"

[[air_handler]]
name = "ah{1..3}"
model = "air-handler-120kw"
fed_by = "q-plant"

[[pod]]
name = "pod1"
cdu = [{ name = "cdu{1..2}", model = "cdu-1300kw", fed_by = "q-pod" }]
cdu_group = [{ name = "loop", cdus = "cdu{1..2}", spare = 1 }]

[[pod.rack]]
name = "r{1..8}"
fed_by = "q-pod"
cdu = "loop"
nodes = { model = "nvidia-gb200-nvl72-compute-tray", count = 18 }
switches = { model = "nvidia-gb200-nvl72-switch-tray", count = 9 }
power_shelves = { model = "orv3-power-shelf-33kw", count = 8 }

[twin]
load = { kind = "training" }
"""
"""A liquid-cooled pod in order, with one CDU, trim chiller and air handler to spare."""


def demo_with(*changes: tuple[str, str]) -> SiteModel:
    """The demo site with pieces of its text replaced; each piece must occur."""
    return built(changed(DEMO.read_text(encoding="utf-8"), *changes))


def changed(text: str, *changes: tuple[str, str]) -> str:
    """A text with pieces replaced once each; each piece must occur."""
    for old, new in changes:
        assert old in text, f"{old!r} is not in the site"
        text = text.replace(old, new)
    return text


def built(text: str) -> SiteModel:
    """The site of a text."""
    return build_site(msgspec.convert(tomllib.loads(text), SiteFile), load_models(), "site.toml")


def found_in(text: str) -> list[Finding]:
    """What is found in a site that can be built."""
    return check_site(built(text), lambda cap_frac: cap_frac)


def surveyed(text: str, folder: Path) -> Survey:
    """A text as a file, looked over; the folder `catalogue` beside it counts."""
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return survey(path)


def lines(found: list[Finding], level: str = "") -> list[str]:
    """Findings as the command line prints them, without hints."""
    return [f"{f.where}: {f.text}".split(": control")[0] for f in found if level in ("", f.level)]
