"""One-line faults that the tests must notice. `./run bench mutants [--json] [--only WORD]`

Each is put into a scratch copy of the sources and the tests that should notice are run there; a
mutant that no test notices *survives*. A row whose text is no longer in its file is *stale*: the
code has moved on, and the row must follow. Compiled code runs as plain Python
(``NUMBA_DISABLE_JIT=1``), so that a changed line costs no compiling.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutations import Mutant, control, judges, physics, sites

ROOT = Path(__file__).parents[1]
COPIED = (
    "src",
    "tests",
    "bench",
    "examples",
    "pyproject.toml",
    "docs",
    "README.md",
    "CHANGELOG.md",
)
TIMEOUT_S = 600
NOT_COPIED = shutil.ignore_patterns("__pycache__", "node_modules", "static", "*.nbi", "*.nbc")

MUTANTS: tuple[Mutant, ...] = (
    *physics.MUTANTS,
    *control.MUTANTS,
    *sites.MUTANTS,
    *judges.MUTANTS,
)


def is_stale(mutant: Mutant) -> bool:
    """Whether its text does not occur once in its file, or one of its tests is gone."""
    path = ROOT / "src/mallee" / mutant.file
    if not path.exists() or path.read_text(encoding="utf-8").count(mutant.before) != 1:
        return True
    return not all((ROOT / word).exists() for word in mutant.tests if word.startswith("tests/"))


def make_copy(folder: Path) -> None:
    """The sources and tests in a folder of their own."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=NOT_COPIED)
        elif source.exists():
            shutil.copy(source, folder / name)


def run_tests(folder: Path, words: tuple[str, ...]) -> bool:
    """Whether the tests pass in a copy."""
    environment = os.environ | {
        "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}",
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not browser"]
    command = [sys.executable, "-m", "pytest", *options, *words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False  # a fault that makes the code run for ever is noticed
    return done.returncode == 0


def survives(folder: Path, mutant: Mutant) -> bool:
    """Put a fault in, run its tests, take it out again."""
    path = folder / "src/mallee" / mutant.file
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace(mutant.before, mutant.after, 1), encoding="utf-8")
    try:
        return run_tests(folder, mutant.tests)
    finally:
        path.write_text(sound, encoding="utf-8")


def judge(mutants: list[Mutant], processes: int) -> list[Mutant]:
    """Those that survive, each copy working through its share."""
    shares = [mutants[n::processes] for n in range(processes)]

    def work(share: list[Mutant]) -> list[Mutant]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_copy(folder)
            left = []
            for mutant in share:
                alive = survives(folder, mutant)
                left += [mutant] if alive else []
                word = "SURVIVES" if alive else "killed"
                print(f"{word:<9} {mutant.file}: {mutant.what}", file=sys.stderr, flush=True)
            return left

    with ThreadPoolExecutor(processes) as pool:
        return [mutant for left in pool.map(work, shares) for mutant in left]


def main() -> None:
    """Check the sound copy first, then every mutant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose file holds this word")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if words.only in mutant.file]
    stale = [mutant for mutant in chosen if is_stale(mutant)]
    alive = [mutant for mutant in chosen if mutant not in stale]
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        make_copy(Path(name))
        for tests in dict.fromkeys(mutant.tests for mutant in alive):
            if not run_tests(Path(name), tests):
                sys.exit(f"mutants: {' '.join(tests)} fails without any fault")
    left = judge(alive, words.processes)
    killed = len(alive) - len(left)
    answer = {
        "mutants": len(alive),
        "mutants_killed": killed,
        "mutants_killed_frac": killed / max(len(alive), 1),
        "mutants_stale": len(stale),
        "survivors": [f"{mutant.file}: {mutant.what}" for mutant in left],
        "stale": [f"{mutant.file}: {mutant.before}" for mutant in stale],
        "seconds": round(time.monotonic() - began_s, 1),
    }
    if words.json:
        print(json.dumps(answer))
        return
    for key, value in answer.items():
        print(f"{key:<20} {value}")


if __name__ == "__main__":
    main()
