"""One more kind of device costs one file: it is read, checked, budgeted and shown from there."""

import json
import subprocess
import sys
from pathlib import Path

import mallee.kinds

KIND = '''
"""Water treatment skids: a kind that nobody else in the house has heard of."""

from mallee.core.device_model import Sensor
from mallee.kinds.kind import DeviceKind, Drawing, PointKind

WATER_SKID = DeviceKind(
    name="water_skid",
    stands=("site", "pod"),
    order=40,
    table="water_skid",
    role="load",
    power="power_w",
    points=(
        PointKind(name="power_w", sensor=Sensor(gain_frac=0.02, quantum=10.0), shown="sum"),
        PointKind(name="conductivity_frac", needed=True, shown="max"),
    ),
    drawing=Drawing(symbol="water", order=20, label="Water treatment"),
)
'''

MODEL = """
model = "skid-5kw"
kind = "water_skid"
vendor = "generic"
product = "Water treatment skid, 5 kW"
power_max_w = 5000
[protocol.redfish]
port = 443
[[point]]
name = "power_w"
protocol = "redfish"
at = "Chassis/Skid/Sensors/Power#/Reading"
[[point]]
name = "conductivity_frac"
protocol = "redfish"
at = "Chassis/Skid/Sensors/Conductivity#/Reading"
[on_controller_loss]
behaviour = "hold"
"""

ASK = """
import json, sys
from pathlib import Path
from importlib.util import find_spec, module_from_spec
spec = find_spec("mallee.kinds")
spec.submodule_search_locations.append(sys.argv[2])  # as if the file were in the folder
kinds = sys.modules["mallee.kinds"] = module_from_spec(spec)
spec.loader.exec_module(kinds)
from mallee.catalogue import load_site
from mallee.console.places import power_tree
from mallee.site.checks import check_site
from mallee.site.flows import flows_of
site = load_site(Path(sys.argv[1]))
group = next(site.groups_of("water_skid"))
flows = flows_of(site)
print(json.dumps({
    "names": group.names,
    "points": [path for path in site.point_paths() if path.startswith("skid")],
    "fixed_w": float(flows.fixed_w[site.branch_index("q-pod")]),
    "findings": [f.rule for f in check_site(site)],
    "shown": "skid1" in repr(power_tree(site)),
}))
"""


def test_a_kind_in_one_file_is_read_checked_and_shown(root: Path, tmp_path: Path) -> None:
    """`files_new_kind_shown` is 1: the file of the kind (its models are data beside the site)."""
    kinds, catalogue = tmp_path / "kinds", tmp_path / "catalogue"
    kinds.mkdir()
    catalogue.mkdir()
    (kinds / "water_skid.py").write_text(KIND, encoding="utf-8")
    (catalogue / "skid.toml").write_text(MODEL, encoding="utf-8")
    demo = (root / "examples/sites/charging-site.toml").read_text(encoding="utf-8")
    skid = '[[water_skid]]\nname = "skid{1..2}"\nmodel = "skid-5kw"\nfed_by = "q-pod"\n\n[[pod]]\n'
    path = tmp_path / "site.toml"
    path.write_text(demo.replace("[[pod]]\n", skid, 1), encoding="utf-8")

    answer = subprocess.run(
        [sys.executable, "-c", ASK, str(path), str(kinds)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout)
    assert said["names"] == ["skid1", "skid2"]
    assert said["points"] == [
        f"skid{n}/{point}" for n in (1, 2) for point in ("power_w", "conductivity_frac")
    ]
    assert said["fixed_w"] > 2 * 5000.0
    assert "extra-point" not in said["findings"]
    assert said["shown"]


def test_nobody_compares_names_of_a_kind_that_does_not_exist() -> None:
    """The null case: without its file the kind is unknown everywhere."""
    assert "water_skid" not in mallee.kinds.KINDS
