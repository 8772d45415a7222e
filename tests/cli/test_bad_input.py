"""Bad input at the command line: one line that says what, where and what would be right."""

import json
import re
from pathlib import Path

import pytest

from mallee.cli import run

DEMO = "examples/sites/charging-site.toml"
SECONDS = "".join(f"{second},{3000 + second}\n" for second in range(20))
TRACE = "t_s,power_w\n" + SECONDS
FAULT = '[[fault]]\nat_s = 1\ntarget = "bess1"\nkind = "battery-trip"\n'


@pytest.fixture(autouse=True)
def in_the_checkout(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in commands are as in the documentation."""
    monkeypatch.chdir(root)


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said about wrong input; there must be nothing else, and the right exit status.

    A site file with several mistakes has all of them told, a line each.
    """
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("mallee: ")
    lines = said.err.splitlines()
    assert all(re.match(r"mallee: |site.toml(:\d+)?: ", line) for line in lines)
    assert len(lines) == len(set(lines)) <= 3
    return said.err


def only_finding(path: Path, capsys: pytest.CaptureFixture[str], status: int = 2) -> str:
    """The one error that `check` has about a file; as text and as JSON, with the same status."""
    assert run(["check", str(path)]) == status
    said = capsys.readouterr()
    assert said.err == ""
    lines = [line for line in said.out.splitlines() if line.startswith("error ")]
    assert len(lines) == 1, said.out
    assert run(["check", str(path), "--json"]) == status
    answer = json.loads(capsys.readouterr().out)
    errors = [finding for finding in answer["findings"] if finding["level"] == "error"]
    assert not answer["ok"]
    assert len(errors) == 1
    assert errors[0]["text"] in lines[0]
    assert f"[{errors[0]['rule']}]" in lines[0]
    assert f"site.toml:{errors[0]['line']}: " in lines[0] or not errors[0]["line"]
    return lines[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[grid]", "[gird]", "gird: unknown key; did you mean 'grid'?"),
        ("rating_a = 400", "rating = 400", "breaker.q-pod.rating: unknown key"),
        ("meter = { name", "meter = { nam", "grid.meter.nam: unknown key; did you mean 'name'?"),
        ("rating_va = 750e3", 'rating_va = "750 kVA"', "is '750 kVA'; must be a number"),
        (
            "rating_va = 750e3",
            "rating_va = inf",
            "transformer.tx1.rating_va: is inf; must be a fin",
        ),
        ("rating_va = 750e3", "rating_va = nan", "is nan; must be a finite number"),
        ("America/Chicago", "America/Chicgo", "did you mean 'America/Chicago'?"),
        ("America/Chicago", "", "timezone: no time zone ''; such as"),
        ('"16:00"', '"25:00"', "evening.from_time: is '25:00'; write a time of the day"),
        ('"16:00"', "16:00:00", "is 16:00:00; must be a text in quotes"),
        ('name = "ev{1..2}"', 'name = "bess1"', "charger.bess1: the name 'bess1' is used twice"),
        ('name = "q-pod"', 'name = "q-ev1"', "the branch name 'q-ev1' is used twice"),
        ('name = "tx1"', 'name = "tx{2..1}"', "the range in 'tx{2..1}' runs backwards"),
        ('name = "tx1"', 'name = "tx{1-2}"', "the braces in 'tx{1-2}' hold no range"),
        ('name = "r{1..2}"', 'name = "r{1..9999999}"', "makes more than 100000 names"),
        ("count = 18", "count = 1000000000", "nodes.count: is 1e+09; must be 100000 or less"),
        ("count = 18", "count = 1.5", "nodes.count: is 1.5; must be a whole number"),
        ('name = "charging-site"', 'name = ".."', "name: is '..'; write letters"),
        ('fed_by = "q-battery"', "", "battery.bess1: has no fed_by; name the transformer or"),
        ('fed_by = "q-battery"', 'fed_by = ["tx1", "tx1", "tx1"]', "names 3 branches; list"),
        (
            'name = "q-battery"\nfed_by = "tx1"',
            'name = "q-battery"\nfed_by = "q-battery"',
            "circle",
        ),
        ('model = "megapack-2h"', 'model = "cdu-1300kw"', "'cdu-1300kw' is a cdu, not a battery"),
        ("contracted_w = 600e3", "", "grid: lacks 'contracted_w'"),
        ('kind = "training"', 'kind = "trace"', "names no trace to replay"),
        ('kind = "training"', 'kind = "trace", trace = "no.csv"', "no.csv: cannot be read"),
    ],
)
def test_site_files(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(DEMO).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "site.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert said in only_finding(path, capsys, 1 if "trace" in new else 2)
    if "trace" not in new:
        assert said in refusal(["simulate", str(path), "--for", "1s"], capsys)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bytes(range(256)), "is not UTF-8 text; save the file as UTF-8"),
        (b'# fine\nname = "Stra\xdfe"\n', "site.toml: line 2: is not UTF-8 text"),
        (b"name = ", "is not valid TOML"),
    ],
)
def test_files_that_are_no_site(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(content)
    assert said in refusal(["check", str(path)], capsys)
    assert "Is a directory" in refusal(["check", str(tmp_path)], capsys)
    assert run(["check", str(path), "--json"]) == 2  # the same status, and still JSON
    answer = json.loads(capsys.readouterr().out)
    assert not answer["ok"]
    assert answer["findings"][0]["rule"] == "unreadable"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "site.toml: lacks 'name'"),
        (b'name = "a"\ngrid = 3\n', "grid: is 3; must be a table"),
        (b'name = "a"\n', "grid: is missing; a site has a [grid]"),
    ],
)
def test_files_with_hardly_a_site(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(content)
    assert said in only_finding(path, capsys)


def test_a_mark_at_the_start_of_a_file_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xef\xbb\xbf" + Path(DEMO).read_bytes())
    assert run(["check", str(path)]) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "trace.csv: is empty; expected a header"),
        ("t_s,power_w\n0,1\n", "has 1 samples"),
        (SECONDS, "line 1: no column t_s in 0,3000"),
        (TRACE.replace("power_w", "watts"), "line 1: no power column in t_s,watts"),
        (TRACE.replace("3004", "nan"), "line 6: power_w is 'nan'; expected a finite number"),
        (TRACE.replace("3004", ""), "line 6: power_w is ''"),
        (TRACE.replace("3004", "-5"), "line 6: power_w is -5; expected 0 or more"),
        (TRACE.replace("3004", "1,2"), "line 6: has 3 values for 2 columns"),
        (TRACE.replace("\n19,", "\n99,"), "no samples from 18 to 99 s"),
        (TRACE.replace("\n9,", "\n1,"), "time must rise"),
        ("\xff\x00", "cannot be read"),
        ("t_s,power_w\n0," + "1" * 200_000 + "\n", "cannot be read: field larger"),
        ("t_s,power_w\n0,0\n1,0\n", "has no power above 0 to scale"),
    ],
)
def test_traces(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(content, encoding="latin-1")
    words = ["simulate", DEMO, "--trace", str(path), "--scale-to", "264e3", "--for", "1s"]
    assert said in refusal(words, capsys)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("bess1", "bes1", "no battery 'bes1'; did you mean 'bess1'?"),
        ("bess1", "meter", "'meter' is a meter, this fault needs a battery"),
        ("battery-trip", "batery-trip", "did you mean 'battery-trip'?"),
        ("at_s = 1", "at_s = -1", "at_s: is -1"),
        ("at_s = 1", "at = 1", "at: unknown key; did you mean 'at_s'?"),
        ("at_s = 1", "at_s = 1\nuntil_s = 1", "until_s: 1 s is not after"),
        ("at_s = 1", "at_s = 1\nparameters = { pump = 1 }", "has no parameter 'pump'"),
        ("[[fault]]", "[fault]", "write [[fault]] for each one"),
    ],
)
def test_fault_plans(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(FAULT.replace(old, new), encoding="utf-8")
    assert said in refusal(["simulate", DEMO, "--faults", str(path), "--for", "1s"], capsys)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", DEMO, "--for", "0s"], "no time at all"),
        (["simulate", DEMO, "--for=-5s"], "is not a length of time"),
        (["simulate", DEMO, "--for", "60"], "write a number and s, m, h, d or w"),
        (["simulate", DEMO, "--seed", "-1"], "--seed. Must be >= 0"),
        (["simulate", DEMO, "--scale-to", "nan"], "--scale-to: nan is no power"),
        (["simulate", DEMO, "--scale-to", "1e5"], "there is no trace to scale; name one with --tr"),
        (["simulate", DEMO, "--report", "examples"], "--report examples: is a folder"),
        (["simulate", DEMO, "--series", "no/where.csv"], "--series no/where.csv: there is no fol"),
        (["query", "meter/import_w", "--csv", "no/where.csv"], "there is no folder"),
        (["up", DEMO, "--port", "99999"], "--port. Must be <= 65535"),
        (["up", DEMO, "--scale-to", "1e5"], "there is no trace to scale"),
        (
            ["up", DEMO, "--data", "{tmp}", "--host", "no such host"],
            "--host no such host: is unknown",
        ),
        (["up", "nowhere.toml"], "nowhere.toml: cannot be read: No such file"),
        (["discover", "nonsense", "--tls-ca", "none.pem"], "--tls-ca none.pem: cannot be used"),
    ],
)
def test_options(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refusal([word.replace("{tmp}", str(tmp_path)) for word in words], capsys)


def test_a_folder_without_history_is_named_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = refusal(["query", "meter/import_w"], capsys)
    assert f"{tmp_path / 'mallee-data'}: holds no history; start a site here" in said


def test_figures_that_a_site_cannot_have_are_null(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(DEMO).read_text(encoding="utf-8")
    before, _, rest = text.partition("[[battery]]")
    path = tmp_path / "site.toml"
    path.write_text(before + rest[rest.index("[[charger]]") :], encoding="utf-8")
    assert run(["simulate", str(path), "--for", "1s", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["soc_end"] is None


@pytest.mark.parametrize(
    ("address", "is_right"),
    [
        ("10.0.0.5:502", True),
        ("10.0.0.5", True),
        ("battery.site.example", True),
        ("[fd00::5]:502", True),
        ("10.0.0.5:5o2", False),
        ("10.0.0.5:99999", False),
        ("10.0.0.5:502:503", False),
        ("http://10.0.0.5", False),
        (":502", False),
    ],
)
def test_check_knows_what_an_address_is(
    address: str, is_right: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(DEMO).read_text(encoding="utf-8")
    path = tmp_path / "site.toml"
    battery = 'model = "megapack-2h"'
    path.write_text(text.replace(battery, f'{battery}\naddress = "{address}"'), encoding="utf-8")
    assert run(["check", str(path)]) == (0 if is_right else 1)
    assert (f"bess1: {address!r} is no address" in capsys.readouterr().out) is not is_right
