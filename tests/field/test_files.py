"""Measured files as people export them. Kinds after public reports, inputs of our own."""

from pathlib import Path

import pytest

from mallee.core.errors import ConfigError
from mallee.twin.parts.charging.sessions import read_sessions
from mallee.twin.parts.compute.workload.trace_file import read_trace


def test_milliseconds_since_1970_are_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{1_732_500_000_000 + 1000 * n},{400 + n}" for n in range(4)]
    path.write_text("\n".join(["t_s,power_w", *rows]))
    assert read_trace(path).duration_s == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t_s,gpu,power_w\n0,0,400\n0.01,1,404\n", "column gpu says that rows are of single GPUs"),
        ("t_s,gpu0_w,gpu0_w\n0,1,2\n1,1,2\n", "the column gpu0_w stands there twice"),
        ("timestamp, index, power.draw [W]\n0,0,400\n", "no column t_s"),
    ],
)
def test_what_would_be_misread_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_trace(path)


def test_sessions_of_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "cars.csv"
    text = "evse,arrival_s,energy_wh\n1,10,20000\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_sessions(path, 2)["arrival_ms"][0, 0] == 10_000
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(ConfigError, match="save it as CSV in UTF-8"):
        read_sessions(path, 2)
