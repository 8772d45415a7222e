"""A model may have more points than anybody here knows: read, kept and shown, they move nothing.

Wherever the point stands among the others, and whatever order the models come in, every other point
of the site keeps its path and its value.
"""

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue import load_models, load_site_file
from mallee.control import cycle, initial_state, limits_of
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.snapshot import Snapshot
from mallee.history.layout import Layout
from mallee.site.build import build_site
from mallee.site.checks import check_site
from mallee.site.model import SiteModel
from mallee.twin.site_twin import SiteTwin
from tests.site.sites import DEMO

FILE = load_site_file(DEMO)
MODELS = load_models()
USED = sorted({group.model.model for group in build_site(FILE, MODELS).groups})
EXTRA = "filter_pa"


def with_extra(model: DeviceModel, place: int) -> DeviceModel:
    """The same model with one more point, somewhere."""
    protocol = next(iter(model.protocol))
    extra = PointSpec(name=EXTRA, protocol=protocol, at="Somewhere#/Else")
    points = list(model.point)
    points.insert(place % (len(points) + 1), extra)
    return msgspec.structs.replace(model, point=points)


def read(site: SiteModel) -> dict[str, float]:
    """Plausible readings by path: whatever a twin reports after two seconds."""
    twin = SiteTwin(site)
    twin.advance(2000)
    return dict(zip(site.point_paths(), twin.reported.tolist(), strict=True))


PLAIN = read(build_site(FILE, MODELS))


@settings(max_examples=15)
@given(st.dictionaries(st.sampled_from(USED), st.integers(0, 12), min_size=1))
def test_any_models_may_have_more_and_control_decides_the_same(extras: dict[str, int]) -> None:
    models = {
        name: with_extra(model, extras[name]) if name in extras else model
        for name, model in MODELS.items()
    }
    site, plain = build_site(FILE, models), build_site(FILE, MODELS)
    assert [finding for finding in check_site(site) if finding.level == "error"] == []
    assert [p for p in site.point_paths() if not p.endswith(EXTRA)] == list(plain.point_paths())
    kept = {point for group in Layout.of(site).groups for point in group.points}
    assert EXTRA in kept, "history has a column for it"
    decided = []
    for one in (site, plain):
        values = np.array([PLAIN.get(path, np.nan) for path in one.point_paths()])
        zeros = np.zeros(values.size, np.uint8)
        snapshot = Snapshot(
            time_s=0.0, values=values, times_s=np.zeros(values.size), quality=zeros, progress=zeros
        )
        _, commands, _ = cycle(initial_state(), snapshot, (), (), limits_of(one), 0.0)
        decided.append(
            {
                one.point_path(row): value
                for command in commands
                for row, value in zip(command.rows.tolist(), command.values.tolist(), strict=True)
            }
        )
    assert decided[0] == decided[1]
