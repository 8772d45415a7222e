"""Site files and device models with mistakes: one message that says where and what is near."""

from pathlib import Path

import pytest

from mallee.catalogue import load_models, load_site, load_site_file
from mallee.catalogue.device_models import load_model
from mallee.core.errors import ConfigError

MODEL = """
model = "m"
kind = "meter"
vendor = "v"
product = "p"
power_max_w = 0
[protocol.sunspec]
port = 502
[[point]]
name = "import_w"
protocol = "sunspec"
at = "203.W"
[on_controller_loss]
behaviour = "hold"
"""


def changed(root: Path, folder: Path, old: str, new: str) -> Path:
    text = (root / "examples/sites/charging-site.toml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "my.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "import_max_w",
            "import_mx_w",
            r"my.toml:12: grid.import_mx_w: unknown key; did you mean 'imp",
        ),
        ("[[battery]]", "[[batery]]", r"my.toml:43: batery: unknown key; did you mean 'battery'"),
        ("rating_a = 2500", "rating = 2500", r"breaker\.q-battery\.rating: unknown key; did you"),
        ("count = 18", "cuont = 18", r"pod\.pod1\.rack\.r\{1..2\}\.nodes.cuont: unknown key"),
        (
            "iteration_s",
            "iteration",
            "twin.load.iteration: unknown key; did you mean 'iteration_s'",
        ),
        (
            "rating_va = 750e3",
            "rating_va = -750e3",
            r"transformer\.tx1\.rating_va: is -750000; must be above 0",
        ),
        ("import_max_w = 600e3", "", "grid: lacks 'import_max_w'"),
        ("soc_min = 0.2", "soc_min = 20", "control.soc_min: is 20; must be 1 or less"),
        (
            'from_time = "16:00"',
            'from_time = "4 pm"',
            r"demand_windows\.evening\.from_time: is '4 pm'; write a time of the day",
        ),
        (
            'kind = "training"',
            'kind = "trainig"',
            "twin.load.kind: is 'trainig'; did you mean 'training'",
        ),
        ("count = 18", "count = 0", "nodes.count: is 0; must be 1 or more"),
        ("[grid]", "[grid", "is not valid TOML: .*line"),
        (
            'model = "megapack-2h"',
            'model = "megapack"',
            "no catalogue model 'megapack'; did you mean",
        ),
    ],
)
def test_mistakes_in_a_site_file(
    root: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_site(changed(root, tmp_path, old, new))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_site_file(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match="line 1: is not UTF-8 text"):
        load_site_file(tmp_path / "bytes.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'protocol = "sunspec"',
            'protocol = "sunspek"',
            "no protocol 'sunspek' in this model; did",
        ),
        ('at = "203.W"', 'att = "203.W"', r"point\.import_w\.att: unknown key; did you mean 'at'"),
        ('kind = "meter"', 'kind = "metre"', "kind: is 'metre'; did you mean 'meter'"),
        ('at = "203.W"', 'at = "1.W"\nread_back = "x_w"', "reads back 'x_w', which is no point"),
        (
            '[[point]]\nname = "import_w"',
            '[[point]]\nname = "import_w"\nprotocol = "sunspec"\n[[point]]\nname = "import_w"',
            "import_w: the name is used twice",
        ),
    ],
)
def test_mistakes_in_a_model(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MODEL
    path = tmp_path / "m.toml"
    path.write_text(MODEL.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_model(path)


def test_point_ranges_are_expanded() -> None:
    tray = load_models()["nvidia-gb200-nvl72-compute-tray"]
    assert [name for name in tray.index if name.endswith("temp_degc")] == [
        f"gpu{gpu}_temp_degc" for gpu in range(4)
    ]
    assert tray.point[tray.index["gpu2_power_w"]].at == "DCGM_FI_DEV_POWER_USAGE/2"
    cap = tray.point[tray.index["cap_w"]]
    assert len(cap.at) == 2  # written to both processor modules
    assert cap.access == "readwrite"


def test_parameters_by_name() -> None:
    battery = load_models()["megapack-2h"]
    assert battery.parameter("energy_wh") == 3.85e6
    assert battery.parameter("soc_min_frac") == 0.0
    with pytest.raises(ConfigError, match="gives no parameter 'energy'"):
        battery.parameter("energy")
