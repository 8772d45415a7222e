"""How many of the project's own field cases fail: inputs as public reports tell them, by kind."""

import json
import sys
from pathlib import Path

import pytest

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


def main() -> int:
    """Run all cases; status 1 where one fails."""
    count = Count()
    pytest.main(
        ["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", str(CASES)], [count]
    )
    failing, cases = sum(count.failed.values()), sum(count.passed.values())
    figures = {"field_cases": cases + failing, "field_cases_failing": failing}
    if "--json" in sys.argv:
        print(json.dumps(figures))
    else:
        for name in sorted({*count.passed, *count.failed}):
            print(
                f"{name:24} {count.passed.get(name, 0):4} pass {count.failed.get(name, 0):4} fail"
            )
        print(f"{failing} of {cases + failing} field cases fail")
    return int(failing > 0 or cases == 0)


if __name__ == "__main__":
    sys.exit(main())
