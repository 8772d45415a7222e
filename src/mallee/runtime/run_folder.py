"""The folder of one site on disk, and who runs it.

    mallee-data/charging-site/
      run/      board, lock, run.json, login and certificates of the simulated devices; owner only
      logs/     one file a process
      history/  what the console's history writer keeps
      plan.msgpack  what the planner remembers: forecasts and the month's peaks grow from it

One `mallee up` holds the lock; every other command finds a running site through it.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mallee.catalogue.device_models import load_models
from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError
from mallee.site.build import build_site
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel

DATA_FOLDER = Path("mallee-data")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What the processes of one `mallee up` and those who look at it need to know.

    Attributes:
        site: the site file as resolved when it started, so that all processes see the same.
        source: path of the file, for messages.
        pid: process id of the supervisor.
        console: "host:port" of the web pages.
        addresses: by protocol and device name, as `core.protocol.Address` writes them; devices
            that are read in memory have none, see `speaking`.
        secrets: path of the logins, for sites of real devices; empty for the default place.
        seed: of the twin.
        start_utc_s: when the run began, seconds since 1970: the twin's cars, weather and sun follow
            the calendar from here, also after the twin itself was restarted; None for no date.
        models: the device models that it uses, its own among them, for the same reason as `site`.
    """

    site: SiteFile
    source: str
    pid: int
    console: str
    addresses: dict[str, dict[str, str]]
    secrets: str = ""
    seed: int = 1
    start_utc_s: float | None = None
    models: list[DeviceModel] = []

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://{self.console}/"


@dataclass(frozen=True)
class RunFolder:
    """Paths inside the data folder of a site."""

    path: Path

    @property
    def run(self) -> Path:
        """What only lives as long as the site runs, and secrets."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.path / "logs"

    @property
    def history(self) -> Path:
        """Points, events and audit."""
        return self.path / "history"

    @property
    def board(self) -> Path:
        """The memory-mapped board."""
        return self.run / "board"

    @property
    def plan_memory(self) -> Path:
        """What the planner read, planned and forecast; outlives a run."""
        return self.path / "plan.msgpack"

    @property
    def twin_state(self) -> Path:
        """Last saved state of the simulated site."""
        return self.run / "twin.npz"

    @property
    def twin_feed(self) -> Path:
        """What the twin reports of devices that are read in memory."""
        return self.run / "twin.feed"

    def make(self) -> None:
        """Create the folders.

        Raises:
            ConfigError: not writable.
        """
        try:
            for folder in (self.path, self.run, self.logs, self.history):
                folder.mkdir(parents=True, exist_ok=True)
            self.run.chmod(0o700)
        except OSError as error:
            hint = "choose another data folder with --data"
            raise ConfigError(str(self.path), f"cannot be made: {error.strerror}", hint) from None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one `mallee up` of this folder.

        Raises:
            ConfigError: another process is.
        """
        with (self.run / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
                raise ConfigError(
                    str(self.path),
                    f"this site is run already by {self._holder()}",
                    "stop that one, or run another copy of it with --data FOLDER",
                ) from None
            yield

    @property
    def is_running(self) -> bool:
        """Whether some `mallee up` holds this folder now."""
        try:
            file = (self.run / "lock").open("r")
        except OSError:
            return False
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def _holder(self) -> str:
        try:
            return f"process {self.load().pid}"
        except ConfigError:
            return "another process"

    def save(self, run: Run) -> None:
        """Write down what is run."""
        write_private(self.run / "run.json", msgspec.json.encode(run))

    def load(self) -> Run:
        """What is run, or was last.

        Raises:
            ConfigError: nothing ever was, by this version.
        """
        path = self.run / "run.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=Run)
        except OSError as error:
            hint = "start the site with `mallee up`"
            raise ConfigError(str(path), f"cannot be read: {error.strerror}", hint) from None
        except msgspec.DecodeError as error:
            raise ConfigError(str(path), f"is of another version: {error}", "restart it") from None


def load_run(folder: RunFolder) -> tuple[Run, SiteModel]:
    """What is run in a folder, with its site model.

    Raises:
        ConfigError: as `RunFolder.load` and `build_site`.
    """
    run = folder.load()
    models = {**load_models(), **{model.model: model for model in run.models}}
    return run, build_site(run.site, models, run.source)


def folder_of(site: SiteFile, data: Path | None = None) -> RunFolder:
    """The data folder of a site: `data` if given, else ``mallee-data/<site name>``."""
    return RunFolder((data if data is not None else DATA_FOLDER / site.name).absolute())


def find_running(data: Path | None = None, name: str = "") -> RunFolder:
    """The folder of the site that runs now.

    Args:
        data: its data folder; None looks through ``mallee-data`` of the current folder.
        name: only the site of this name.

    Raises:
        ConfigError: none runs, or several do and none was named.
    """
    if data is not None:
        folders = [RunFolder(data.absolute())]
    else:
        folders = [RunFolder(path.absolute()) for path in sorted(DATA_FOLDER.glob(name or "*"))]
    running = [folder for folder in folders if folder.is_running]
    if len(running) == 1:
        return running[0]
    where = str(data if data is not None else DATA_FOLDER / name)
    if not running:
        hint = "start it with `mallee up SITE.toml`, or name its folder with --data"
        raise ConfigError(where, "no site is running here", hint)
    names = ", ".join(folder.path.name for folder in running)
    raise ConfigError(where, f"several sites are running: {names}", "name its folder with --data")


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at once, readable by its owner only."""
    fresh = path.with_name(path.name + ".new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
    fresh.replace(path)
