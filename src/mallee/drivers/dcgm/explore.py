"""Looks at any exporter of Prometheus text."""

from dataclasses import replace

from mallee.core.device_model import ControllerLoss, DeviceModel, Protocol
from mallee.core.protocol import Address
from mallee.drivers.dcgm.driver import DcgmDriver
from mallee.drivers.dcgm.openmetrics import parse_samples
from mallee.drivers.explore import Access, Findings, Reading

_UNITS = (
    ("POWER_USAGE", "W"), ("ENERGY_CONSUMPTION", "mJ"), ("TEMP", "Cel"), ("CLOCK", "MHz"),
    ("UTIL", "%"), ("_watts", "W"), ("_celsius", "Cel"), ("_volts", "V"), ("_amperes", "A"),
    ("_joules_total", "J"), ("_bytes", "By"), ("_seconds", "s"), ("_hertz", "Hz"),
)  # fmt: skip
"""By what a name ends in, or for DCGM contains: units of its field list, and Prometheus' rule."""


async def explore_exporter(address: Address, access: Access) -> Findings:
    """Read one page; see `Explore`."""
    nothing = DeviceModel(
        model="", kind="", vendor="", product="", power_max_w=0.0, point=[],
        protocol={"dcgm": Protocol(timeout_s=access.timeout_s)},
        on_controller_loss=ControllerLoss(behaviour="hold"),
    )  # fmt: skip
    driver = DcgmDriver(nothing, str(replace(address, part=address.part)))
    try:
        body = await driver.scrape()
    finally:
        await driver.close()
    found = Findings(content=body.decode("utf-8", "replace"))
    for sample in parse_samples(body):
        labels = sample.labels
        name = labels.get("modelName", "")
        found.identity = found.identity or name
        where = labels.get("gpu", "")
        rest = ",".join(f"{k}={v}" for k, v in labels.items() if k in ("chip", "sensor", "device"))
        at = f"{sample.name}/{where}" if where else sample.name + (f"{{{rest}}}" if rest else "")
        found.readings.append(Reading(at=at, value=sample.value, unit=_unit_of(sample.name)))
    access.tell(1)
    return found


def _unit_of(name: str) -> str:
    return next((unit for mark, unit in _UNITS if name.endswith(mark) or f"_{mark}" in name), "")
