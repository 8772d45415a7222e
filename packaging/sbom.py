"""Writes what a wheel is made of and installs, as CycloneDX 1.6 JSON, from the lock files.

The wheel holds Mallee and the built pages; the pages hold the packages in `BUNDLED`. What pip
installs beside it may be newer: the versions here are those tested.
"""

import json
import re
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BUNDLED = ("svelte", "clsx", "esm-env", "uplot")
"""What the built pages contain: Svelte's runtime with what it imports, and the plots."""
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.M)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def sbom(version: str) -> str:
    """The whole document; the same inputs give the same bytes."""
    parts = [*python_parts((ROOT / "locks/run.txt").read_text("utf-8")), *page_parts()]
    name = {"type": "application", "name": "mallee", "version": version}
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                **name,
                "bom-ref": f"pkg:pypi/mallee@{version}",
                "purl": f"pkg:pypi/mallee@{version}",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": parts,
        "dependencies": [
            {
                "ref": f"pkg:pypi/mallee@{version}",
                "dependsOn": sorted(part["bom-ref"] for part in parts),
            }
        ],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return json.dumps({**body, "serialNumber": f"urn:uuid:{number}"}, indent=1) + "\n"


def python_parts(lock: str) -> list[dict[str, Any]]:
    """What pip installs, from a lock with hashes."""
    found = []
    pins = list(_PIN.finditer(lock))
    for pin, after in zip(pins, [*pins[1:], None], strict=True):
        name, version = pin.group(1).lower().replace("_", "-"), pin.group(2)
        block = lock[pin.end() : after.start() if after else len(lock)]
        found.append(
            {
                "type": "library",
                "name": name,
                "version": version,
                "bom-ref": f"pkg:pypi/{name}@{version}",
                "purl": f"pkg:pypi/{name}@{version}",
                "hashes": [
                    {"alg": "SHA-256", "content": one} for one in sorted(_HASH.findall(block))
                ],
            }
        )
    return found


def page_parts() -> list[dict[str, Any]]:
    """What the built pages contain, in the versions of the lock."""
    lock = json.loads((ROOT / "web/package-lock.json").read_text("utf-8"))
    found = []
    for path, one in lock["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if name not in BUNDLED:
            continue
        purl = f"pkg:npm/{name.replace('@', '%40')}@{one['version']}"
        found.append(
            {
                "type": "library",
                "name": name,
                "version": one["version"],
                "bom-ref": purl,
                "purl": purl,
            }
        )
    return found
