"""Redfish driver: reads the resources that a model's points name, sets its setpoints by PATCH."""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel
from mallee.core.errors import DeviceError, Malformed, Refused, Rejected
from mallee.core.identity import Identity
from mallee.core.protocol import join_place
from mallee.drivers.driver import Login, Target
from mallee.drivers.redfish.client import ROOT, RedfishClient, Unserved
from mallee.drivers.redfish.codec import Patch, RedfishCodec, find

_EQUIPMENT = ("ThermalEquipment", "PowerEquipment")
"""Below these stand collections; elsewhere, as below Chassis, their members do."""


class RedfishChannel:
    """A service, or a proxy that serves several by path; each driver has its own connection."""

    def __init__(self, host: str, port: int) -> None:
        self._place = join_place(host, port)

    def driver(self, target: Target) -> "RedfishDriver":
        """The driver of a device; the part of its address is its path at a proxy."""
        address = f"{self._place}/{target.part}" if target.part else self._place
        return RedfishDriver(target.model, address, target.login, target.tls)

    async def open(self) -> None:
        """Connects when a device is first read."""

    async def close(self) -> None:
        """Nothing is shared."""


class RedfishDriver:
    """One device over Redfish.

    Args:
        model: says where each point is found and how long an answer may take.
        address: "host:port", or "host:port/path" behind a proxy.
        login: None for a service without accounts.
        tls: context that verifies the device's certificate; None speaks plain HTTP, for gateways
            on the same machine only.
    """

    def __init__(
        self,
        model: DeviceModel,
        address: str,
        login: Login | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        protocol = model.protocol["redfish"]
        mine = (p for p in model.point if p.protocol == "redfish" and p.constant is None)
        self._codec = RedfishCodec(mine)
        self.points = self._codec.points
        self._client = RedfishClient(address, login, tls, protocol.timeout_s)
        self._documents: dict[str, dict[str, Any] | None] = {}
        self._etags: dict[str, str] = {}
        self._legacy: tuple[str, ...] | None = None
        self._superseded: frozenset[str] = frozenset()
        self._unread: dict[str, str] = {}

    async def open(self) -> None:
        """Connect and log in; see `Driver.open`."""
        self._legacy, self._superseded = None, frozenset()
        await self._client.open()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Resources that the service does not give, and why."""
        return tuple(self._unread.values())

    async def read(self) -> FloatArray:
        """All points now; NaN for those of a resource that fails. See `Driver.read`.

        Raises:
            Unreachable, Refused, Malformed: no resource could be read.
        """
        wanted = [one for one in self._codec.resources if one not in self._superseded]
        failed = [await self._try(resource) for resource in wanted]
        troubles = [error for error in failed if error is not None]
        if troubles and len(troubles) == len(failed):
            raise troubles[0]
        if self._legacy is None:
            # Once a connection: does an older resource hold what the newer ones lack?
            older = self._codec.legacy_resources(self._documents)
            for one in older:
                await self._try(one)
            self._legacy = tuple(one for one in older if self._documents[one] is not None)
            # What is not there, and elsewhere, is not asked for again and again.
            self._superseded = self._codec.superseded(self._documents)
        else:
            for resource in self._legacy:
                await self._try(resource)
        return self._codec.decode(self._documents)

    async def _try(self, resource: str) -> DeviceError | None:
        """Fetch a resource; what is wrong with this one alone costs its own points only."""
        try:
            await self._fetch(resource)
        except (Unserved, Refused, Malformed) as error:
            self._documents[resource] = None
            self._unread[resource] = f"cannot read {error}"
            return error
        self._unread.pop(resource, None)
        return None

    async def identify(self) -> Identity:
        """Who the equipment that holds the points says it is, and its manager's firmware."""
        found = Identity()
        for path in _holders(self._codec.resources):
            document, _ = await self._client.get(ROOT + path)
            if document is not None and (document.get("Model") or document.get("Manufacturer")):
                found = Identity(
                    manufacturer=_text(document, "Manufacturer"),
                    model=_text(document, "Model"),
                    serial=_text(document, "SerialNumber"),
                )
                break
        managers, _ = await self._client.get(ROOT + "Managers")
        manager = find(managers, ("Members", "0", "@odata.id"))
        if isinstance(manager, str):
            document, _ = await self._client.get(manager)
            found = replace(found, firmware=_text(document or {}, "FirmwareVersion"))
        return found

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """PATCH a setpoint; see `Driver.write`. Redfish has no leases: the value stands."""
        del lease_s
        if self._legacy is None:
            await self.read()
        patches = self._codec.encode(point, value, self._documents)
        failed = []
        for patch in patches:
            # A part that fails must not keep the cap from the others.
            try:
                await self._patch(point, value, patch)
            except (Rejected, Refused, Malformed, Unserved) as error:
                failed.append(error)
        if failed:
            parts = f"{len(failed)} of {len(patches)} parts failed: " if len(patches) > 1 else ""
            raise type(failed[0])(f"{point}: {parts}{failed[0]}")

    async def _patch(self, point: str, value: float, patch: Patch) -> None:
        """One part of a write, where the service lets it be written."""
        try:
            await self._patch_here(point, value, patch)
        except Rejected:
            holder = find(self._documents.get(patch.resource), patch.pointer[:-1])
            source = find(holder, ("DataSourceUri",))
            if not isinstance(source, str) or patch.pointer[-1] != "SetPoint":
                raise
            # A limit shown here, but set in the Control that it comes from.
            set_point = find(patch.body, patch.pointer)
            if not await self._client.patch(source, {"SetPoint": set_point}, ""):
                raise

    async def _patch_here(self, point: str, value: float, patch: Patch) -> None:
        """The device may have moved its range or been written by another client since the last
        reading: If-Match finds out, and one fresh look decides again. Some services change the
        ETag with every reading, so in the end the set point itself says whether it was."""
        resource = patch.resource
        stood = find(self._documents.get(resource), patch.pointer)
        for etag in (self._etags.get(resource, ""), None):
            if etag is None:
                await self._fetch(resource)
                self._codec.encode(point, value, self._documents)
                etag = self._etags.get(resource, "")
            if await self._client.patch(ROOT + resource, patch.body, etag):
                self._etags.pop(resource, None)
                return
        await self._fetch(resource)
        if find(self._documents.get(resource), patch.pointer) != stood:
            raise Rejected(f"{resource} is being changed by somebody else")
        if not await self._client.patch(ROOT + resource, patch.body, "*"):
            raise Rejected(f"{resource} cannot be changed: its ETag never holds")
        self._etags.pop(resource, None)

    async def close(self) -> None:
        """Log out and disconnect."""
        await self._client.close()

    async def _fetch(self, resource: str) -> bool:
        document, etag = await self._client.get(ROOT + resource)
        self._documents[resource] = document
        self._etags[resource] = etag
        return document is not None


def _holders(resources: Iterable[str]) -> list[str]:
    """The pieces of equipment that resources belong to, as ``Chassis/Chassis_0``, in order."""
    found: dict[str, None] = {}
    for resource in resources:
        steps = resource.split("/")
        found["/".join(steps[: 3 if steps[0] in _EQUIPMENT else 2])] = None
    return list(found)


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
