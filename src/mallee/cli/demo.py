"""`mallee demo`: a simulated site that comes with Mallee, running."""

from pathlib import Path
from typing import Final

from mallee.cli.options import Port, Seed
from mallee.core.errors import ConfigError

PACKAGE: Final = Path(__file__).parents[1]
FOLDERS: Final = (PACKAGE / "examples", PACKAGE.parents[1] / "examples/sites")
"""In an installed wheel, and in a checkout."""


def demo(
    name: str = "charging-site",
    /,
    *,
    data: Path | None = None,
    port: Port = 0,
    seed: Seed = 1,
) -> int:
    """Run an example site on its physics twin and print where its pages are; Ctrl-C stops it.

    The first start compiles the twin, which takes some twenty seconds.

    Parameters
    ----------
    name
        Which one, such as single-rack, two-pods or hgx-hall.
    data
        Folder for history, events and run files; ./mallee-data/NAME by default.
    port
        Port of the console; 0 takes 8460 or the next free one.
    seed
        Seed of the twin.
    """
    from mallee.runtime.supervisor import run_site

    return run_site(
        example(name), data=data, host="127.0.0.1", port=port, trace=None, scale_to_w=0.0, seed=seed
    )


def example(name: str) -> Path:
    """The file of an example site.

    Raises:
        ConfigError: there is none of this name.
    """
    from mallee.site.problems import nearest

    folder = next((one for one in FOLDERS if one.is_dir()), None)
    found = {} if folder is None else {path.stem: path for path in folder.glob("*.toml")}
    if name not in found:
        raise ConfigError("demo", f"no example {name!r}", nearest(name, found))
    return found[name]
