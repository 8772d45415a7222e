"""The `mallee` command: every subcommand explains itself with --help.

Exit status: 0 done, 1 the site or file has errors or a simulated run broke a limit, 2 wrong usage
or input, 4 nothing is running.
"""

import os
import sys

# Before numpy is loaded: threads of BLAS spin on cores that others need, and start slowly.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from cyclopts import App, CycloptsError

from mallee import __version__
from mallee.cli.access import access
from mallee.cli.alarms import alarms
from mallee.cli.campaign import campaign
from mallee.cli.catalogue import catalogue
from mallee.cli.check import check
from mallee.cli.demo import demo
from mallee.cli.discover import discover
from mallee.cli.do import do, requests, undo
from mallee.cli.doctor import doctor
from mallee.cli.energy import backtest, bill
from mallee.cli.inspect import query, status
from mallee.cli.journal import audit, events
from mallee.cli.plan import plan
from mallee.cli.read import read, record
from mallee.cli.replay import replay
from mallee.cli.response import response
from mallee.cli.study import bench, simulate
from mallee.cli.up import up
from mallee.cli.why import why
from mallee.core.errors import ConfigError, MalleeError, Unreachable

app = App(
    name="mallee",
    version=__version__,
    help="Runs a modular AI data centre from grid to chip, on hardware or on its physics twin.",
)
for command in (
    up,
    demo,
    doctor,
    check,
    simulate,
    campaign,
    status,
    why,
    requests,
    undo,
    query,
    events,
    audit,
    discover,
    read,
    record,
    replay,
    bill,
    backtest,
    response,
    plan,
    bench,
):
    app.command(command)
app.command(catalogue)
app.command(alarms)
app.command(do)
app.command(access)

EXIT_USAGE = 2
EXIT_UNREACHABLE = 4
EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process."""
    if sys.argv[1:2] == ["check"]:  # builds a twin and never steps it: nothing to compile
        os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Run a command line; every expected error is one line on stderr and a status."""
    try:
        result = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (CycloptsError, MalleeError) as error:
        print(f"mallee: {error}", file=sys.stderr)
        return _status_of(error)
    return result if isinstance(result, int) else 0


def _status_of(error: Exception) -> int:
    if isinstance(error, CycloptsError | ConfigError):
        return EXIT_USAGE
    return EXIT_UNREACHABLE if isinstance(error, Unreachable) else 1
