"""Samples replayed over sockets: each shipped model finds its points in what its device says."""

import asyncio
import math
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mallee.catalogue.device_models import load_models
from mallee.catalogue.samples import SAMPLES_FOLDER, load_sample
from mallee.core.errors import ConfigError
from mallee.core.identity import mismatch
from mallee.core.protocol import parse_address
from mallee.core.protocols import PROTOCOLS
from mallee.drivers import DRIVERS
from mallee.drivers.driver import Target
from mallee.emulators.replay import replay_sample

SAMPLES = sorted(SAMPLES_FOLDER.glob("*.json"))


def readings_of(path: Path) -> dict[str, float]:
    """What the drivers of its model read in a sample that is served."""
    sample = load_sample(path)
    model = load_models()[sample.model]

    async def main() -> dict[str, float]:
        found: dict[str, float] = {}
        async with AsyncExitStack() as stack:
            addresses = await replay_sample(sample, "127.0.0.1", stack)
            for protocol, address in addresses.items():
                facts = PROTOCOLS[protocol]
                place = parse_address(address, facts.port, facts.part)
                part = facts.part.default(model.options(protocol, facts.options), "sample")  # type: ignore[union-attr]
                channel = DRIVERS[protocol](place.host, place.port)
                driver = channel.driver(Target(name="sample", model=model, part=part))
                await driver.open()
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
    changed.write_text(text.replace('.4.3.1.5.1": 121', '.4.3.1.5.1": 122'))
    assert readings_of(changed)["input_w"] != load_sample(changed).readings["input_w"]


def test_what_is_no_sample_is_told(tmp_path: Path) -> None:
    for text, words in (("[]", "is no sample"), ('{"source": "x"}', "is no sample")):
        path = tmp_path / "x.json"
        path.write_text(text)
        with pytest.raises(ConfigError, match=words):
            load_sample(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_sample(tmp_path / "none.json")
