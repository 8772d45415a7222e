"""What the documents show is tried: Python runs, TOML loads, commands and their options exist.

Blocks are marked after the fence: ``python`` is executed, ``toml`` is read, ``toml site`` and
``toml model`` must be complete, and lines of ``console`` blocks that begin with ``$`` are parsed by
the command line's own parser, so that a renamed option shows here.
"""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from mallee.catalogue import load_site
from mallee.catalogue.read import load_model
from mallee.cli import app
from mallee.site.checks import check_site
from mallee.site.file import SiteFile
from mallee.site.simulated import Load, Smoothing

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if "node_modules" not in page.parts
)
# Commands that are not ours; the documents may show them, nobody runs them here.
OTHERS = {
    "git",
    "cd",
    "cp",
    "ssh",
    "npm",
    "sudo",
    "apt",
    "uv",
    "curl",
    "kill",
    "openssl",
    ".ci/run",
}
TOOLS = {"test", "bench", "npm", "ruff", "mypy", "pre-commit", "lint-imports"}


def blocks(*kinds: str) -> list[tuple[str, str]]:
    """Where and what: blocks of some kinds in all pages."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"^```([^\n]+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            if match[1].strip() in kinds:
                line = text[: match.start()].count("\n") + 1
                found.append((f"{page.relative_to(ROOT)}:{line}", match[2]))
    return found


def commands() -> list[tuple[str, list[str]]]:
    """Where, and the words of one command without variables set before it."""
    found = []
    for where, text in blocks("console"):
        lines = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        for part in re.split(r"\s*(?:&&|\||\n)\s*", "\n".join(lines)):
            words = shlex.split(part, comments=True)
            found.append((where, [w for w in words if not re.match(r"[A-Z_]+=", w)]))
    return found


def marked(found: list[tuple[str, Any]]) -> list[Any]:
    """Test cases with names that say where they come from."""
    return [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(found)]


@pytest.mark.parametrize(("where", "words"), marked(commands()))
def test_commands_exist(where: str, words: list[str]) -> None:
    name, *rest = words
    if name in OTHERS:
        return
    assert name in ("./run", "mallee"), f"{where} shows {name!r}: ours, or to be listed in OTHERS?"
    for word in rest:
        if word.startswith(("examples/", "tests/")):
            assert (ROOT / word).exists(), f"{where} names {word}, which does not exist"
    if name == "./run" and (not rest or rest[0] in TOOLS):
        return
    app.parse_args(rest, exit_on_error=False, print_error=False)


@pytest.mark.parametrize(("where", "code"), marked(blocks("python")))
def test_python_runs(
    where: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, where, "exec"), {"__name__": where})


@pytest.mark.parametrize(("where", "text"), marked(blocks("toml", "toml site", "toml model")))
def test_toml_is_toml(where: str, text: str) -> None:
    assert tomllib.loads(text), where


@pytest.mark.parametrize(("where", "text"), marked(blocks("toml site")))
def test_sites_can_be_built(where: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    site = load_site(path)
    assert site.device_count > 0, where
    assert [finding for finding in check_site(site) if finding.level == "error"] == [], where


@pytest.mark.parametrize(("where", "text"), marked(blocks("toml model")))
def test_models_are_complete(where: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text(text, encoding="utf-8")
    assert load_model(path).point, where


def test_every_key_of_the_site_file_is_explained() -> None:
    page = (ROOT / "docs/site-file.md").read_text(encoding="utf-8")
    assert [key for key in sorted(_keys(SiteFile)) if key not in re.findall(r"\w+", page)] == []


def _keys(shape: type[msgspec.Struct]) -> set[str]:
    """Keys of a table and those below it; loads and smoothing explain themselves in the code."""
    found = set()
    for name, hint in get_type_hints(shape).items():
        found.add(name)
        for part in (hint, *get_args(hint)):
            below = isinstance(part, type) and issubclass(part, msgspec.Struct)
            if below and part not in (Load, Smoothing):
                found |= _keys(part)
    return found
