"""What work a site loses by a device in line that is large enough: a UPS or a PDU before racks."""

import tempfile
from pathlib import Path

from mallee.catalogue import load_models, load_site
from mallee.core.errors import ConfigError
from mallee.simulation.figures import figures_of
from mallee.simulation.run import simulate

DEMO_RACKS = 'fed_by = "q-pod"\ncdu = "cdu1"'
"""Where the demo's site file says what feeds its racks."""
DEMO_POD = "[[pod]]"
NEEDED_W = 332e3
"""What the breaker before the demo's racks passes: 400 A at 480 V, three phases."""


def throughput_lost(demo: Path, kind: str, simulate_s: int) -> float | None:
    """Share of the work that the demo loses when such a device is put before its racks.

    Args:
        demo: its site file.
        kind: ``ups`` or ``pdu``.
        simulate_s: how long to simulate it with the device and without.

    Returns:
        What is lost with the device less what is lost without; None where no catalogue model is
        large enough, or the changed site cannot be simulated.
    """
    fitting = [
        model
        for model in load_models().values()
        if model.kind == kind and model.power_max_w >= NEEDED_W
    ]
    if not fitting:
        return None
    model = min(fitting, key=lambda one: one.power_max_w)
    text = demo.read_text(encoding="utf-8")
    table = f'[[{kind}]]\nname = "added"\nmodel = "{model.model}"\nfed_by = "q-pod"\n\n'
    if DEMO_RACKS not in text or DEMO_POD not in text:
        raise ValueError(f"{demo.name} is written in another way now: tell `in_line.py` how")
    text = text.replace(DEMO_RACKS, DEMO_RACKS.replace("q-pod", "added"), 1)
    text = text.replace(DEMO_POD, table + DEMO_POD, 1)
    with tempfile.TemporaryDirectory(prefix="mallee-house-") as folder:
        changed = Path(folder) / demo.name
        changed.write_text(text, encoding="utf-8")
        try:
            return _lost(changed, simulate_s) - _lost(demo, simulate_s)
        except ConfigError:
            return None


def _lost(file: Path, simulate_s: int) -> float:
    return float(figures_of(simulate(load_site(file), duration_s=simulate_s))["throughput_lost"])
