"""The frame on the wire: any frame comes back, none of another shape does, and bytes stay put."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.console.frame import HEADER, Frame, SignalState, decode_frame, encode_frame
from mallee.core.errors import Malformed

GOLDEN = Path(__file__).parent / "golden"


def golden_frame() -> Frame:
    """The frame in golden/frame.bin. Browsers hold this layout: a change needs a new version."""
    return Frame(
        schema=51966,
        flags=5,
        sequence=4294967295,
        time_utc_s=1795166841.25,
        values=np.array([482_125.5, -84_250.0, math.nan, 0.583984375], np.float32),
        ages_s=np.array([0.5, 7.25, math.nan, 0.0], np.float32),
        states=np.array([0, 1, 2, 0], np.uint8),
        text='{"status":null,"text":"30 °C → 38 °C"}'.encode(),
    )


def test_the_golden_bytes() -> None:
    assert encode_frame(golden_frame()) == (GOLDEN / "frame.bin").read_bytes()


def test_the_golden_numbers() -> None:
    frame = decode_frame((GOLDEN / "frame.bin").read_bytes())
    told = json.loads((GOLDEN / "frame.json").read_text("utf-8"))
    assert [None if math.isnan(v) else v for v in frame.values.tolist()] == told["values"]
    assert [None if math.isnan(v) else v for v in frame.ages_s.tolist()] == told["agesS"]
    assert frame.states.tolist() == told["states"]
    assert (frame.flags, frame.schema, frame.sequence) == (
        *(told["flags"], told["schema"], told["sequence"]),
    )
    assert frame.time_utc_s == told["timeS"]
    assert frame.text.decode() == told["text"]


floats = st.floats(width=32, allow_nan=True)


@given(st.lists(st.tuples(floats, floats, st.sampled_from(SignalState))), st.binary(max_size=80))
def test_any_frame_comes_back(rows: list[tuple[float, float, SignalState]], text: bytes) -> None:
    frame = Frame(
        schema=7,
        flags=3,
        sequence=9,
        time_utc_s=1e9 + 0.125,
        values=np.array([row[0] for row in rows], np.float32),
        ages_s=np.array([row[1] for row in rows], np.float32),
        states=np.array([row[2] for row in rows], np.uint8),
        text=text,
    )
    back = decode_frame(encode_frame(frame))
    np.testing.assert_array_equal(back.values, frame.values)
    np.testing.assert_array_equal(back.ages_s, frame.ages_s)
    np.testing.assert_array_equal(back.states, frame.states)
    assert (back.schema, back.flags, back.sequence) == (7, 3, 9)
    assert (back.time_utc_s, back.text) == (frame.time_utc_s, text)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (encode_frame(golden_frame())[: HEADER.size - 1], "at least 24 bytes"),
        (b"\x02" + encode_frame(golden_frame())[1:], "version 2"),
        (encode_frame(golden_frame())[:-1], "has 101 bytes, not 102"),
        (encode_frame(golden_frame()) + b"x", "has 103 bytes, not 102"),
    ],
    ids=["short", "version", "cut", "long"],
)
def test_what_does_not_fit_is_malformed(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        decode_frame(data)
