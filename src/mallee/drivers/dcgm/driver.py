"""DCGM driver: a model's fields and GPUs out of the text that NVIDIA's dcgm-exporter serves."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Final

import aiohttp
import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import ConfigError, Malformed, Refused, Rejected, Unreachable
from mallee.core.identity import Identity
from mallee.core.protocol import join_place
from mallee.drivers.dcgm.openmetrics import NOT_WANTED, SeriesReader
from mallee.drivers.dcgm.trust import Freshness, Owners, is_part
from mallee.drivers.driver import Target
from mallee.drivers.http import base_url, named_errors, read_body

BLANK_INT64_MIN: Final = 2.0**62
"""Larger magnitudes are blanks: ``DCGM_INT64_BLANK`` and its kin are 0x7ffffffffffffff0 and up."""

BLANK_FP64: Final = (2.0**47, 2.0**47 + 15)
"""``DCGM_FP64_BLANK`` is 140737488355328.0; the next ones say why (dcgm_structs.h)."""

_ENERGY: Final = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
_POWER: Final = "DCGM_FI_DEV_POWER_USAGE"
_NAME: Final = re.compile(rb"^([A-Za-z_:][A-Za-z0-9_:]*)", re.MULTILINE)
_LABEL: Final = re.compile(rb'(modelName|UUID|DCGM_FI_DRIVER_VERSION)="([^"\\]*)"')


class DcgmCodec:
    """The DCGM points of one device model, resolved once; no I/O.

    Attributes:
        points: in the order of `decode`.
    """

    def __init__(self, points: Iterable[PointSpec]) -> None:
        self.points = tuple(points)
        self._slots: dict[tuple[str, str], int] = {}
        self._of_point: list[list[int]] = []
        for point in self.points:
            series = [_series_of(at, point.name) for at in point.places]
            self._of_point.append([self._slot(*one) for one in series])
        gpus = sorted({gpu for _, gpu in self._slots})
        self._gpu_of_slot = np.array([gpus.index(gpu) for _, gpu in self._slots], np.int64)
        self._energy = [self._slot(_ENERGY, gpu) for gpu in gpus]
        self._power = [self._slot(_POWER, gpu) for gpu in gpus]
        self._freshness, self._owners = Freshness(len(gpus)), Owners()
        self._reader = SeriesReader(self._slot_of)

    def _slot(self, field: str, gpu: str) -> int:
        return self._slots.setdefault((field, gpu), len(self._slots))

    def decode(self, body: bytes, now_s: float = 0.0) -> FloatArray:
        """Values of all points from one scrape; NaN where it has none or a blank.  # (points,)

        Args:
            now_s: when it was made, on any steady clock.

        Raises:
            Malformed: not an exposition, one without a single sample, or another node's.
        """
        raw = np.full(len(self._slots), np.nan)
        if self._reader.read(body, raw) == 0:
            raise Malformed("the exporter's answer has no samples", body)
        change = self._owners.change()
        if change:
            self._reader = SeriesReader(self._slot_of)  # looks at every label again
            raise Malformed(change)
        blank = (np.abs(raw) > BLANK_INT64_MIN) | (
            (raw >= BLANK_FP64[0]) & (raw <= BLANK_FP64[1]) & (raw == np.floor(raw))
        )
        raw[blank] = np.nan
        frozen = self._freshness.frozen(raw[self._energy], raw[self._power], now_s)
        wanted = raw[: self._gpu_of_slot.size]
        wanted[frozen[self._gpu_of_slot]] = np.nan
        totals = (
            (p, sum(raw[slots])) for p, slots in zip(self.points, self._of_point, strict=True)
        )
        return np.array([point.to_point(float(total)) for point, total in totals])

    def _slot_of(self, name: str, labels: Mapping[str, str]) -> int:
        slot = self._slots.get((name, labels.get("gpu", "")), NOT_WANTED)
        if slot == NOT_WANTED or is_part(name, labels):
            return NOT_WANTED
        self._owners.see(slot, labels)
        return slot


class DcgmChannel:
    """An exporter, or a proxy that serves several by path; each driver has its own connection."""

    def __init__(self, host: str, port: int) -> None:
        self._place = join_place(host, port)

    def driver(self, target: Target) -> "DcgmDriver":
        """The driver of an exporter; the part of its address is its path at a proxy."""
        address = f"{self._place}/{target.part}" if target.part else self._place
        return DcgmDriver(target.model, address)

    async def open(self) -> None:
        """Connects when an exporter is first read."""

    async def close(self) -> None:
        """Nothing is shared."""


class DcgmDriver:
    """One dcgm-exporter.

    Attributes:
        remarks: that it is an exporter of something else.

    Args:
        model: says which field of which GPU each point is.
        address: "host:port", or "host:port/path" behind a proxy.
    """

    def __init__(self, model: DeviceModel, address: str) -> None:
        self.address = address
        self.remarks: tuple[str, ...] = ()
        self._base, below = base_url("http", address)
        self._path = f"{below}/metrics"
        mine = (p for p in model.point if p.protocol == "dcgm" and p.constant is None)
        self._codec = DcgmCodec(mine)
        self.points = self._codec.points
        self._timeout = aiohttp.ClientTimeout(total=model.protocol["dcgm"].timeout_s)
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """See `Driver.open`; the exporter has no login, so this takes a first look."""
        await self.read()

    async def read(self) -> FloatArray:
        """All points of one scrape; see `Driver.read`."""
        body = await self.scrape()
        try:
            values = self._codec.decode(body, asyncio.get_running_loop().time())
        except Malformed as error:
            raise Malformed(f"{self.address}/metrics: {error}", error.sample) from None
        if self.points and not np.isfinite(values).any() and not self.remarks:
            found = b", ".join(dict.fromkeys(_NAME.findall(body)))[:200].decode()
            self.remarks = (f"has none of the wanted fields; it has {found}",)
        return values

    async def identify(self) -> Identity:
        """Model, driver version and UUID of the first GPU, from the labels of a scrape."""
        labels = dict(reversed(_LABEL.findall(await self.scrape())))
        said = {name.decode(): text.decode(errors="replace") for name, text in labels.items()}
        return Identity(
            model=said.get("modelName", ""),
            firmware=said.get("DCGM_FI_DRIVER_VERSION", ""),
            serial=said.get("UUID", ""),
        )

    async def scrape(self) -> bytes:
        """The whole page; raises as `read`."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                self._base,
                connector=aiohttp.TCPConnector(limit=1),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        where = f"{self.address}/metrics"
        with named_errors(where):
            async with self._http.get(self._path, allow_redirects=False) as response:
                body = await read_body(response, where)
        if response.status in (401, 403):
            raise Refused(f"{where}: status {response.status}")
        if response.status >= 500:
            raise Unreachable(f"{where}: status {response.status}")
        if response.status != 200:
            raise Malformed(f"{where}: status {response.status}", body)
        return body

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """An exporter takes no commands.

        Raises:
            Rejected: always.
        """
        del value, lease_s
        raise Rejected(f"{point}: a DCGM exporter takes no commands")

    async def close(self) -> None:
        """Disconnect."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()


def _series_of(at: str, point: str) -> tuple[str, str]:
    """Field and GPU of a place such as ``DCGM_FI_DEV_POWER_USAGE/0``."""
    field, mark, gpu = at.partition("/")
    if not field or not mark or not gpu.isdecimal():
        hint = "write it as DCGM_FI_DEV_POWER_USAGE/0"
        raise ConfigError(f"point.{point}", f"{at!r} is no DCGM field and GPU", hint)
    return field, gpu
