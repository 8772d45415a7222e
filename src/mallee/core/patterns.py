"""Names by count: ``r{01..02}`` means r01 and r02, so a large site is no longer than a small one.

Two forms exist. *Ranges* (``{1..18}``, zero-padded as written) make lists of names. *Templates*
(``10.1.{rack}.{n+10}``) place a device's own numbers into its address.
"""

import re
from collections.abc import Mapping

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MEMBERS_MAX = 100_000
_FIELD = re.compile(r"\{([a-z_]+)(?:([+-])(\d+))?\}")


def expand_range(pattern: str) -> list[str]:
    """All names of a pattern with at most one ``{first..last}`` range; the pattern itself without.

    Raises:
        ValueError: more than one range, one that runs backwards or makes more names than any site
            has, or braces around something else.
    """
    found = _RANGE.findall(pattern)
    if re.search("[{}]", _RANGE.sub("", pattern)):
        raise ValueError(f"the braces in {pattern!r} hold no range such as {{1..4}}")
    if not found:
        return [pattern]
    if len(found) > 1:
        raise ValueError(f"{pattern!r} has {len(found)} ranges, at most one is allowed")
    first, last = found[0]
    if int(first) > int(last):
        raise ValueError(f"the range in {pattern!r} runs backwards")
    if int(last) - int(first) >= _MEMBERS_MAX:
        raise ValueError(f"the range in {pattern!r} makes more than {_MEMBERS_MAX} names")
    before, after = _RANGE.split(pattern)[0], _RANGE.split(pattern)[-1]
    width = len(first) if first.startswith("0") else 0
    return [f"{before}{number:0{width}d}{after}" for number in range(int(first), int(last) + 1)]


def fill_template(template: str, numbers: Mapping[str, int]) -> str:
    """Replace ``{name}``, ``{name+10}`` or ``{name-1}`` by numbers.

    Raises:
        ValueError: the template names a number that does not exist here.
    """

    def number_of(match: re.Match[str]) -> str:
        name, sign, offset = match.groups()
        if name not in numbers:
            known = ", ".join(f"{{{known}}}" for known in numbers)
            raise ValueError(f"{{{name}}} in {template!r} is unknown; known here: {known}")
        shift = int(offset or 0) * (-1 if sign == "-" else 1)
        return str(numbers[name] + shift)

    return _FIELD.sub(number_of, template)
