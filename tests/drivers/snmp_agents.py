"""Agents on loopback for tests: tables of objects, and recordings in snmpsim's form."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from mallee.core.oids import Value
from mallee.drivers.driver import Login
from mallee.emulators.device import Health, Place
from mallee.emulators.snmp.objects import ObjectTable
from mallee.emulators.snmp.server import serve_table


@asynccontextmanager
async def agent(
    objects: Mapping[str, Value], login: Login | None = None, health: Health | None = None
) -> AsyncIterator[str]:
    """The address of an agent that holds these objects."""
    table = ObjectTable({oid: lambda value=value: value for oid, value in objects.items()})  # type: ignore[misc]
    place = Place(host="127.0.0.1", port=0, login=login)
    running = await serve_table(place, table, health or Health(), "agent")
    try:
        yield running.address
    finally:
        await running.close()


def recorded(path: Path, under: str = "") -> dict[str, Value]:
    """The objects of a recording: lines ``OID|tag|value``, a tag with an x for hex octets."""
    found: dict[str, Value] = {}
    for line in path.read_text().splitlines():
        oid, tag, text = line.split("|", 2)
        if not oid.startswith(under):
            continue
        number = tag.rstrip("x").split(":")[0]
        if number == "4":
            found[oid] = bytes.fromhex(text) if tag.endswith("x") else text.encode()
        elif number == "6":
            found[oid] = text
        elif number in ("2", "65", "66", "67", "70"):
            found[oid] = int(text.split("initial=")[-1].split(",")[0] or 0)
    return found
