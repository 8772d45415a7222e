"""Redfish driver: reads the resources that a model's points name, sets its setpoints by PATCH."""

import ssl
from typing import Any

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel
from mallee.core.errors import Rejected
from mallee.drivers.driver import Login
from mallee.drivers.redfish_client import ROOT, RedfishClient
from mallee.drivers.redfish_codec import RedfishCodec


class RedfishDriver:
    """One device over Redfish.

    Args:
        model: says where each point is found and how long an answer may take.
        address: "host:port".
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

    async def open(self) -> None:
        """Connect and log in; see `Driver.open`."""
        self._legacy = None
        await self._client.open()

    async def read(self) -> FloatArray:
        """All points now; see `Driver.read`."""
        for resource in self._codec.resources:
            await self._fetch(resource)
        if self._legacy is None:
            # Once a connection: does an older resource hold what the newer ones lack?
            wanted = self._codec.legacy_resources(self._documents)
            self._legacy = tuple([one for one in wanted if await self._fetch(one)])
        else:
            for resource in self._legacy:
                await self._fetch(resource)
        return self._codec.decode(self._documents)

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """PATCH a setpoint; see `Driver.write`. Redfish has no leases: the value stands."""
        del lease_s
        if self._legacy is None:
            await self.read()
        # The device may have moved its range or been written by another client since the last
        # reading: If-Match finds out, and one fresh look decides again.
        for patch in self._codec.encode(point, value, self._documents):
            for attempt in (1, 2):
                etag = self._etags.get(patch.resource, "")
                if await self._client.patch(ROOT + patch.resource, patch.body, etag):
                    break
                if attempt == 2:
                    raise Rejected(f"{point}: {patch.resource} is being changed by somebody else")
                await self._fetch(patch.resource)
                self._codec.encode(point, value, self._documents)
            self._etags.pop(patch.resource, None)

    async def close(self) -> None:
        """Log out and disconnect."""
        await self._client.close()

    async def _fetch(self, resource: str) -> bool:
        document, etag = await self._client.get(ROOT + resource)
        self._documents[resource] = document
        self._etags[resource] = etag
        return document is not None
