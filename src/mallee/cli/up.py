"""`mallee up`: runs a site."""

from pathlib import Path

from mallee.cli.options import Port, Seed, check_scale


def up(
    site: Path,
    /,
    *,
    data: Path | None = None,
    host: str = "127.0.0.1",
    port: Port = 0,
    trace: Path | None = None,
    scale_to: float = 0.0,
    seed: Seed = 1,
) -> int:
    """Run a site: collectors, control, history and console, and its twin if it is simulated.

    Prints the console's address once the first live value is there. Everything is restarted when
    it dies; Ctrl-C stops it all. The history stays in the data folder.

    Parameters
    ----------
    site
        Site file; with a [twin] the devices are simulated on loopback sockets.
    data
        Folder for history, events and run files; ./mallee-data/SITE by default.
    host
        Address that the console binds to.
    port
        Port of the console; 0 takes 8460 or the next free one.
    trace
        For a simulated site: CSV of IT power that replaces its load.
    scale_to
        Scale the trace so that its peak is this many watts of IT power.
    seed
        Seed of the twin.
    """
    from mallee.runtime.supervisor import run_site

    check_scale(scale_to, trace is not None)
    return run_site(
        site, data=data, host=host, port=port, trace=trace, scale_to_w=scale_to, seed=seed
    )
