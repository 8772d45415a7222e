"""Properties of the shares: whatever is seen, nobody is given more than there is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mallee.control.guard import guard
from mallee.control.reserve import reserve_of
from mallee.control.sharing import cap_fraction, charger_limits_w, share
from mallee.control.view import look
from mallee.core.command import Command
from tests.control.site_view import SiteView

VIEW = SiteView()
POWERS = st.floats(0.0, 1e6)


@given(soc=st.floats(0.0, 1.0), import_w=st.floats(-1e5, 9e5), ev=st.tuples(POWERS, POWERS))
def test_shares_fit_the_import_limit_and_the_batteries(
    soc: float, import_w: float, ev: tuple[float, float]
) -> None:
    view = SiteView(VIEW.site)
    view.battery("soc", soc)
    view.set(import_w=import_w, chargers_w=ev)
    seen = look(view.snapshot(1.0), view.limits)
    reserve = reserve_of(seen, view.limits)
    shares = share(seen, reserve, view.limits, peak_w=1e5, period_s=1.0)
    site_max_w = view.limits.import_aim_w + reserve.support_w
    assert shares.chargers_max_w + view.limits.pods_min_w <= site_max_w + 1.0
    assert view.limits.pods_min_w <= shares.pods_max_w <= view.limits.pods_max_w
    chargers_w = min(sum(ev), shares.chargers_max_w)
    assert (
        chargers_w + shares.pods_max_w <= max(site_max_w, chargers_w + view.limits.pods_min_w) + 1.0
    )
    assert 0.0 <= cap_fraction(shares.pods_max_w, view.limits) <= 1.0


@given(total=st.floats(0.0, 2e6), ev=st.tuples(POWERS, POWERS))
def test_charger_limits_add_up_to_their_share(total: float, ev: tuple[float, float]) -> None:
    limits_w = charger_limits_w(total, list(ev), VIEW.limits)
    assert sum(limits_w) <= total + 1e-3
    assert all(0.0 <= w <= c.max_w for w, c in zip(limits_w, VIEW.limits.chargers, strict=True))


@given(values=st.lists(st.floats(), min_size=1, max_size=8), data=st.data())
def test_nothing_out_of_range_passes_the_guard(values: list[float], data: st.DataObject) -> None:
    limits = VIEW.limits
    rows = data.draw(st.lists(st.integers(0, 906), min_size=len(values), max_size=len(values)))
    command = Command(
        rows=np.array(rows), values=np.array(values), lease_s=1.0, reason="property test"
    )
    passed, _ = guard([command], limits, 0.0)
    for one in passed:
        assert (one.values >= limits.write_min[one.rows]).all()
        assert (one.values <= limits.write_max[one.rows]).all()
