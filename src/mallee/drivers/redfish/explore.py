"""Looks at any Redfish service."""

from mallee.core.protocol import Address
from mallee.drivers.explore import Access, Findings, Reading
from mallee.drivers.redfish.client import RedfishClient
from mallee.drivers.redfish.walk import find_signals, walk


async def explore_service(address: Address, access: Access) -> Findings:
    """Walk everything that is linked; see `Explore`."""
    client = RedfishClient(str(address), access.login, access.tls, access.timeout_s)
    try:
        inventory = await walk(client, tell=access.tell)
    finally:
        await client.close()
    documents = inventory.documents
    names = [
        f"{one.get('Manufacturer') or ''} {one['Model']}".strip()
        for path, one in documents.items()
        if one.get("Model") and path.startswith(("Systems/", "Chassis/", "PowerEq", "ThermalEq"))
    ]
    return Findings(
        identity=", ".join(dict.fromkeys(names[:3])),
        readings=[
            Reading(at=one.at, value=one.value, unit=one.unit, state=one.state)
            for one in find_signals(documents)
        ],
        content=documents,
        omissions=inventory.omissions(),
    )
