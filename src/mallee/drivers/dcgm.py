"""DCGM driver: a model's fields and GPUs out of the text that NVIDIA's dcgm-exporter serves."""

from collections.abc import Iterable, Mapping
from typing import Final

import aiohttp
import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import ConfigError, Malformed, Refused, Rejected, Unreachable
from mallee.drivers.http import base_url, named_errors, read_body
from mallee.drivers.openmetrics import NOT_WANTED, SeriesReader

BLANK_INT64_MIN: Final = 2.0**62
"""Larger magnitudes are blanks: ``DCGM_INT64_BLANK`` and its kin are 0x7ffffffffffffff0 and up."""

BLANK_FP64: Final = (2.0**47, 2.0**47 + 15)
"""``DCGM_FP64_BLANK`` is 140737488355328.0; the next ones say why (dcgm_structs.h)."""


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
            self._of_point.append([self._slots.setdefault(s, len(self._slots)) for s in series])
        self._reader = SeriesReader(self._slot_of)

    def decode(self, body: bytes) -> FloatArray:
        """Values of all points from one scrape; NaN where it has none or a blank.  # (points,)

        Raises:
            Malformed: not an exposition, or one without a single sample.
        """
        raw = np.full(len(self._slots), np.nan)
        if self._reader.read(body, raw) == 0:
            raise Malformed("the exporter's answer has no samples", body)
        blank = (np.abs(raw) > BLANK_INT64_MIN) | (
            (raw >= BLANK_FP64[0]) & (raw <= BLANK_FP64[1]) & (raw == np.floor(raw))
        )
        raw[blank] = np.nan
        totals = (
            (p, sum(raw[slots])) for p, slots in zip(self.points, self._of_point, strict=True)
        )
        return np.array([point.to_point(float(total)) for point, total in totals])

    def _slot_of(self, name: str, labels: Mapping[str, str]) -> int:
        return self._slots.get((name, labels.get("gpu", "")), NOT_WANTED)


class DcgmDriver:
    """One dcgm-exporter.

    Args:
        model: says which field of which GPU each point is.
        address: "host:port".
    """

    def __init__(self, model: DeviceModel, address: str) -> None:
        self.address = address
        self._base = base_url("http", address)
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
        if self._http is None:
            self._http = aiohttp.ClientSession(
                self._base,
                connector=aiohttp.TCPConnector(limit=1),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        where = f"{self.address}/metrics"
        with named_errors(where):
            async with self._http.get("/metrics", allow_redirects=False) as response:
                body = await read_body(response, where)
        if response.status in (401, 403):
            raise Refused(f"{where}: status {response.status}")
        if response.status >= 500:
            raise Unreachable(f"{where}: status {response.status}")
        if response.status != 200:
            raise Malformed(f"{where}: status {response.status}", body)
        try:
            return self._codec.decode(body)
        except Malformed as error:
            raise Malformed(f"{where}: {error}", error.sample) from None

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
