"""Small sites with gear that the demo lacks, and models for it."""

from pathlib import Path

import msgspec

from mallee.catalogue import load_models, load_site_file
from mallee.core.device_model import ControllerLoss, DeviceModel, Parameter, PointSpec, Protocol
from mallee.site.build import build_site
from mallee.site.model import SiteModel

HEAD = """
name = "plant"
[[feed]]
name = "a"
contracted_w = 1e6
import_max_w = 1e6
meter = { name = "meter-a", model = "grid-meter-sunspec" }
[[feed]]
name = "b"
contracted_w = 1e6
import_max_w = 1e6
meter = { name = "meter-b", model = "grid-meter-sunspec" }
"""

RACKS = """
[[pod]]
name = "pod"
cdu = [{ name = "cdu", model = "cdu-1300kw", fed_by = "{feed}" }]
[[pod.rack]]
name = "r{1..2}"
fed_by = "{feed}"
cdu = "cdu"
nodes = { model = "nvidia-gb200-nvl72-compute-tray", count = 18 }
[twin]
latitude_deg = 30
"""


def model(kind: str, power_w: float, points: tuple[str, ...], **physics: float) -> DeviceModel:
    """A model of a kind that the catalogue may not have yet."""
    return DeviceModel(
        model=f"a-{kind}",
        kind=kind,
        vendor="test",
        product=kind,
        power_max_w=power_w,
        protocol={"sunspec": Protocol(port=502)},
        point=[
            PointSpec(
                name=name.removesuffix("!"),
                protocol="sunspec",
                at="1.X",
                access="readwrite" if name.endswith("!") else "read",
            )
            for name in points
        ],
        physics={name: Parameter(value, "assumed", "test") for name, value in physics.items()},
        on_controller_loss=ControllerLoss(behaviour="hold"),
    )


MODELS = (
    model("ups", 600e3, ("input_w", "output_w", "soc", "autonomy_s"), rating_w=500e3),
    model("pdu", 400e3, ("input_w", "output_w", "energy_wh"), rating_w=400e3, loss_c_pu=0.01),
    model("genset", 800e3, ("output_w", "fuel_frac", "frequency_hz", "start_count!")),
    model("solar", 100e3, ("output_w", "energy_wh", "output_max_w!"), peak_w=150e3),
    model("transfer_switch", 1.0, ("load_w", "source_count")),
    model("chiller", 60e3, ("power_w", "heat_w", "supply_degc"), rating_w=200e3, restart_s=60.0),
    model("dry_cooler", 8e3, ("power_w", "fan_speed_frac"), rating_w=150e3, fan_max_w=3e3),
    model("air_handler", 3e3, ("power_w", "fan_speed_frac"), rating_w=60e3, fan_max_w=2.4e3),
    model("pump", 4e3, ("power_w", "flow_kgps"), rating_w=150e3, flow_max_kgps=6.0),
)


def site_of(folder: Path, text: str) -> SiteModel:
    """A site from the text of its file, with the catalogue's models and those above."""
    path = folder / "site.toml"
    path.write_text(text)
    models = {**load_models(), **{one.model: one for one in MODELS}}
    return build_site(load_site_file(path), models)


def with_twin(site: SiteModel, **keys: object) -> SiteModel:
    """The same site with other entries in its `[twin]`."""
    assert site.file.twin is not None
    file = msgspec.structs.replace(site.file, twin=msgspec.structs.replace(site.file.twin, **keys))
    return SiteModel(file, site.branches, site.pods, site.racks, site.groups, site.loops)
