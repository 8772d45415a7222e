"""Device models in words: what they are, what they can be asked and told, what their kind needs."""

from collections.abc import Iterator

from mallee.core.device_model import DeviceModel, PointSpec
from mallee.kinds import KINDS, DeviceKind

Row = tuple[str, ...]

ROLES = {
    "measures": "only measures",
    "load": "consumes",
    "source": "gives",
    "storage": "consumes and gives",
    "in_line": "a branch itself: carries what names it in fed_by",
    "passes": "hands on what others draw",
}


def about(model: DeviceModel) -> list[Row]:
    """What a model is, as pairs of a word and its value."""
    kind = KINDS[model.kind]
    least_w, most_w = kind.range_w(model)
    held = f"control can hold it down to {least_w:g} W" if least_w < most_w else ""
    rows: list[Row] = [
        ("product", f"{model.vendor}: {model.product}"),
        ("kind", f"{kind.name}, {ROLES[kind.role]}; stands at {', '.join(kind.stands)}"),
        ("power", f"at most {model.power_max_w:g} W" + (f"; {held}" if held else "")),
        ("without its controller", _loss(model)),
    ]
    if model.accelerators:
        rows.insert(2, ("accelerators", str(model.accelerators)))
    for name, one in model.protocol.items():
        read = f"read every {one.poll_s:g} s, stale after {one.timeout_s:g} s"
        rows.append((name, f"port {one.port}, {read}"))
    return rows


def points(model: DeviceModel) -> list[Row]:
    """Name, unit and access, protocol, place, and what the kind makes of it, of every point."""
    kind = KINDS[model.kind]
    return [
        (point.name, _access(kind, model, point), point.protocol or "constant", _place(point))
        for point in model.point
    ]


def parameters(model: DeviceModel) -> list[Row]:
    """Name, value, mark and source of every parameter."""
    found = {**model.physics, **model.limits}
    return [(name, f"{one.value:g}", one.mark, one.source) for name, one in found.items()]


def gaps(model: DeviceModel) -> Iterator[str]:
    """What the kind needs and the model lacks, and what the model has beyond."""
    kind = KINDS[model.kind]
    for name in kind.missing_points(model):
        yield f"lacks the point {name!r}, which control and twin need of a {kind.name}"
    for name in kind.missing_parameters(model):
        yield f"gives no {name}, without which a {kind.name} cannot be simulated"
    for name in kind.unknown_points(model):
        yield f"has {name!r} beyond what a {kind.name} has: read, kept and shown, not simulated"


def _access(kind: DeviceKind, model: DeviceModel, point: PointSpec) -> str:
    row = kind.point(point.name)
    if row is None:
        return "read, beyond its kind"
    words = ["needed"] if row.needed else []
    if point.access == "readwrite":
        words.append("settable")
        bounds = kind.write_range(model, point.name) if not kind.missing_parameters(model) else None
        words += [f"{bounds[0]:g} to {bounds[1]:g}"] if bounds is not None else []
        if row.lease_s:
            words.append(f"for {row.lease_s:g} s")
    return ", ".join(words) or "read"


def _place(point: PointSpec) -> str:
    if point.constant is not None:
        return f"{point.constant:g}"
    more = f" and {len(point.places) - 1} more" if len(point.places) > 1 else ""
    return f"{point.places[0]}{more}"


def _loss(model: DeviceModel) -> str:
    loss = model.on_controller_loss
    words = "keeps the last set point" if loss.behaviour == "hold" else "falls back by itself"
    after = f" after {loss.after_s:g} s" if loss.after_s else ""
    return f"{words}{after}" + (f". {loss.note}" if loss.note else "")
