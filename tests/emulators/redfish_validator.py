"""Runs DMTF's Redfish-Service-Validator on services, one after the other, and prints its verdicts.

A program of its own because the validator keeps global state and warns about its own parts. Its
checks run untouched; only the reports, nine tenths of its time, are left out.

    python redfish_validator.py CSDL_FOLDER LOG_FOLDER USER PASSWORD http://127.0.0.1:9000 ...
"""

import contextlib
import io
import json
import sys
from typing import Any

from redfish_service_validator import (  # type: ignore[import-untyped]
    console_scripts,
    metadata,
)


def verdict(url: str, schemas: str, logs: str, user: str, password: str) -> dict[str, Any]:
    """Counts and the wording of everything that is not a pass."""
    seen: list[Any] = []
    console_scripts.print_summary = seen.append
    arguments = dict.fromkeys(
        ("payload", "ext_http_proxy", "ext_https_proxy", "serv_http_proxy", "serv_https_proxy")
    )
    arguments |= {"mockup": None, "timeout": 10, "rhost": url, "user": user, "password": password}
    arguments |= {"authtype": "Session", "logdir": logs, "schema_directory": schemas}
    arguments |= {"collectionlimit": [], "nooemcheck": False, "skipschema": True}
    arguments |= {"debugging": False}
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exit_code, _ = console_scripts.run_validator(arguments)
    if not seen:
        return {"exit_code": exit_code, "error": output.getvalue()}
    system = seen[0]
    remarks = [
        f"{result['Result']} {uri} {name}: {result['Message']}"
        for uri, resource in system._resources.items()
        for name, result in resource["Results"].items()
        if result["Result"] in ("WARN", "FAIL")
    ]
    return {
        "exit_code": exit_code,
        "passed": system.pass_count,
        "warned": system.warn_count,
        "failed": system.fail_count,
        "resources": len(system._resources),
        "remarks": remarks,
    }


def main() -> None:
    """One JSON line a service; the schemas are read once for all of them."""
    schemas, logs, user, password, *urls = sys.argv[1:]
    console_scripts.report.html_report = console_scripts.report.xlsx_report = lambda *_: None
    metadata.parse_schema_files(schemas)
    metadata.parse_schema_files = lambda *_: None
    for url in urls:
        print(json.dumps(verdict(url, schemas, logs, user, password)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
