"""The pages' types are those of the server."""

import importlib.util
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"


def test_the_types_of_the_pages_fit_the_structs_of_the_server() -> None:
    spec = importlib.util.spec_from_file_location("make_api", WEB / "make_api.py")
    assert spec and spec.loader
    make_api = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_api)
    written = (WEB / "src/lib/api.ts").read_text("utf-8")
    assert written == make_api.typescript(), "run: ./run python web/make_api.py"
