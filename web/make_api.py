"""Writes web/src/lib/api.ts, the types of everything that the console answers, from its structs.

    ./run python web/make_api.py

`tests/console/test_api_types.py` fails where the file no longer fits them.
"""

from pathlib import Path
from typing import Any

import msgspec

from mallee.console.api import ANSWERS

TARGET = Path(__file__).parent / "src/lib/api.ts"
HEAD = """// Made by web/make_api.py from the server's structs; do not edit.
"""
PRIMITIVES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def typescript() -> str:
    """The whole file."""
    _, schemas = msgspec.json.schema_components(ANSWERS, ref_template="{name}")
    blocks = [_declaration(name, schema) for name, schema in sorted(schemas.items())]
    return HEAD + "\n" + "\n".join(blocks)


def _declaration(name: str, schema: dict[str, Any]) -> str:
    if "properties" not in schema:
        return f"export type {name} = {_type(schema)};\n"
    fields = "".join(f"  {key}: {_type(value)};\n" for key, value in schema["properties"].items())
    return f"export interface {name} {{\n{fields}}}\n"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"])
    if "enum" in schema:
        return " | ".join(msgspec.json.encode(value).decode() for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    kind = schema.get("type")
    if kind == "array":
        inner = _type(schema["items"])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if kind == "object":
        return f"Record<string, {_type(schema.get('additionalProperties', {}))}>"
    if isinstance(kind, list):
        return " | ".join(PRIMITIVES[one] for one in kind)
    return PRIMITIVES[kind] if kind else "unknown"


if __name__ == "__main__":
    TARGET.write_text(typescript(), "utf-8")
