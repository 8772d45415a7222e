"""What devices of the field do to Mallee: own cases, models, recordings read in full, fuzzing.

`./run bench field [--json] [--inputs N]`: N wrong answers of each protocol, 2,000 by default.

Field cases are inputs as public reports tell them. Models and their samples are those of the
catalogue; a sample is recorded, documented or assumed, and `models_sample_assumed` counts the last.
Recordings and mock-ups come from `MALLEE_SHARED` and are not counted where it is missing.
"""

import json
import os
import sys
from pathlib import Path

import pytest

from mallee.catalogue.device_models import load_models
from mallee.catalogue.samples import sample_of
from recordings import fuzz, redfish

CASES = Path(__file__).parents[1] / "tests/field"


class Count:
    """Counts outcomes by file."""

    def __init__(self) -> None:
        self.passed: dict[str, int] = {}
        self.failed: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest after each step of a case."""
        if report.when == "call" or report.failed:
            where = self.failed if report.failed else self.passed
            name = Path(report.fspath).stem.removeprefix("test_").replace("_", " ")
            where[name] = where.get(name, 0) + 1


def of_models() -> dict[str, int]:
    """How many models there are, and what proves them."""
    samples = [sample_of(name) for name in load_models()]
    return {
        "models": len(samples),
        "models_without_sample": samples.count(None),
        "models_sample_assumed": sum(one is not None and one.mark == "assumed" for one in samples),
    }


def of_recordings() -> dict[str, int]:
    """How many readings the recordings have, and how many of them the generic walk misses."""
    shared = Path(os.environ.get("MALLEE_SHARED", CASES.parents[2] / "shared"))
    if not (shared / "golden").is_dir():
        print(f"RECORDINGS NOT READ: no {shared / 'golden'}", file=sys.stderr)
        return {}
    readings, missed = redfish.count(shared)
    return {"recording_readings": readings, "recording_readings_missed": missed}


def of_fuzzing(inputs: int) -> dict[str, int]:
    """What so many wrong answers of each protocol do."""
    found = fuzz.count(inputs)
    figures = {"fuzz_inputs": inputs * len(found)}
    for name, at in (("fuzz_escapes", 0), ("fuzz_wrong_good", 1)):
        figures |= {f"{name}_{protocol}": outcome[at] for protocol, outcome in found.items()}
        figures[name] = sum(outcome[at] for outcome in found.values())
    return figures


def main() -> int:
    """Run all cases; status 1 where one fails."""
    count = Count()
    pytest.main(
        ["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", str(CASES)], [count]
    )
    failing, cases = sum(count.failed.values()), sum(count.passed.values())
    figures = {"field_cases": cases + failing, "field_cases_failing": failing}
    figures |= of_models() | of_recordings() | of_fuzzing(_inputs(sys.argv))
    if "--json" in sys.argv:
        print(json.dumps(figures))
    else:
        for name in sorted({*count.passed, *count.failed}):
            print(
                f"{name:24} {count.passed.get(name, 0):4} pass {count.failed.get(name, 0):4} fail"
            )
        for name, figure in figures.items():
            print(f"{name.replace('_', ' '):28} {figure}")
    wrong = (
        "field_cases_failing", "models_without_sample", "recording_readings_missed",
        "fuzz_escapes", "fuzz_wrong_good",
    )  # fmt: skip
    return int(cases == 0 or any(figures.get(name, 0) for name in wrong))


def _inputs(words: list[str]) -> int:
    """Of `--inputs N`: 2,000 a protocol where it is not given; the goal is 100,000."""
    return int(words[words.index("--inputs") + 1]) if "--inputs" in words else 2000


if __name__ == "__main__":
    sys.exit(main())
