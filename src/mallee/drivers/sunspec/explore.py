"""Looks at any SunSpec device: every number of its chain of models."""

import math

from mallee.catalogue.sunspec import NUMBERS, decode_number
from mallee.core.device_model import ControllerLoss, DeviceModel, Protocol
from mallee.core.protocol import Address
from mallee.drivers.explore import Access, Findings, Reading
from mallee.drivers.sunspec.driver import SunSpecDriver
from mallee.drivers.sunspec.layout import ServedModel


async def explore_chain(address: Address, access: Access) -> Findings:
    """Walk the chain of models, and read each; see `Explore`."""
    nothing = DeviceModel(
        model="", kind="", vendor="", product="", power_max_w=0.0, point=[],
        protocol={"sunspec": Protocol(timeout_s=access.timeout_s)},
        on_controller_loss=ControllerLoss(behaviour="hold"),
    )  # fmt: skip
    driver = SunSpecDriver(nothing, str(address))
    found, words = Findings(), {}
    try:
        chain = await driver.chain()
        for (number, which), model in chain.items():
            data = await driver.registers_of(model)
            kept = _without_serial(model, data)
            words[str(model.address)] = [
                int.from_bytes(kept[at : at + 2], "big") for at in range(0, len(kept), 2)
            ]
            access.tell(len(words))
            found.readings += _numbers(
                f"{number}:{which}" if which > 1 else f"{number}", model, data
            )
        said = driver.nameplate
        found.identity = " ".join(said[key] for key in ("Mn", "Md", "Vr") if said.get(key))
    finally:
        await driver.close()
    found.content = _joined(words)
    return found


def _without_serial(model: ServedModel, data: bytes) -> bytes:
    """Registers with the serial number of the common model replaced by X."""
    serial = model.find("SN")
    if serial is None or serial.kind != "string":
        return data
    start, end = 2 * serial.offset, 2 * (serial.offset + serial.registers)
    return data[:start] + b"X".ljust(end - start, b"\0") + data[end:]


def _numbers(number: str, model: ServedModel, data: bytes) -> list[Reading]:
    readings = []
    for point in model.definition.points.values():
        if (
            point.kind not in NUMBERS
            or point.kind in ("sunssf", "pad")
            or model.find(point.name) is None
        ):
            continue
        factor = point.scale_factor
        exponent: float = factor if isinstance(factor, int) else math.nan
        holder = model.find(factor) if isinstance(factor, str) else None
        if holder is not None:
            exponent = decode_number("sunssf", data[2 * holder.offset :][:2], 0)
        raw = data[2 * point.offset :][: 2 * point.registers]
        scale = None if math.isnan(exponent) else int(exponent)
        value = decode_number(point.kind, raw, scale, mandatory=point.mandatory)
        if not math.isnan(value) and point.name not in ("ID", "L"):
            readings.append(Reading(at=f"{number}.{point.name}", value=value, unit=point.units))
    return readings


def _joined(words: dict[str, list[int]]) -> dict[str, list[int]]:
    """One span from the marker on, closed by the end model."""
    first = min(map(int, words)) - 2
    last = max(int(at) + len(span) for at, span in words.items())
    every = [0] * (last - first) + [0xFFFF, 0]
    every[:2] = [0x5375, 0x6E53]
    for at, span in words.items():
        every[int(at) - first : int(at) - first + len(span)] = span
    return {str(first): every}
