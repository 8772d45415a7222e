"""A simulated run as one HTML page that a person can look at."""

from collections.abc import Mapping
from pathlib import Path

from mallee.core.errors import ConfigError
from mallee.reports import RunRecord, write_report
from mallee.simulation.run import Simulation
from mallee.twin.clock import STEP_S


def write_simulation_report(
    path: Path, run: Simulation, figures: Mapping[str, float | int | str], note: str
) -> None:
    """Write the page.

    Args:
        path: HTML file to write.
        run: what happened.
        figures: its figures, as the command prints them.
        note: what was run, one line.

    Raises:
        ConfigError: the file cannot be written.
    """
    series, grid = run.series, run.site.grid
    seconds = series["grid_w"].size
    record = RunRecord(
        site=run.site.name,
        note=note,
        t_s=run.time_s,
        **{name: series[name] for name in _COLUMNS},
        import_max_w=grid.import_max_w,
        export_max_w=grid.export_max_w,
        ramp_up_max_w_per_s=grid.ramp_up_w_per_s,
        ramp_down_max_w_per_s=grid.ramp_down_w_per_s,
        fast_step_s=STEP_S,
        fast_grid_w=run.grid_20ms_w,
        fast_load_w=run.load_20ms_w,
        events=tuple((event.time_s, event.text) for event in run.events),
        figures={k: float(v) for k, v in figures.items() if isinstance(v, int | float)},
    )
    if seconds < 2:
        raise ConfigError(
            "--report", f"{seconds} s is too short for a picture", "simulate 2s or more"
        )
    try:
        write_report(path, record)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from None


_COLUMNS = (
    "grid_w",
    "load_w",
    "battery_charge_w",
    "chargers_w",
    "it_w",
    "soc",
    "gpu_max_degc",
    "supply_degc",
    "return_degc",
)
