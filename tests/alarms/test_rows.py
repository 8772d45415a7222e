"""The rows: every alarm has what makes it one, and its words are known to the rest of the house."""

from collections import Counter

import pytest

from mallee.alarms import ALARMS, AlarmKind, describe_alarms
from mallee.alarms.kind import AtPoint, Dark, Told, Unreadable
from mallee.core.event_kinds import EVENT_KINDS
from mallee.kinds import KINDS
from tests.alarms.given import PREPARED, ROOT, SITE

each = pytest.mark.parametrize("kind", ALARMS.values(), ids=lambda kind: kind.name)


@each
def test_an_alarm_says_what_happens_and_what_to_do(kind: AlarmKind) -> None:
    assert kind.priority in (1, 2, 3)
    assert kind.consequence.endswith(".")
    assert kind.response.endswith(".")
    assert 60.0 <= kind.respond_within_s <= 8 * 3600.0
    assert kind.on_delay_s < kind.respond_within_s
    if not isinstance(kind.condition, Told):
        assert kind.on_delay_s > 0.0 or kind.latched, "a single reading alarms nobody"
        assert kind.off_delay_s > 0.0 or kind.latched, "what flickers would chatter"


@each
def test_its_condition_names_things_that_exist(kind: AlarmKind) -> None:
    condition = kind.condition
    if isinstance(condition, AtPoint):
        assert (condition.above is None) != (condition.below is None)
        assert condition.device.point(condition.point.replace("*", "0")) is not None
        assert condition.deadband >= 0.0
    elif isinstance(condition, Unreadable):
        assert all(one.name in KINDS for one in condition.devices)
    elif isinstance(condition, Dark):
        assert "rack" in condition.device.stands
    else:
        events = [EVENT_KINDS[name] for name in condition.events]
        assert len({event.ended_by for event in events}) == 1, "one end for all"
        if kind.on_delay_s or kind.off_delay_s:
            assert events[0].ended_by, "what is over at once has no delays"


@each
def test_its_causes_are_alarms_that_reach_it(kind: AlarmKind) -> None:
    for name in kind.caused_by:
        assert ALARMS[name].reach, f"{name} explains nothing"
        assert kind.name not in ALARMS[name].caused_by, "two alarms cannot cause each other"


def test_no_alarm_explains_itself_through_others() -> None:
    above = {name: set(kind.caused_by) for name, kind in ALARMS.items()}
    for _ in above:
        above = {
            name: causes.union(*(above[one] for one in causes)) for name, causes in above.items()
        }
    assert [name for name, causes in above.items() if name in causes] == []


def test_priorities_are_split_as_people_can_bear() -> None:
    """EEMUA 191: about 5, 15 and 80 per cent, each within 5."""
    counts = Counter(kind.priority for kind in ALARMS.values())
    shares = [100.0 * counts[priority] / len(ALARMS) for priority in (1, 2, 3)]
    assert shares == pytest.approx([5.0, 15.0, 80.0], abs=5.0)


def test_the_manual_lists_all_alarms() -> None:
    text = (ROOT / "docs/alarms.md").read_text(encoding="utf-8")
    assert describe_alarms() in text, "paste describe_alarms() into docs/alarms.md"


def test_a_site_has_its_alarms_at_every_place() -> None:
    instances = PREPARED.instances
    names = Counter(instances.kinds[kind].name for kind in instances.kind.tolist())
    assert names["node-silent"] == names["die-hot"] == 36
    assert names["rack-dark"] == 2
    assert names["breaker-open"] == len(SITE.branches)
    assert names["safe-state"] == 1
    assert names["fuel-low"] == 0, "no genset here"
    assert len(set(zip(instances.kind.tolist(), instances.source, strict=True))) == instances.count
