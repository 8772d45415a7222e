"""The plan process: proposes what control should aim for, and never commands.

It may be late, wrong or dead: control narrows its bounds by a plan only while the plan is valid
and can be kept. It knows the demand windows of the contract, and with a tariff the energy plan.
"""

import signal
import threading
import time
from pathlib import Path

import structlog

from mallee.control import plan_of_windows
from mallee.core.errors import ConfigError
from mallee.core.plan import Plan
from mallee.optimize.markets import read_markets
from mallee.optimize.memory import decode, encode
from mallee.optimize.outlook_of import outlook_of
from mallee.optimize.site_planner import SitePlanner, planner_of, price_path
from mallee.runtime.board import Board
from mallee.runtime.run_folder import RunFolder, load_run, write_private
from mallee.site.model import SiteModel

BEAT_S = 1.0
PLAN_EVERY_S = 60.0
_log = structlog.get_logger()


def main(folder: Path) -> None:
    """Plan until told to stop."""
    place = RunFolder(folder)
    run, site = load_run(place)
    energy = planner_of(site, Path(run.source).parent)
    if energy is not None:
        _remember(energy, place.plan_memory)
    planner = Planner(
        site,
        Board.open(place.board, site),
        energy,
        memory=place.plan_memory,
        prices=price_path(site, Path(run.source).parent),
    )
    signal.signal(signal.SIGTERM, lambda *_: planner.stop())
    _log.info("planning", site=site.name)
    planner.run()


def _remember(energy: SitePlanner, path: Path) -> None:
    """Go on from what an earlier planner kept, where it can be read."""
    try:
        kept = decode(path.read_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("the planner's memory cannot be read, starting afresh", error=str(error))
        return
    if kept is None:
        _log.warning("the planner's memory is of another version, starting afresh")
        return
    energy.memory = kept


def _changed(path: Path | None) -> float:
    """When a file was changed last; 0 where there is none."""
    try:
        return path.stat().st_mtime if path is not None else 0.0
    except OSError:
        return 0.0


class Planner:
    """Writes the plans of one site to its board.

    Args:
        memory: file for what the energy planner remembers; None keeps nothing.
        prices: file of market prices, read again when it changes; None for none.
    """

    def __init__(
        self,
        site: SiteModel,
        board: Board,
        energy: SitePlanner | None = None,
        *,
        memory: Path | None = None,
        prices: Path | None = None,
    ) -> None:
        self._site, self._board, self._energy, self._memory = site, board, energy, memory
        self._prices, self._prices_of = prices, _changed(prices)
        self._standing: tuple[Plan, ...] = ()
        self._made = 0
        self._due_s = 0.0
        self._generation = board.plans().generation
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End at once."""
        self._stopped.set()

    def run(self) -> None:
        """Plan every minute until stopped."""
        while not self._stopped.is_set():
            self.step(time.monotonic(), time.time())
            self._stopped.wait(BEAT_S)

    def step(self, time_s: float, utc_s: float) -> None:
        """Plan where that is due, and show that this process lives.

        Demand windows are looked at every minute; the energy planner sees every second's readings.

        Args:
            time_s: monotonic time.
            utc_s: the same instant in seconds since 1970 UTC.
        """
        energy = self._energy_plans(time_s, utc_s)
        if time_s >= self._due_s or energy != self._standing:
            self._renew_prices()
            self._generation += 1
            plan = plan_of_windows(self._site.file, utc_s, time_s, self._generation)
            windows = (plan,) if plan is not None else ()
            self._board.publish_plans(windows + energy, self._generation)
            self._due_s, self._standing = time_s + PLAN_EVERY_S, energy
        if self._energy is not None and self._energy.made != self._made:
            self._made = self._energy.made
            self._show(self._energy)
        self._board.beat("plan", time_s)

    def _energy_plans(self, time_s: float, utc_s: float) -> tuple[Plan, ...]:
        if self._energy is None:
            return ()
        try:
            return self._energy.step(self._board.snapshot(time_s), utc_s, time_s)
        except Exception as error:  # noqa: BLE001
            # The contract's windows go on; the plan that stands lapses by itself.
            _log.error("energy planning failed", exc_info=error)
            return self._standing

    def _renew_prices(self) -> None:
        """Read the prices again where their file changed; what cannot be read changes nothing."""
        changed = _changed(self._prices)
        if self._energy is None or changed == self._prices_of:
            return
        self._prices_of = changed
        try:
            self._energy.take_markets(*read_markets(self._prices, self._energy.tariff))
            _log.info("prices were read again", file=str(self._prices))
        except ConfigError as error:
            _log.warning("new prices cannot be used, the old ones stay", error=str(error))

    def _show(self, energy: SitePlanner) -> None:
        """Put out what the newest plan shows, and keep what it grew from."""
        outlook = outlook_of(energy)
        if outlook is not None:
            self._board.publish_outlook(outlook)
        if self._memory is not None:
            try:
                write_private(self._memory, encode(energy.memory))
            except OSError as error:  # a full disk stops no plan
                _log.warning("the planner's memory cannot be kept", error=str(error))
