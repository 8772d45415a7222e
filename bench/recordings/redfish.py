"""How many readings of Redfish recordings and mock-ups the generic walk misses.

The count beside it is made from the JSON alone: every number named `Reading` that is no threshold,
the readings of the deprecated Power and Thermal resources, and every number of a resource whose
schema is called Metrics, but for what may or shall be (set points, allowed ranges). Readings that
are served expanded inside another resource count where they belong.
"""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mallee.drivers.redfish.walk import find_signals

_LEGACY = (
    "PowerConsumedWatts", "ReadingCelsius", "ReadingVolts", "LastPowerOutputWatts",
    "PowerInputWatts", "PowerOutputWatts", "LineInputVoltage",
)  # fmt: skip
_LIMITS = ("Allowable", "SetPoint", "DefaultSetPoint", "DeadBand", "ControlLoop", "Threshold")


def documents_of(source: Path) -> dict[str, dict[str, Any]]:
    """Resources of a folder or archive of ``index.json`` files, by path below the service root."""
    found = {}
    for name, text in _files(source):
        path = name.split("redfish/v1/", 1)[-1].removesuffix("index.json").strip("/")
        document = json.loads(text)
        if isinstance(document, dict) and "JsonSchemas/" not in path:
            found[path] = document
    return found


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        for path in source.rglob("index.json"):
            yield path.relative_to(source).as_posix(), path.read_bytes()
        return
    with tarfile.open(source) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith("index.json") else None
            if file is not None:
                yield member.name, file.read()


def readings_in(path: str, document: dict[str, Any]) -> Iterator[str]:
    """Place of every reading of a resource."""
    schema = str(document.get("@odata.type", "")).lstrip("#").split(".")[0]

    def dig(content: Any, pointer: str, key: str, beside: bool) -> Iterator[str]:
        if isinstance(content, dict):
            whole = {"@odata.id", "@odata.type"} <= content.keys()
            if pointer and whole and schema not in ("Power", "Thermal"):
                return
            for name, value in content.items():
                if "Threshold" not in name and not name.startswith((*_LIMITS, "@")):
                    step = name.replace("~", "~0").replace("/", "~1")
                    yield from dig(value, f"{pointer}/{step}", name, "Reading" in content)
        elif isinstance(content, list):
            for index, value in enumerate(content):
                yield from dig(value, f"{pointer}/{index}", key, beside)
        elif type(content) in (int, float) and (
            key == "Reading"
            or (schema in ("Power", "Thermal") and key in _LEGACY)
            or (schema.endswith("Metrics") and not beside)
        ):
            yield f"{path}#{pointer}"

    return dig(document, "", "", False)


def count(shared: Path) -> tuple[int, int]:
    """Readings in all recordings and mock-ups, and how many of them the walk misses."""
    golden = shared / "golden"
    sources = sorted((golden / "redfish-recordings").glob("*.tar.gz"))
    sources += sorted((golden / "redfish/mockups").glob("public-*"))
    readings = missed = 0
    for source in sources:
        documents = documents_of(source)
        found = {signal.at for signal in find_signals(documents) if signal.unit}
        wanted = [at for path, one in documents.items() for at in readings_in(path, one)]
        readings += len(wanted)
        missed += len(set(wanted) - found)
    return readings, missed
