"""Tables that a folder fills: names without loading, rows on demand."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mallee.core.by_folder import ByFolder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Two modules with a row each, and one that breaks when loaded."""
    name = "folder_of_rows"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "beta.py").write_text("ROW = 2\n")
    (folder / "alpha.py").write_text("ROW = 1\n")
    (folder / "broken.py").write_text("raise RuntimeError('loaded')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for module in [one for one in sys.modules if one.split(".")[0] == name]:
        del sys.modules[module]


def test_names_come_in_order_and_load_nothing(package: str) -> None:
    table: ByFolder[int] = ByFolder(package, "ROW")
    assert list(table) == ["alpha", "beta", "broken"]
    assert len(table) == 3
    assert "beta" in table
    assert "gamma" not in table
    assert f"{package}.broken" not in sys.modules


def test_a_row_is_loaded_when_asked_for(package: str) -> None:
    table: ByFolder[int] = ByFolder(package, "ROW")
    assert table["beta"] == 2
    assert table["beta"] == 2
    with pytest.raises(KeyError, match="gamma"):
        table["gamma"]
    with pytest.raises(RuntimeError, match="loaded"):
        table["broken"]


def test_only_the_names_that_count(package: str) -> None:
    table: ByFolder[int] = ByFolder(package, "ROW", lambda: ["beta", "elsewhere"])
    assert list(table) == ["beta"]
    assert dict(table) == {"beta": 2}
    with pytest.raises(KeyError):
        table["alpha"]
