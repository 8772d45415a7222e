"""The code's own rules, checked: units, clocks, sizes, dead files, data, links, paths."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from mallee.catalogue import load_models, load_site
from mallee.catalogue.read import MODELS_FOLDER, load_model
from mallee.core.device_model import DeviceModel
from mallee.core.units import UNITS
from mallee.site.checks import check_site
from tests.suffixes import FOREIGN, foreign_units, mixed_units, unit_of

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/mallee"
FILES = sorted(SOURCE.rglob("*.py"))
FOUND_BY_FOLDER = re.compile(r"mallee\.(kinds\.\w+|core\.protocols\.\w+|twin\.parts\.\w+(\.part)?)")
PURE = ("core", "kinds", "site", "control", "optimize", "twin", "alarms")  # no clock, no chance
CHANCE = {"time", "random", "secrets", "uuid"}
SEEDED = {"default_rng", "SeedSequence", "Generator", "Philox", "PCG64", "BitGenerator"}
LINES_MAX = 400  # a longer file says here why it is one thing
LONG_FILES: dict[str, str] = {}
FUNCTION_LINES_MAX = 100
WITHOUT_UNIT = {"on", "gain", "soc", "soh", "mode", "inverter_state", "efficiency", "cop"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def complaints(found: Iterator[tuple[int, str]], path: Path) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}: {text}" for line, text in found]


def test_units_do_not_mix() -> None:
    assert [text for path in FILES for text in complaints(mixed_units(tree(path)), path)] == []


def test_names_use_the_units_of_the_table() -> None:
    assert [text for path in FILES for text in complaints(foreign_units(tree(path)), path)] == []
    assert FOREIGN.isdisjoint(UNITS)


@pytest.mark.parametrize(
    "code",
    [
        "x = grid_import_w + energy_wh",
        "x = load_w if on else ramp_w_per_s",
        "end_s = start_ms",
        "f(power_w=max(ramp_w_per_s, 0.0))",
        "load_w[rows] -= capacity_wh",
        "if -supply_degc < rise_k: pass",
        "supply_degc = return_degc - set_degc",
        "limit_w = given_w or 0.0",
        "x_w: float = site.energy_wh",
        "power_mw = 1",
        "def heat_kw(): pass",
        "def f(wait_minutes): pass",
        "x_w = np.where(on, energy_wh, 0.0)",
    ],
)
def test_the_unit_check_finds(code: str) -> None:
    parsed = ast.parse(code)
    assert len([*mixed_units(parsed), *foreign_units(parsed)]) == 1


@pytest.mark.parametrize(
    "code",
    [
        "energy_wh = power_w * time_s / SECONDS_PER_HOUR",
        "import_w = pods_w + battery_charge_w - self.export_w[0]",
        "price_usd_per_mwh = other_usd_per_mwh",
        "f(power_w=load_w, time_s=now_s)",
        "soc = stored_wh / capacity_wh",
        "ok = power_w > 0.0 or time_s > 0.0",
        "rise_k = return_degc - supply_degc",
        "supply_degc += rise_k",
        "warm_k = supply_degc - 3.0 + ZERO_CELSIUS_K",
        "past_s = (now - then).total_seconds() - delay_s",
    ],
)
def test_the_unit_check_lets_pass(code: str) -> None:
    parsed = ast.parse(code)
    assert [*mixed_units(parsed), *foreign_units(parsed)] == []


def test_the_longest_unit_counts() -> None:
    names = {
        "ramp_w_per_s": "w_per_s",
        "price_usd_per_mwh": "usd_per_mwh",
        "per_k": None,
        "x_w_per_hz": None,
    }
    assert {name: unit_of(name) for name in names} == names


def _unpredictable(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Clocks, global random numbers, and loops over sets, whose order is anybody's guess."""
    for node in ast.walk(module):
        text = ""
        if isinstance(node, ast.Import):
            text = " ".join(n.name for n in node.names if n.name.split(".")[0] in CHANCE)
        elif isinstance(node, ast.ImportFrom) and node.module in CHANCE:
            text = node.module
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            random = re.match(r"(np|numpy)\.random\.\w+$", name) and node.attr not in SEEDED
            text = name if random or re.search(r"\bdate(time)?\.(now|utcnow|today)$", name) else ""
        elif isinstance(node, ast.For | ast.AsyncFor):
            text = _set_order(node.iter)
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp):
            text = " ".join(_set_order(part.iter) for part in node.generators)
        if text.strip():
            yield getattr(node, "lineno", 0), f"depends on clock or chance: {text.strip()}"


def _set_order(loop: ast.expr) -> str:
    called = isinstance(loop, ast.Call) and ast.unparse(loop.func) in ("set", "frozenset")
    return ast.unparse(loop) if called or isinstance(loop, ast.Set | ast.SetComp) else ""


def test_core_control_and_twin_know_no_clock_and_no_chance() -> None:
    pure = [path for path in FILES if path.relative_to(SOURCE).parts[0] in PURE]
    assert len(pure) > 30
    assert [text for path in pure for text in complaints(_unpredictable(tree(path)), path)] == []


@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "from random import choice",
        "x = datetime.now(UTC)",
        "x = np.random.normal()",
        "for x in {1, 2}: pass",
        "y = [x for x in set(z)]",
    ],
)
def test_the_clock_check_finds(code: str) -> None:
    assert len(list(_unpredictable(ast.parse(code)))) == 1


SAME_BYTES = ("core", "kinds", "site", "control", "twin")  # on any number of cores
BLAS = {"dot", "vdot", "inner", "matmul", "tensordot", "einsum"}


def _blas(parsed: ast.AST) -> Iterator[tuple[int, str]]:
    """Products that BLAS may add up in another order with another number of threads."""
    for node in ast.walk(parsed):
        is_product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
        if is_product or (isinstance(node, ast.Attribute) and node.attr in BLAS):
            yield getattr(node, "lineno", 0), "adds up in an order of BLAS: use (a * b).sum()"


def test_what_is_simulated_adds_up_in_one_order() -> None:
    found = [
        text
        for path in FILES
        if path.relative_to(SOURCE).parts[0] in SAME_BYTES
        for text in complaints(_blas(tree(path)), path)
    ]
    assert found == []


@pytest.mark.parametrize("code", ["x = a @ b", "x = np.dot(a, b)", "x = a.dot(b)"])
def test_the_check_of_sums_finds(code: str) -> None:
    assert len(list(_blas(ast.parse(code)))) == 1


def test_files_and_functions_stay_readable() -> None:
    found = []
    for path in FILES:
        name = str(path.relative_to(SOURCE))
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LINES_MAX and name not in LONG_FILES:
            found.append(f"{name} has {lines} lines, at most {LINES_MAX}: split it, or say why not")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    found.append(f"{name}:{node.lineno}: {node.name} has {lines} lines")
    assert found == []
    assert [name for name in LONG_FILES if not (SOURCE / name).exists()] == []


def test_no_file_is_dead() -> None:
    """Every module is imported, started by name as a process, found by its folder, or the command
    line itself."""
    used = {"mallee", "mallee.cli"}
    for path in [*FILES, *sorted(ROOT.glob("bench/**/*.py"))]:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                used.update(name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                used.add(node.module)
                used.update(f"{node.module}.{name.name}" for name in node.names)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)  # a process is started by its module's name
    modules = {".".join(path.relative_to(ROOT / "src").with_suffix("").parts) for path in FILES}
    dead = {m.removesuffix(".__init__") for m in modules if not m.endswith("__init__")} - used
    dead = {name for name in dead if not FOUND_BY_FOLDER.fullmatch(name)}
    assert sorted(name for name in dead if not name.endswith("__main__")) == []


@pytest.mark.parametrize("path", sorted(MODELS_FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_catalogue_models_are_complete(path: Path) -> None:
    model: DeviceModel = load_model(path)
    assert model.model == path.stem
    for name, parameter in {**model.physics, **model.limits}.items():
        assert parameter.source.strip(), f"{name} has no source"
    names = [*model.physics, *model.limits, *(point.name for point in model.point)]
    assert [n for n in names if unit_of(f"x_{n}") not in UNITS and not _unitless(n)] == []
    for protocol in model.protocol.values():
        assert protocol.timeout_s > 0.0
        assert protocol.poll_s > 0.0
    for point in model.point:
        assert point.at or point.constant is not None, f"{point.name} is nowhere"
    assert model.power_min_w <= model.power_max_w


def _unitless(name: str) -> bool:
    return any(name == word or name.endswith(f"_{word}") for word in WITHOUT_UNIT)


def test_the_catalogue_holds_the_first_kinds() -> None:
    kinds = {model.kind for model in load_models().values()}
    assert kinds >= {"node", "switch", "power_shelf", "cdu", "meter", "battery", "charger"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/sites/*.toml")), ids=lambda p: p.stem)
def test_example_sites_load_without_errors(path: Path) -> None:
    assert [finding for finding in check_site(load_site(path)) if finding.level == "error"] == []


def committed() -> list[Path]:
    """Files under version control; all of the known folders where there is none."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    if listed.returncode or not paths:
        folders = ("src", "tests", "docs", "examples", "bench", "locks")
        paths = [p for folder in folders for p in (ROOT / folder).rglob("*")]
    return [p for p in paths if p.is_file() and "__pycache__" not in p.parts]


def test_links_of_the_documents_lead_somewhere() -> None:
    found = []
    for page in (path for path in committed() if path.suffix == ".md"):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text):
            target, _, anchor = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            there = page.parent / target if target else page
            if not there.exists():
                found.append(f"{page.relative_to(ROOT)}: {link}")
            elif anchor and anchor not in _anchors(there):
                found.append(f"{page.relative_to(ROOT)}: no heading for {link}")
    assert found == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_nothing_names_a_machine() -> None:
    """No path of somebody's computer, no package host: a clone works anywhere."""
    hosts = ("py" + "pi.org", "registry." + "npmjs", "python" + "hosted.org")
    places = re.compile("|".join([r"/(?:work|root|home|Users)/\w", *map(re.escape, hosts)]))
    found = []
    for path in committed():
        if path == Path(__file__) or path.suffix in (".png", ".bin", ".woff2", ".ico"):
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if places.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []
