"""Makes what is handed out: wheel with the pages inside, sdist, SBOM, checksums. `./run package`

dist/mallee-0.1.0-py3-none-any.whl   needs no Node to install
dist/mallee-0.1.0.tar.gz
dist/mallee-0.1.0.cdx.json           CycloneDX
dist/SHA256SUMS
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from sbom import sbom

from mallee import __version__

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
MUST_HOLD = (
    "mallee/console/static/index.html",
    "mallee/examples/charging-site.toml",
    "mallee/catalogue/models/megapack-2h.toml",
)


def main(target: Path = DIST) -> None:
    """Make everything anew."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    build(target)
    (wheel,) = target.glob("*.whl")
    check(wheel)
    (target / f"mallee-{__version__}.cdx.json").write_text(sbom(__version__), "utf-8")
    files = sorted(path for path in target.iterdir() if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (target / "SHA256SUMS").write_text("".join(sums), "utf-8")
    for path in [*files, target / "SHA256SUMS"]:
        sys.stdout.write(f"{path.stat().st_size:>10}  {path}\n")


def build(target: Path) -> None:
    """Wheel and sdist; the time inside them is that of the last commit, so that they repeat."""
    told = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    time_s = {"SOURCE_DATE_EPOCH": told.stdout.strip()} if told.returncode == 0 else {}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target)],
        cwd=ROOT,
        env={**os.environ, **time_s},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def check(wheel: Path) -> None:
    """Stop where something is missing that a user would miss.

    Raises:
        SystemExit: names it.
    """
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    missing = [name for name in MUST_HOLD if name not in names]
    if missing or not any(name.startswith("mallee/console/static/assets/") for name in names):
        sys.exit(f"package: {wheel.name} lacks {', '.join(missing) or 'the assets of the pages'}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
