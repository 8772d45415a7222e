"""Which collector reads which device.

Devices that share an address (units behind a gateway, chargers that dial to one place) or a device
(a node's BMC and its exporter) belong to one collector; the rest is spread evenly.
"""

from collections.abc import Mapping


def shards_of(addresses: Mapping[str, Mapping[str, str]], count: int) -> dict[str, int]:
    """The collector of each device.

    Args:
        addresses: by protocol, then by device name.
        count: how many collectors there are.

    Returns:
        By device name, 0 up to `count` - 1; equal for equal arguments.
    """
    group_of: dict[str, str] = {}  # of a device or an address: another member, itself at the end

    def find(member: str) -> str:
        while group_of.setdefault(member, member) != member:
            group_of[member] = member = group_of[group_of[member]]
        return member

    for own in addresses.values():
        for device, address in own.items():
            place, _, _ = address.partition("/")
            group_of[find(f"at {place}")] = find(device)
    groups: dict[str, list[str]] = {}
    for device in dict.fromkeys(device for own in addresses.values() for device in own):
        groups.setdefault(find(device), []).append(device)
    loads = [0] * count
    shard_of: dict[str, int] = {}
    for devices in sorted(groups.values(), key=len, reverse=True):
        shard = loads.index(min(loads))
        loads[shard] += len(devices)
        shard_of |= dict.fromkeys(devices, shard)
    return shard_of
