"""An agent that holds what was recorded."""

from typing import Any

from mallee.core.errors import ConfigError
from mallee.core.oids import Value, parse_oid
from mallee.emulators.device import Health, Place, Running
from mallee.emulators.snmp.objects import ObjectTable
from mallee.emulators.snmp.server import serve_table

_SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"


async def replay_agent(place: Place, content: Any) -> Running:
    """Serve values by object identifier; texts are octets, but for `sysObjectID`.

    Raises:
        ConfigError: it is no such table, or the port is taken.
    """
    if not isinstance(content, dict):
        raise ConfigError("sample: snmp", "is no table of objects", 'write {"1.3.6.1...": 1}')
    try:
        makers = {parse_oid(oid): _maker(parse_oid(oid), raw) for oid, raw in content.items()}
    except ValueError as error:
        raise ConfigError("sample: snmp", str(error)) from None
    return await serve_table(place, ObjectTable(makers), Health(), "sample")


def _maker(oid: str, raw: Any) -> Any:
    value: Value = raw.encode() if isinstance(raw, str) and oid != _SYS_OBJECT_ID else raw
    return lambda: value
