"""Samples replayed over sockets: each shipped model finds its points in what its device says."""

import asyncio
import contextlib
import math
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from mallee.catalogue.device_models import load_models
from mallee.catalogue.samples import SAMPLES_FOLDER, Sample, load_sample
from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError, Unreachable
from mallee.core.identity import mismatch
from mallee.core.protocol import parse_address
from mallee.core.protocols import PROTOCOLS
from mallee.drivers import DRIVERS
from mallee.drivers.driver import Channel, Driver, Target
from mallee.emulators.replay import replay_sample

SAMPLES = sorted(SAMPLES_FOLDER.glob("*.json"))


async def driver_of(
    sample: Sample, model: DeviceModel, stack: AsyncExitStack
) -> tuple[Channel, Driver]:
    """The driver of a sample of one protocol, which is served or dials in."""
    (protocol,) = sample.content
    facts = PROTOCOLS[protocol]
    part = (
        facts.part.default(model.options(protocol, facts.options), "sample") if facts.part else ""
    )
    target = Target(name="sample", model=model, part=part)
    if facts.direction == "polled":
        address = (await replay_sample(sample, "127.0.0.1", stack))[protocol]
        place = parse_address(address, facts.port, facts.part)
        channel = DRIVERS[protocol](place.host, place.port)
        driver = channel.driver(target)
        await driver.open()
        return channel, driver
    channel = DRIVERS[protocol]("127.0.0.1", 0)
    driver = channel.driver(target)
    await channel.open()
    port = int(channel.address.rpartition(":")[2])  # type: ignore[attr-defined]
    await replay_sample(sample, "127.0.0.1", stack, {protocol: port})
    async with asyncio.timeout(30.0):
        while not any(map(math.isfinite, await _latest(driver))):  # noqa: ASYNC110 - it dials in
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)  # the rest of its messages
    return channel, driver


async def _latest(driver: Driver) -> list[float]:
    with contextlib.suppress(Unreachable):
        return [float(value) for value in await driver.read()]
    return []


def readings_of(path: Path) -> dict[str, float]:
    """What the drivers of its model read in a sample that is served."""
    sample = load_sample(path)
    model = load_models()[sample.model]

    async def main() -> dict[str, float]:
        found: dict[str, float] = {}
        async with AsyncExitStack() as stack:
            for protocol, content in sample.content.items():
                one = msgspec.structs.replace(sample, content={protocol: content})
                channel, driver = await driver_of(one, model, stack)
                values = (await driver.read()).tolist()
                found |= dict(zip([point.name for point in driver.points], values, strict=True))
                assert not mismatch(model.identity, protocol, await driver.identify())
                await driver.close()
                await channel.close()
        return found

    return asyncio.run(main())


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_a_sample_reads_as_it_says(path: Path) -> None:
    sample = load_sample(path)
    found = readings_of(path)
    wanted = {name: math.nan if v is None else v for name, v in sample.readings.items()}
    assert found == pytest.approx(wanted, nan_ok=True, rel=1e-6), sample.source
    assert sum(map(math.isfinite, found.values())), "a sample of nothing proves nothing"


def test_a_sample_belongs_to_a_model_and_says_where_it_comes_from() -> None:
    for path in SAMPLES:
        sample = load_sample(path)
        assert sample.model == path.stem in load_models()
        assert sample.content.keys() <= load_models()[sample.model].protocol.keys()
        assert len(sample.source) > 20


def test_a_changed_value_is_noticed(tmp_path: Path) -> None:
    text = (SAMPLES_FOLDER / "apc-rpdu2-single-phase.json").read_text()
    changed = tmp_path / "apc-rpdu2-single-phase.json"
    changed.write_text(text.replace('.4.3.1.5.1": 87', '.4.3.1.5.1": 88'))
    assert readings_of(changed)["input_w"] != load_sample(changed).readings["input_w"]


def test_what_is_no_sample_is_told(tmp_path: Path) -> None:
    for text, words in (("[]", "is no sample"), ('{"source": "x"}', "is no sample")):
        path = tmp_path / "x.json"
        path.write_text(text)
        with pytest.raises(ConfigError, match=words):
            load_sample(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_sample(tmp_path / "none.json")
