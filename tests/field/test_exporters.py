"""Prometheus text as the field serves it. Kinds of failure after public reports; own inputs."""

import numpy as np
import pytest

from mallee.catalogue import load_models
from mallee.core.errors import Malformed
from mallee.drivers.dcgm import DcgmCodec
from mallee.drivers.dcgm.trust import FROZEN_S, SETTLE_SCRAPES

POINTS = [p for p in load_models()["nvidia-hgx-h100-node"].point if p.protocol == "dcgm"]
NAMES = [point.name for point in POINTS]


def line(field: str, value: object, uuid: str = "GPU-a", host: str = "n1", more: str = "") -> str:
    return f'DCGM_FI_DEV_{field}{{gpu="0",UUID="{uuid}",Hostname="{host}"{more}}} {value}'


def read(codec: DcgmCodec, *lines: str, now_s: float = 0.0) -> dict[str, float]:
    """Points that one scrape gives."""
    values = codec.decode("\n".join([*lines, ""]).encode(), now_s)
    return {n: v for n, v in zip(NAMES, values.tolist(), strict=True) if np.isfinite(v)}


def test_one_bad_line_costs_itself_and_blank_lines_may_move() -> None:
    codec = DcgmCodec(POINTS)
    odd = 'some_text{a="b"} not-a-number'
    assert read(codec, "", line("POWER_USAGE", 500.5), odd, "")["gpu0_power_w"] == 500.5
    assert read(codec, line("POWER_USAGE", 610.5), "", odd, "")["gpu0_power_w"] == 610.5
    with pytest.raises(Malformed, match="no samples"):
        read(codec, "<html>", "not found", "</html>")


def test_a_part_of_a_gpu_is_not_the_gpu() -> None:
    part = ',GPU_I_PROFILE="1g.10gb",GPU_I_ID="3"'
    lines = [line("POWER_USAGE", 412.0, more=part), line("GPU_UTIL", 0, more=part)]
    assert read(DcgmCodec(POINTS), *lines) == {"gpu0_power_w": 412.0}


def test_another_node_behind_the_same_address() -> None:
    codec = DcgmCodec(POINTS)
    mine, other = line("POWER_USAGE", 690.5), line("POWER_USAGE", 120.25, "GPU-b", "n2")
    assert read(codec, mine)
    for scrape in (other, mine, other):
        with pytest.raises(Malformed, match=r"another node answers: GPU GPU-. on n"):
            read(codec, scrape)
    for _ in range(SETTLE_SCRAPES):
        with pytest.raises(Malformed, match="a moment ago"):
            read(codec, other)
    assert read(codec, other) == {"gpu0_power_w": 120.25}  # it stays: the node was replaced


def test_a_frozen_exporter_and_one_that_is_merely_slow() -> None:
    def scrape(codec: DcgmCodec, energy: float, now_s: float) -> dict[str, float]:
        lines = [line("POWER_USAGE", 500.0), line("TOTAL_ENERGY_CONSUMPTION", energy)]
        return read(codec, *lines, now_s=now_s)

    frozen = DcgmCodec(POINTS)
    assert scrape(frozen, 1e9, 0.0)
    assert scrape(frozen, 1e9 + 1, 1.0)
    assert scrape(frozen, 1e9 + 1, 1.0 + FROZEN_S)
    assert scrape(frozen, 1e9 + 1, 2.0 + FROZEN_S) == {}
    assert scrape(frozen, 1e9 + 2, 3.0 + FROZEN_S)  # it moves again
    slow = DcgmCodec(POINTS)
    for turn in range(6):  # renews its values every 30 s, as by default
        scrape(slow, 1e9 + turn, 30.0 * turn)
    assert scrape(slow, 1e9 + 5, 30.0 * 5 + 29.0)
