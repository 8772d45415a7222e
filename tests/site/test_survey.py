# ruff: noqa: E501 - snippets of site files read best in one line
"""A site file with mistakes: all told at once, each once, with its line and what would be right."""

import re
from pathlib import Path

import pytest

from mallee.catalogue import load_site
from mallee.core.errors import ConfigError
from mallee.site.checks import check_site
from mallee.site.problems import Problem, SiteProblems
from tests.site.sites import DEMO, HALL, WET, changed, surveyed

DEMO_TEXT = DEMO.read_text(encoding="utf-8")


def said(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{problem.line} {problem} [{problem.rule}]" for problem in problems]


MISTAKES: list[tuple[str, str, str, str]] = [
    # rule, what stood there, what stands there now, what is said
    ("unknown-key", "[grid]", "[gird]", "gird: unknown key; did you mean 'grid'?"),
    ("unknown-key", "rating_a = 400", "rating_a = 400\nratng = 1", "breaker.q-pod.ratng: unknown key"),
    ("unknown-key", "count = 18", "count = 18, cuont = 1", "nodes.cuont: unknown key; did you mean"),
    ("missing-key", "import_max_w = 600e3", "", "grid: lacks 'import_max_w'"),
    ("missing-key", 'name = "q-pod"\n', "", r"breaker\[2\]: lacks 'name'"),
    ("wrong-type", "rating_va = 750e3", 'rating_va = "750 kVA"', "is '750 kVA'; must be a number"),
    ("wrong-type", "count = 18", "count = 1.5", "nodes.count: is 1.5; must be a whole number"),
    ("wrong-type", "soc_min = 0.2", "soc_min = true", "control.soc_min: is true; must be a number"),
    ("wrong-value", '"16:00"', '"25:00"', "evening.from_time: is '25:00'; write a time of the day"),
    ("wrong-value", 'kind = "training"', 'kind = "trainig"', "did you mean 'training'?"),
    ("wrong-value", "America/Chicago", "America/Chicgo", "did you mean 'America/Chicago'?"),
    ("wrong-value", "America/Chicago", "America/Dallas", "no time zone 'America/Dallas'; such as"),
    ("wrong-value", "America/Chicago", "Chicago", "did you mean 'America/Chicago'?"),
    ("wrong-value", 'name = "charging-site"', 'name = ".."', "name: is '..'; write letters"),
    ("out-of-range", "rating_va = 750e3", "rating_va = -750e3", "is -750000; must be above 0"),
    ("out-of-range", "rating_va = 750e3", "rating_va = inf", "is inf; must be a finite number"),
    ("out-of-range", "count = 18", "count = 0", "nodes.count: is 0; must be 1 or more"),
    ("out-of-range", "soc_min = 0.2", "soc_min = 20", "control.soc_min: is 20; must be 1 or less"),
    ("name-range", 'name = "tx1"', 'name = "tx{2..1}"', r"the range in 'tx\{2..1\}' runs backwards"),
    ("name-range", 'name = "tx1"', 'name = "tx{1-2}"', r"the braces in 'tx\{1-2\}' hold no range"),
    ("name-range", "count = 9", 'count = 9, name = "sw{1..3}"', "makes 3 names for count = 9"),
    ("name-twice", 'name = "q-pod"', 'name = "q-battery"', "'q-battery' is used twice"),
    ("name-twice", 'name = "ev{1..2}"', 'name = "bess1"', "the name 'bess1' is used twice"),
    ("no-such-branch", 'fed_by = "q-battery"', 'fed_by = "q-batery"', "did you mean 'q-battery'?"),
    ("no-such-branch", 'fed_by = "tx1"\nrating_a = 400', 'fed_by = "tx9"\nrating_a = 400', "no branch 'tx9'"),
    ("no-such-cdu", 'cdu = "cdu1"\n', 'cdu = "cdu2"\n', "no cdu 'cdu2' in this pod; did you mean 'cdu1'"),
    ("no-such-model", "megapack-2h", "megapak-2h", "no catalogue model 'megapak-2h'; did you mean"),
    ("wrong-kind", "megapack-2h", "cdu-1300kw", "'cdu-1300kw' is a cdu, not a battery"),
    ("no-feed", 'fed_by = "q-battery"\n', "", "battery.bess1: has no fed_by; name the transformer"),
    ("power-loop", 'name = "tx1"', 'name = "tx1"\nfed_by = "q-pod"', "in a circle here: tx1 > q-pod > tx1"),
    ("parallel-sources", 'fed_by = "tx1"\nrating_a = 400', 'fed_by = ["tx1", "grid"]\nrating_a = 400', "names 2 sources, which would run in parallel"),
    ("parallel-sources", 'fed_by = "q-battery"', 'fed_by = ["q-battery", "q-pod"]', "bess1.fed_by: names two sources"),
    ("feeds", 'fed_by = "q-pod" }]', 'fed_by = ["tx1", "tx1", "tx1"] }]', "names 3 branches; list"),
    ("feeds", 'fed_by = "q-pod" }]', 'fed_by = ["q-pod", "q-pod"] }]', "names 'q-pod' twice"),
    ("address", "count = 9", 'count = 9, address = { snmp = "x:1" }', "has no protocol 'snmp'"),
    ("address", "count = 18", 'count = 18, address = "10.0.0.{n}:1"', "give one address each: address = "),
    ("address", "count = 9", 'count = 9, address = "10.0.0.{slot}:1"', r"\{slot\} in .* is unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "old", "new", "message"), MISTAKES)
def test_each_mistake_is_told_once_with_its_line(
    rule: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    text = DEMO_TEXT.replace(old, new, 1)
    assert text != DEMO_TEXT
    problems = surveyed(text, tmp_path).problems
    assert len(problems) == 1, said(problems)
    assert problems[0].rule == rule
    assert re.search(message, str(problems[0])), said(problems)
    line = text[: text.index(new)].count("\n") + 1 if new else 0
    table = text.splitlines()
    assert 1 <= problems[0].line <= len(table)
    if rule in ("unknown-key", "wrong-type", "out-of-range") and "\n" not in new:
        assert problems[0].line == line


def test_all_mistakes_come_at_once_and_none_brings_another(tmp_path: Path) -> None:
    text = changed(
        DEMO_TEXT,
        ("voltage_v = 480", "voltage_v = 480\nfrequncy_hz = 60"),
        ("rating_va = 750e3", 'rating_va = "big"'),
        ('name = "q-battery"\nfed_by = "tx1"', 'name = "q-battery"\nfed_by = "tx2"'),
        ("megapack-2h", "megapak"),
        ("count = 9", "count = 0"),
        ('cdu = "cdu1"\n', 'cdu = "cdu2"\n'),
        ('kind = "training"', 'kind = "trainig"'),
    )
    problems = surveyed(text, tmp_path).problems
    assert [problem.rule for problem in problems] == [
        "unknown-key",
        "wrong-type",
        "no-such-branch",
        "no-such-model",
        "no-such-cdu",
        "out-of-range",
        "wrong-value",
    ], said(problems)
    assert [p.line for p in problems] == sorted(p.line for p in problems)
    with pytest.raises(SiteProblems) as caught:
        load_site(tmp_path / "site.toml")
    told = str(caught.value).splitlines()
    assert len(told) == len(problems)
    assert all(re.match(r"site\.toml:\d+: ", line) for line in told)


def test_what_is_right_beside_a_mistake_is_checked_all_the_same(tmp_path: Path) -> None:
    """A misspelt key here does not hide a breaker that is too small there."""
    text = changed(
        HALL,
        ("frequency_hz = 50", "frequncy_hz = 50"),
        ('name = "q-a"\nfed_by = "msb1"\nrating_a = 800', 'name = "q-a"\nfed_by = "msb1"\nrating_a = 400'),
    )  # fmt: skip
    found = surveyed(text, tmp_path)
    assert [p.rule for p in found.problems] == ["unknown-key"]
    assert found.site is not None
    assert [f.rule for f in check_site(found.site, in_part=True)] == ["work-lost"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rating_a = 1600", 'rating_a = "1600 A"'),
        ("rating_va = 1000e3", ""),
        ('name = "q-plant"', 'name = "q plant"'),
        ('model = "chiller-air-cooled-500kw"', 'model = "chiller"'),
        ('model = "air-handler-120kw"\n', ""),
        ('fed_by = "tx{1..2}"', 'fed_by = "ty{1..2}"'),
        ("import_max_w = 800e3", 'import_max_w = "800 kW"'),
        ("count = 4", 'count = "four"'),
    ],
)
def test_a_broken_piece_does_not_make_others_look_broken(
    old: str, new: str, tmp_path: Path
) -> None:
    found = surveyed(changed(HALL, (old, new)), tmp_path)
    assert 1 <= len(found.problems) <= 2, said(found.problems)  # a range may name two
    assert len({problem.rule for problem in found.problems}) == 1
    if found.site is not None:
        assert check_site(found.site, in_part=True) == []


def test_a_lost_rack_takes_its_devices_and_nothing_else(tmp_path: Path) -> None:
    found = surveyed(changed(WET, ('fed_by = "q-pod"\ncdu', 'fed_by = "q-pd"\ncdu')), tmp_path)
    assert [p.rule for p in found.problems] == ["no-such-branch"]
    assert found.site is not None
    assert found.site.racks.names == ()
    assert list(found.site.groups_of("node")) == []
    assert len(list(found.site.groups_of("cdu"))) == 1


def test_a_site_without_a_feed_has_one_finding(tmp_path: Path) -> None:
    without = (
        DEMO_TEXT[: DEMO_TEXT.index("[grid]")] + DEMO_TEXT[DEMO_TEXT.index("[[transformer]]") :]
    )
    found = surveyed(without, tmp_path)
    assert found.site is None
    assert said(found.problems) == [
        "0 grid: is missing; a site has a [grid], or [[feed]]s with a name each [feeds]"
    ]


def test_circles_are_told_beside_other_mistakes(tmp_path: Path) -> None:
    more = """
[[breaker]]
name = "a"
fed_by = "b"
rating_a = 1
[[breaker]]
name = "b"
fed_by = "c"
rating_a = 1
[[breaker]]
name = "c"
fed_by = "a"
rating_a = 1
[[breaker]]
name = "below"
fed_by = "c"
rating_a = 1
[[breaker]]
name = "self"
fed_by = "self"
rating_a = 1
[[breaker]]
name = "lost"
fed_by = "nowhere"
rating_a = 1
[twin]"""
    problems = surveyed(changed(HALL, ("[twin]", more)), tmp_path).problems
    assert [problem.rule for problem in problems] == ["power-loop", "power-loop", "no-such-branch"]
    assert "a > b > c > a" in str(problems[0])


def test_voltages_of_two_sources_must_agree(tmp_path: Path) -> None:
    two = (
        'name = "tx{1..2}"\nrating_va = 1000e3',
        'name = "tx1"\nrating_va = 1000e3\nvoltage_v = 400\n[[transformer]]\nname = "tx2"\nrating_va = 1000e3\nvoltage_v = 690',
    )
    racks = surveyed(changed(HALL, two), tmp_path).problems
    assert [p.rule for p in racks] == ["voltage-differs"]
    assert "q-a 400 V and q-b 690 V" in str(racks[0])
    tie = "[[tie]]\nname = 'q-tie'\nbetween = ['msb1', 'msb2']\nrating_a = 1600\n[[breaker]]\nname = \"q-a\""
    both = changed(HALL, two, ('[[breaker]]\nname = "q-a"', tie), ('["q-a", "q-b"]', '"q-a"'))
    ties = surveyed(both, tmp_path).problems
    assert {p.rule for p in ties} == {"voltage-differs"}
    switch = "[[transfer_switch]]\nname = 'ats'\nfed_by = ['tx1', 'tx2']\nrating_a = 1600\n[[breaker]]\nname = \"q-a\""
    ats = changed(HALL, two, ('[[breaker]]\nname = "q-a"', switch), ('["q-a", "q-b"]', '"q-a"'))
    assert [p.rule for p in surveyed(ats, tmp_path).problems] == ["voltage-differs"]


def test_a_tie_names_two_switchboards(tmp_path: Path) -> None:
    tie = "[[tie]]\nname = 'q-tie'\nbetween = ['msb1', 'q-a']\nrating_a = 1600\n[[breaker]]\nname = \"q-a\""
    text = changed(HALL, ('[[breaker]]\nname = "q-a"', tie))
    assert [p.rule for p in surveyed(text, tmp_path).problems] == ["no-such-branch"]
    same = text.replace("'msb1', 'q-a'", "'msb1', 'msb1'")
    assert [p.rule for p in surveyed(same, tmp_path).problems] == ["reference"]
    one = text.replace("['msb1', 'q-a']", "['msb1']")
    assert [p.rule for p in surveyed(one, tmp_path).problems] == ["out-of-range"]


def test_a_cdu_group_must_leave_a_member(tmp_path: Path) -> None:
    text = changed(WET, ("spare = 1", "spare = 2"))
    assert [p.rule for p in surveyed(text, tmp_path).problems] == ["cdu-group"]
    text = changed(WET, ('cdus = "cdu{1..2}"', 'cdus = "cdu{1..3}"'))
    assert [p.rule for p in surveyed(text, tmp_path).problems] == ["no-such-cdu"]


def test_devices_below_an_unknown_ups_are_not_told_about(tmp_path: Path) -> None:
    text = changed(
        HALL,
        ("[[chiller]]", '[[ups]]\nname = "ups1"\nmodel = "upps"\nfed_by = "q-a"\n[[chiller]]'),
        ('fed_by = ["q-a", "q-b"]', 'fed_by = "ups1"'),
    )
    assert [p.rule for p in surveyed(text, tmp_path).problems] == ["no-such-model"]


def test_an_unreadable_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not valid TOML"):
        surveyed("name = ", tmp_path)
