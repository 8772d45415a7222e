"""Small sites for tests: the demo site's text with changes, decoded as if from a file."""

import tomllib
from pathlib import Path

import msgspec

from mallee.catalogue import load_models
from mallee.site.build import build_site
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel

DEMO = Path(__file__).parents[2] / "examples/sites/charging-site.toml"


def demo_with(*changes: tuple[str, str]) -> SiteModel:
    """The demo site with pieces of its text replaced; each piece must occur."""
    text = DEMO.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"{old!r} is not in the demo site"
        text = text.replace(old, new)
    file = msgspec.convert(tomllib.loads(text), SiteFile)
    return build_site(file, load_models(), "site.toml")
