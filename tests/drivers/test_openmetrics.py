"""Prometheus text to samples: escapes, special values, timestamps, exemplars, and the cache."""

from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.errors import Malformed
from mallee.drivers.dcgm.openmetrics import NOT_WANTED, Sample, SeriesReader, parse_samples

EXPOSITION = rb"""# HELP msdos_file_access_time_seconds Last access.
# TYPE msdos_file_access_time_seconds gauge
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find:\n\"FILE.TXT\""} 1.458e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
empty_braces{} NaN
spaced { a = "b" , } 3 1395066363000
tricky{a="x} 5",b="#"} 7
# UNIT foo_seconds seconds
foo_bucket{le="0.1"} 8 # {trace_id="a} b"} 0.67
foo_total 17.0 1520879607.789 # {id="counter-test"} 5
rpc{method="post",code="200"} -0.5e-3

# EOF
"""

ESCAPED = {"path": "C:\\DIR\\FILE.TXT", "error": 'Cannot find:\n"FILE.TXT"'}
SAMPLES = [
    ("msdos_file_access_time_seconds", ESCAPED, 1.458e9, nan),
    ("metric_without_timestamp_and_labels", {}, 12.47, nan),
    ("something_weird", {"problem": "division by zero"}, inf, -3982045.0),
    ("empty_braces", {}, nan, nan),
    ("spaced", {"a": "b"}, 3.0, 1395066363000.0),
    ("tricky", {"a": "x} 5", "b": "#"}, 7.0, nan),
    ("foo_bucket", {"le": "0.1"}, 8.0, nan),
    ("foo_total", {}, 17.0, 1520879607.789),
    ("rpc", {"method": "post", "code": "200"}, -0.0005, nan),
]


def same(one: float, other: float) -> bool:
    return one == other or (isnan(one) and isnan(other))


def test_every_construct_of_the_formats() -> None:
    found = list(parse_samples(EXPOSITION))
    assert [(s.name, dict(s.labels)) for s in found] == [(s[0], s[1]) for s in SAMPLES]
    assert all(same(s.value, e[2]) for s, e in zip(found, SAMPLES, strict=True))
    assert all(same(s.timestamp, e[3]) for s, e in zip(found, SAMPLES, strict=True))


def test_the_fast_reader_agrees_with_the_full_parser_on_every_scrape() -> None:
    slots: dict[str, int] = {}
    reader = SeriesReader(lambda name, _: slots.setdefault(name, len(slots)))
    values = np.full(len(SAMPLES), -1.0)
    for _ in range(3):  # learning, then twice from memory
        values[:] = -1
        assert reader.read(EXPOSITION, values) == len(SAMPLES)
        assert np.array_equal(values, [s[2] for s in SAMPLES], equal_nan=True)


def test_series_may_move_come_and_go_between_scrapes() -> None:
    slots = {("a", "0"): 0, ("a", "1"): 1, ("b", ""): 2}
    reader = SeriesReader(lambda n, labels: slots.get((n, labels.get("g", "")), NOT_WANTED))

    def read(*lines: str) -> list[float | None]:
        values = np.full(3, nan)
        reader.read("\n".join(lines).encode(), values)
        return [None if isnan(value) else value for value in values.tolist()]

    assert read('a{g="0"} 1', 'a{g="1"} 2', "b 3") == [1, 2, 3]
    assert read('a{g="1"} 4', 'a{g="0"} 5', "b 6 1700000000") == [5, 4, 6]
    assert read("# HELP a", 'a{g="0"} 7', 'a{g="2"} 8', "b 9 # {} 1") == [7, None, 9]
    assert read("", "b 1", 'b{g="0"} 2', 'a{g="1"} 3') == [None, 3, 1]
    assert read("b 4", 'b {g="0"} 5', "b{} 6", "# EOF") == [None, None, 6]


def test_unwanted_series_cost_no_slot_and_missing_ones_keep_their_value() -> None:
    reader = SeriesReader(lambda name, _: 0 if name == "rpc" else NOT_WANTED)
    values = np.array([nan])
    assert reader.read(b"other 5\n", values) == 1
    assert isnan(values[0])
    reader.read(EXPOSITION, values)
    assert values[0] == -0.0005


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Not found</body></html>",
        b"metric",
        b"metric abc",
        b"metric 1_000",
        b'metric{a="b} 1',
        b'metric{a="b"',
        b"metric{a=b} 1",
        b"1metric 3",
        b"\xff\xfe\x00",
        b"metric 1 2 3",
    ],
)
def test_what_is_no_exposition_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        list(parse_samples(body))
    try:
        assert SeriesReader(lambda *_: 0).read(body, np.zeros(1)) == 0  # a bad line costs itself
    except Malformed:
        assert body == b"\xff\xfe\x00"


@given(st.binary(max_size=200))
def test_noise_is_read_or_malformed_and_nothing_else(body: bytes) -> None:
    try:
        full: list[Sample] | None = list(parse_samples(body))
    except Malformed:
        full = None
    reader, values = SeriesReader(lambda *_: 0), np.zeros(1)
    try:
        count = reader.read(body, values)
    except Malformed:
        assert full is None
    else:
        assert 0 <= count <= body.count(b"\n") + 1
        assert full is None or count == len(full)


names = st.from_regex(r"[a-z_:][a-z0-9_:]{0,8}", fullmatch=True)
label_text = st.text(st.characters(codec="utf-8", exclude_characters="\r\x85"), max_size=8)


@given(
    st.lists(
        st.tuples(
            names,
            st.dictionaries(names, label_text, max_size=3),
            st.floats(allow_nan=False),
            st.none() | st.integers(0, 2**41),
            st.booleans(),
        ),
        max_size=5,
    )
)
def test_written_and_read_again(
    rows: list[tuple[str, dict[str, str], float, int | None, bool]],
) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

    lines = []
    for name, labels, value, timestamp, exemplar in rows:
        inside = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
        line = f"{name}{{{inside}}} {value!r}" if labels else f"{name} {value!r}"
        line += f" {timestamp}" if timestamp is not None else ""
        lines.append(line + (' # {id="} 1"} 2 3' if exemplar else ""))
    body = "\n".join(lines).encode()
    found = list(parse_samples(body))
    assert [(s.name, dict(s.labels), s.value) for s in found] == [r[:3] for r in rows]
    last: list[float] = []
    reader = SeriesReader(lambda *_: 0)
    for _ in range(2):
        values = np.zeros(1)
        reader.read(body, values)
        last.append(values[0])
    assert last == ([rows[-1][2]] * 2 if rows else [0.0, 0.0])
