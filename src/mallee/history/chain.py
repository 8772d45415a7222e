"""Records that vouch for the ones before them.

Each record's chain value is the SHA-256 of the one before it and of its own fields. Whoever changes
or removes a stored record breaks the chain from there on.
"""

import hashlib

import msgspec

Fields = tuple[float | int | str | None, ...]


def link(before: str, fields: Fields) -> str:
    """Chain value of a record after another."""
    # SQLite keeps no sign of a zero: -0.0 comes back as 0.0.
    kept = tuple(one + 0.0 if isinstance(one, float) else one for one in fields)
    return hashlib.sha256(before.encode() + msgspec.json.encode(kept)).hexdigest()
