"""DCGM emulator: a node's accelerators as dcgm-exporter shows them, live from the twin."""

from collections.abc import Callable, Mapping
from math import isnan
from typing import Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web

from mallee.core.device_model import PointSpec
from mallee.core.identity import spoken
from mallee.emulators.device import EmulatedDevice, Place, Running
from mallee.emulators.http_service import Answer, BadAnswers, listen


class _Field(NamedTuple):
    kind: str
    help: str


# Names, types and help texts of NVIDIA/dcgm-exporter etc/default-counters.csv (4.8.3).
_FIELDS: Final = {
    "DCGM_FI_DEV_SM_CLOCK": _Field("gauge", "SM clock frequency (in MHz)."),
    "DCGM_FI_DEV_MEMORY_TEMP": _Field("gauge", "Memory temperature (in C)."),
    "DCGM_FI_DEV_GPU_TEMP": _Field("gauge", "GPU temperature (in C)."),
    "DCGM_FI_DEV_POWER_USAGE": _Field("gauge", "Power draw (in W)."),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": _Field(
        "counter", "Total energy consumption since boot (in mJ)."
    ),
    "DCGM_FI_DEV_GPU_UTIL": _Field("gauge", "GPU utilization (in %)."),
    "DCGM_FI_DEV_XID_ERRORS": _Field("gauge", "Value of the last XID error encountered."),
}
_WHOLE: Final = (
    "DCGM_FI_DEV_GPU_TEMP",
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
)
"""Fields that DCGM keeps as integers."""

_NOT_SUPPORTED: Final = "9223372036854775794"
"""``DCGM_INT64_NOT_SUPPORTED``."""

_CONTENT_TYPE: Final = "text/plain"
_GAP: Final = "\x00"  # where a value goes


async def serve_exporters(place: Place, devices: Mapping[str, EmulatedDevice]) -> Running:
    """Serve nodes' exporters over HTTP until closed, each below its path.

    Raises:
        OSError: the port is taken.
    """
    return await listen({part: _answer(device) for part, device in devices.items()}, place)


async def serve_dcgm(device: EmulatedDevice, host: str, port: int) -> Running:
    """Serve one node's exporter; port 0 takes a free one."""
    return await serve_exporters(Place(host=host, port=port), {"": device})


def _answer(device: EmulatedDevice) -> Answer:
    render = exposition(device)
    bad_answers = BadAnswers(device.health, _CONTENT_TYPE)

    async def answer(request: web.BaseRequest, path: str) -> web.StreamResponse:
        bad = await bad_answers.instead(request)
        if bad is not None:
            return bad
        if path != "/metrics":
            return web.Response(status=404, text="404 page not found\n")
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=render(), headers=headers)

    return answer


def exposition(device: EmulatedDevice) -> Callable[[], bytes]:
    """What renders the device's exposition; everything but the values is written only once."""
    series: dict[str, list[tuple[int, PointSpec, str]]] = {}
    for position, point in enumerate(device.model.point):
        if point.protocol == "dcgm" and point.constant is None:
            for at in point.places:
                field, _, gpu = at.partition("/")
                series.setdefault(field, []).append((position, point, _labels(device, int(gpu))))
    text, slots = "", []
    for field, members in series.items():
        about = _FIELDS.get(field, _Field("gauge", field))
        text += f"# HELP {field} {about.help}\n# TYPE {field} {about.kind}\n"
        for position, point, labels in members:
            text += f"{field}{{{labels}}} {_GAP}\n"
            slots.append((position, point, field in _WHOLE))
    pieces = text.split(_GAP)

    def render() -> bytes:
        parts = [pieces[0]]
        for (position, point, whole), piece in zip(slots, pieces[1:], strict=True):
            parts += (_value(point, float(device.values[position]), whole), piece)
        return "".join(parts).encode()

    return render


def _value(point: PointSpec, value: float, whole: bool) -> str:
    """A value as DCGM holds it; its blank where the sensor gives none."""
    if isnan(value):
        return _NOT_SUPPORTED
    raw = point.to_device(value)
    return f"{round(raw)}" if whole else f"{raw:.6f}"


def _labels(device: EmulatedDevice, gpu: int) -> str:
    """Labels of one GPU, stable over restarts."""
    uuid = uuid5(NAMESPACE_URL, f"mallee:{device.name}/gpu{gpu}")
    host = device.name.replace("/", "-")
    product = spoken(device.model.identity, "dcgm", "model", device.model.product)
    return (
        f'gpu="{gpu}",UUID="GPU-{uuid}",pci_bus_id="00000000:{gpu + 1:02X}:00.0",'
        f'device="nvidia{gpu}",modelName="{product}",Hostname="{host}"'
    )
