"""Compares the unit suffixes of names that are added, compared, assigned or passed.

``a_w + b_s``, ``f(power_w=ramp_w_per_s)`` and ``end_s = start_ms`` mix units; ``limit_w or 0``
takes a zero for a missing value. Multiplication and division make new units: they are left alone.
"""

import ast
from collections.abc import Iterator

from mallee.core.units import UNITS

# Units elsewhere and not here: Mallee keeps W, Wh, V, A, s, degC, kg/s, Pa and fractions of 1.
_POWER_AND_ENERGY = {"kw", "mw", "gw", "kwh", "mwh", "gwh", "kva", "mva", "kv", "ma", "mv"}
_TIME = {"ns", "us", "sec", "secs", "seconds", "mins", "minutes", "hour", "hours", "khz", "mhz"}
_OTHER = {"celsius", "degf", "kelvin", "lpm", "kpa", "bar", "psi", "pct", "percent", "perc"}
FOREIGN = frozenset(_POWER_AND_ENERGY | _TIME | _OTHER)

# What passes the unit of its first argument on.
_KEEPS_UNIT = {"min", "max", "abs", "float", "sum", "clip", "maximum", "minimum", "mean", "where"}


def unit_of(name: str) -> str | None:
    """The unit that a name ends in, the longest that fits; None without one."""
    parts = name.lower().strip("_").split("_")
    for count in (4, 3, 2, 1):
        unit = "_".join(parts[-count:])
        # A factor such as SECONDS_PER_HOUR or `slope_w_per_hz` is no quantity in hours or Hz.
        if len(parts) > count and parts[-count - 1] != "per" and (unit in UNITS or unit in FOREIGN):
            return unit
    return None


def mixed_units(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every place where two different units meet."""
    for node in ast.walk(tree):
        added = isinstance(node, ast.BinOp | ast.AugAssign)
        for left, right in _pairs(node):
            one, other = _unit(left), _unit(right)
            if one is None or other is None or one == other or (added and _shifts(one, other)):
                continue
            yield node.lineno, f"{_text(left)} [{one}] meets {_text(right)} [{other}]"  # type: ignore[attr-defined]
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            first = node.values[0]
            if _unit(first) is not None and not isinstance(first, ast.Compare):
                yield node.lineno, f"`or` takes a zero {_text(first)} for a missing one"


def _shifts(one: str, other: str) -> bool:
    """A difference of temperature moves a temperature."""
    return {one, other} == {"degc", "k"}


def foreign_units(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every name in a unit that is not Mallee's."""
    for node in ast.walk(tree):
        name = None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = node.name if unit_of(node.name) not in _TIME else None  # `read_minutes` is fine
        if name is not None and unit_of(name) in FOREIGN:
            yield getattr(node, "lineno", 0), f"{name} ends in a unit that is not in core/units.py"


def _pairs(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return [(left, right)]
        case ast.Compare(left=left, comparators=others):
            return [(left, other) for other in others]
        case ast.Assign(targets=targets, value=value):
            return [(target, value) for target in targets]
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return [(target, value)]
        case ast.AugAssign(target=target, op=ast.Add() | ast.Sub(), value=value):
            return [(target, value)]
        case ast.Call(keywords=keywords):
            return [
                (ast.Name(word.arg, ast.Load()), word.value)
                for word in keywords
                if word.arg is not None
            ]
        case ast.IfExp(body=body, orelse=orelse):
            return [(body, orelse)]
        case _:
            return []


def _unit(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return unit_of(name)
        case ast.UnaryOp(operand=inner) | ast.Subscript(value=inner) | ast.Starred(value=inner):
            return _unit(inner)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
            return _unit_of_sum(_unit(left), _unit(right), sign, _text(node))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            if name == "where" and len(args) == 3:
                return _unit(args[1]) or _unit(args[2])
            if name == "total_seconds":
                return "s"
            return _unit(args[0]) if name in _KEEPS_UNIT and args else unit_of(name)
        case _:
            return None


def _unit_of_sum(one: str | None, other: str | None, sign: ast.operator, text: str) -> str | None:
    if "ZERO_CELSIUS_K" in text:
        return None  # between the two scales, whichever way
    if one == other == "degc" and isinstance(sign, ast.Sub):
        return "k"
    return "degc" if "degc" in (one, other) else one or other


def _text(node: ast.expr) -> str:
    return ast.unparse(node)[:60]
