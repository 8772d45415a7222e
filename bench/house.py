"""How much room the house has: what one more kind, protocol or event costs, and whether every
example site works cold. `./run bench house [--json] [--quick]`

Counted from the sources, proved by tests that add one, measured on running sites. A figure that
could not be had is null: nothing here is assumed to hold.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from counting.branches import worst_sum_frac
from counting.examples import surprises
from counting.in_line import throughput_lost
from counting.sources import kind_literals, kind_literals_web, protocol_branches
from mallee.catalogue import load_models
from mallee.kinds import KINDS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "sites"
DEMO = EXAMPLES / "charging-site.toml"
ADDITIONS = ("tests/house/test_additions.py", "tests/runtime/test_new_protocol.py")
GOALS = {
    "kind_literal_lines": "<= 25",
    "protocol_branches": "0",
    "files_new_kind_shown": "1",
    "files_new_protocol": "0",
    "files_new_event": "1",
    "cold_examples_ok": "7",
    "branch_sum_worst_frac": "<= 0.01",
    "ups_throughput_lost_frac": "0",
    "pdu_throughput_lost_frac": "0",
}

Figures = dict[str, float | int | None]


def counted() -> Figures:
    """What the sources say."""
    protocols = {name for model in load_models().values() for name in model.protocol}
    protocols |= {path.name for path in (ROOT / "src/mallee/drivers").iterdir() if path.is_dir()}
    source = ROOT / "src/mallee"
    return {
        "kind_literal_lines": len(kind_literals(source, set(KINDS))),
        "kind_literal_lines_web": len(kind_literals_web(ROOT / "web/src", set(KINDS))),
        "protocol_branches": len(protocol_branches(source, protocols - {"__pycache__"})),
    }


def added() -> Figures:
    """Existing files edited for one more of each; null where the test that adds one fails."""
    found: Figures = dict.fromkeys(
        ("files_new_kind_shown", "files_new_protocol", "files_new_event")
    )
    with tempfile.TemporaryDirectory(prefix="mallee-house-") as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            *ADDITIONS,
            f"--junitxml={report}",
        ]
        command += ["-o", "junit_family=xunit1"]  # the family that keeps what tests record
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is None and case.find("error") is None:
                for given in case.iter("property"):
                    if given.get("name") in found:
                        found[str(given.get("name"))] = int(str(given.get("value")))
    return found


def cold(
    files: list[Path], *, up_s: float, simulate_s: int
) -> tuple[Figures, dict[str, list[str]]]:
    """Every example: how many do without a surprise, and the surprises of the others."""
    told = {}
    for file in files:
        found = surprises(file, up_s=up_s, simulate_s=simulate_s)
        if found:
            told[file.stem] = found
    return {"cold_examples": len(files), "cold_examples_ok": len(files) - len(told)}, told


def measured(*, frames_s: float, simulate_s: int) -> Figures:
    """The diagram's sums, and what devices in line cost."""
    worst, frames = worst_sum_frac(DEMO, frames_s)
    return {
        "branch_sum_worst_frac": worst if frames else None,
        "branch_sum_frames": frames,
        "ups_throughput_lost_frac": throughput_lost(DEMO, "ups", simulate_s),
        "pdu_throughput_lost_frac": throughput_lost(DEMO, "pdu", simulate_s),
    }


def main() -> None:
    """Count, measure and print."""
    parser = argparse.ArgumentParser(prog="run bench house", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object for programs")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes and hours")
    parser.add_argument("--site", action="append", default=[], help="only these examples, by name")
    parser.add_argument("--no-sites", action="store_true", help="only count; run no site")
    options = parser.parse_args()
    files = sorted(EXAMPLES.glob("*.toml"))
    files = [file for file in files if not options.site or file.stem in options.site]
    figures, told = counted() | added(), dict[str, list[str]]()
    if not options.no_sites:
        up_s, simulate_s = (5.0, 60) if options.quick else (60.0, 3600)
        examples, told = cold(files, up_s=up_s, simulate_s=simulate_s)
        figures |= examples
        figures |= measured(
            frames_s=10.0 if options.quick else 300.0, simulate_s=60 if options.quick else 600
        )
    if options.json:
        print(json.dumps({"bench": "house", "figures": figures, "surprises": told}))
        return
    for key, value in figures.items():
        shown = "-" if value is None else f"{value:.4g}"
        print(f"{key:<28}{shown:>10}   {GOALS.get(key, '')}")
    for name, found in told.items():
        print(f"\n{name}")
        print("\n".join(f"  {text}" for text in found))


if __name__ == "__main__":
    main()
