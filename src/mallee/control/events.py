"""Events of control: one when a condition comes, one when it goes, none while it lasts."""

from mallee.control.limits import Limits
from mallee.control.state import ControlState
from mallee.core.command import Event, Severity

_COMES = {
    "safe": ("safe-state", Severity.CRITICAL, "{text}"),
    "over limit": (
        "import-over-limit",
        Severity.CRITICAL,
        "Import {import_kw:.0f} kW is above the limit of {limit_kw:.0f} kW.",
    ),
    "capped": ("nodes-capped", Severity.WARNING, "{text}"),
    "soc_recovering": ("charge-recovery", Severity.INFO, "{text}"),
    "filter_overridden": ("filter-overridden", Severity.CRITICAL, "{text}"),
    "unseen": (
        "battery-unseen",
        Severity.WARNING,
        "{name} cannot be seen; control no longer counts on it.",
    ),
}
_GOES = {
    "safe": ("safe-state-ended", "The grid meter is back; control acts again."),
    "over limit": ("import-within-limit", "Import is back within its limit."),
    "capped": ("nodes-released", "Node caps are released."),
    "soc_recovering": ("charge-recovered", "The state of charge is back at its target."),
    "filter_overridden": ("filter-restored", "The inverters' own ramp filters work again."),
    "unseen": ("battery-seen", "{name} is seen again."),
}


def events_of_change(
    before: ControlState, after: ControlState, limits: Limits, time_s: float
) -> list[Event]:
    """What began and ended between two states."""
    events: list[Event] = []
    for condition in after.active:
        if condition not in before.active:
            key, name = _split(condition)
            kind, severity, text = _COMES[key]
            filled = text.format(
                text=after.text,
                name=name,
                import_kw=after.import_mean_w / 1e3,
                limit_kw=limits.import_contract_w / 1e3,
            )
            events.append(
                Event(
                    time_s=time_s,
                    kind=kind,
                    source=name or "control",
                    text=filled,
                    severity=severity,
                    numbers={"import_w": after.import_w, "load_w": after.load_w},
                )
            )
    for condition in before.active:
        if condition not in after.active:
            key, name = _split(condition)
            kind, text = _GOES[key]
            events.append(
                Event(
                    time_s=time_s, kind=kind, source=name or "control", text=text.format(name=name)
                )
            )
    return events


def _split(condition: str) -> tuple[str, str]:
    """A condition and the device it is about, if any."""
    if condition.startswith("unseen "):
        return "unseen", condition.removeprefix("unseen ")
    return condition, ""
