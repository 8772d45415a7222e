"""The rules of `mallee check`: short names that stay the same, and what each means.

`docs/check.md` is this table; a finding whose rule is not here is a bug.
"""

from typing import Final

RULES: Final[dict[str, str]] = {
    # the text of the file
    "unreadable": "The file cannot be read, is not UTF-8 or not TOML.",
    "unknown-key": "A key that does not exist; the nearest one that does is named.",
    "missing-key": "A table lacks a key that it cannot do without.",
    "wrong-type": "A value is of another type, such as a text for a number.",
    "wrong-value": "A value is none of those allowed, or not of the form.",
    "out-of-range": "A number, or a number of members, is outside of what is allowed.",
    "name-range": "A range in a name cannot be read, or does not make as many names as are needed.",
    "name-twice": "Two things have one name.",
    # what the file names
    "reference": "A name leads nowhere.",
    "no-such-branch": "`fed_by`, `between` or `measures` names a branch that is not there.",
    "no-such-cdu": "A rack or a group names a CDU that its pod does not have.",
    "no-such-model": "No catalogue model has this name.",
    "wrong-kind": "The model is of another kind than the table.",
    "model-file": "A file in the folder `catalogue` cannot be read.",
    "model-shadowed": "An own model has the name of a shipped one, or of another own one.",
    "model-lacks-point": "The model lacks a point that control and twin need.",
    "model-lacks-parameter": "The model lacks a parameter without which it cannot be simulated.",
    "extra-point": "The model has a point beyond its kind: read, kept and shown, not simulated.",
    "recording": "A trace that a simulated site replays is missing or unusable.",
    # the power tree
    "feeds": "Feeds are missing, mixed with `[grid]`, or named wrongly in `fed_by`.",
    "no-feed": "A device or branch does not say what feeds it, or a meter what it measures.",
    "power-loop": "Branches feed each other in a circle.",
    "parallel-sources": "Two sources would run in parallel without synchronising gear.",
    "voltage-differs": "Two sources of one branch or device have different voltages.",
    "voltage-too-high": "Devices for low voltage hang on more: a transformer or its voltage lacks.",
    "unused-feed": "A feed or genset on which nothing hangs.",
    "unused-branch": "A branch on which nothing hangs.",
    "no-breaker": "Devices hang directly on the grid connection.",
    "overload": "A branch carries more than its rating even with every cap at its lowest.",
    "ups-small": "A UPS is smaller than its load at full power.",
    "work-lost": "A rating holds computers below full power; says what that costs of their work.",
    "shared-with-chargers": "Busy chargers leave pods less than full power.",
    "loss-of-a-feed": "What a branch takes over after a loss is more than its rating.",
    "held-by-control": "More may be asked for than fits; control holds chargers and batteries.",
    "shelves-short": "Power shelves are smaller than what their rack draws.",
    "no-cap": "Nodes that control cannot cap; they count in full.",
    # contract, battery
    "limits-differ": "Limits in W and in VA contradict each other.",
    "ramp-not-covered": "No battery covers a ramp window.",
    "battery-small": "Batteries have less power than the swing of the nodes.",
    "battery-room": "The battery has too little energy to follow a step at the ramp limit.",
    "soc-window": "State-of-charge settings contradict each other.",
    "window-empty": "A demand window ends when it begins.",
    "window-target": "A demand target cannot be met, or changes nothing.",
    "window-overlap": "Two demand windows share hours.",
    "limit-dates": "Dates of a limit do not exist or are in the wrong order.",
    "limit-empty": "A scheduled limit changes nothing.",
    "limit-too-low": "A scheduled limit is below what control can go down to.",
    "limit-overlap": "Two scheduled limits differ in the same hours.",
    "limit-gap": "Scheduled limits leave a hole between them.",
    "clock-change": "A time of the day that is skipped or repeated when clocks change.",
    # cooling
    "no-cdu": "Liquid-cooled computers without a CDU.",
    "cdu-group": "A CDU group has no members left beside its spare ones.",
    "cdu-short": "CDUs cannot carry the heat of their racks, spare ones not counted.",
    "plant-missing": "No plant is written down; one is assumed.",
    "cooling-short": "Air handlers, chillers or dry coolers are smaller than the heat.",
    "cooling-without-spare": "The plant is enough only while every unit runs.",
    "hot-day": "Dry coolers cannot reach the temperature that CDUs need at 40 degC outside.",
    # people and access
    "tenant-overlap": "A rack or node belongs to two tenants or runs two jobs at once.",
    "address": "An address that is none, or does not fit the model.",
    "address-twice": "Two devices behind one address.",
    "no-address": "A real device without an address.",
    "no-credentials": "Devices that want a login name none.",
    "no-login": "The login that is named is not in the environment or the secrets file.",
    "no-driver": "A model speaks a protocol that has no driver.",
    "refused": "Control or twin refuses to start; the sentence is theirs.",
}
"""By rule, what it finds."""
