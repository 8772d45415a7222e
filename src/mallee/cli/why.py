"""`mallee why`: which limit binds, and the chain from one device's limit back to its cause."""

import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from mallee.cli.inspect import Json, running
from mallee.cli.output import BOLD, GREY, RED, paint, power, table
from mallee.core.errors import ConfigError, Unreachable

if TYPE_CHECKING:
    from mallee.control import Chain
    from mallee.core.status import ControlStatus
    from mallee.runtime.board import Board
    from mallee.site.model import SiteModel


def why(
    point: str = "",
    /,
    *,
    order: Annotated[bool, Parameter(negative="")] = False,
    data: Path | None = None,
    json_: Json = False,
) -> int:
    """Say which limit binds now, what is acting on it, and who covers which part of the swing.

    ```console
    mallee why                    # the site
    mallee why pod1/r1/n03        # one node or charger: every concern that narrowed its limit
    mallee why --order            # the list of concerns
    ```

    Parameters
    ----------
    point
        A node or charger, or its limit, such as pod1/r1/n03 or pod1/r1/n03/cap_w.
    order
        Print the concerns of control in the order in which they narrow; needs no running site.
    data
        Data folder of the site; by default the one that runs below ./mallee-data.
    json_
        Print one JSON object, for programs.
    """
    if order:
        return _print_order(as_json=json_)
    _, _, site, board = running(data)
    said = board.status()
    if said is None:
        raise Unreachable(f"{site.name}: control has not said anything yet")
    if point:
        return _print_chain(chain_at(site, board, point), as_json=json_)
    if json_:
        print(json.dumps(msgspec.to_builtins(said)))
        return 0
    _print_why(said)
    return 0


def _print_order(*, as_json: bool) -> int:
    from mallee.control import CONCERNS

    rows = [(concern.name, concern.what) for concern in CONCERNS]
    if as_json:
        print(json.dumps([{"name": name, "what": what} for name, what in rows]))
        return 0
    numbered = [(str(number), *row) for number, row in enumerate(rows, 1)]
    print(table(numbered, ("", "concern", "what it sees to")))
    return 0


def chain_at(site: "SiteModel", board: "Board", point: str) -> "Chain":
    """The chain of a point of a running site.

    Raises:
        ConfigError: it is no limit of a node or charger.
        Unreachable: control does not see enough to decide.
    """
    from mallee.control import ControlState, chain_of, limits_of
    from mallee.site.problems import nearest

    limits = limits_of(site)
    paths = limits.places.load_paths
    names = [path.rpartition("/")[0] for path in paths]
    if point not in paths and point not in names:
        hint = nearest(point, names)
        raise ConfigError(point, "is no node or charger of this site", hint)
    load = paths.index(point) if point in paths else names.index(point)
    message, now_s = board.saved_state(), time.monotonic()
    state = msgspec.msgpack.decode(message, type=ControlState) if message else ControlState()
    chain = chain_of(state, board.snapshot(now_s), board.requests().requests, limits, now_s, load)
    if chain is None:
        raise Unreachable(f"{site.name}: control does not see enough now: ask `mallee why`")
    return chain


def _print_chain(chain: "Chain", *, as_json: bool) -> int:
    if as_json:
        told = asdict(chain)
        told["reads_w"] = None if math.isnan(chain.reads_w) else chain.reads_w
        print(json.dumps(told))
        return 0
    lost = f"{chain.lost_frac:.0%} of its work lost" if chain.lost_frac >= 0.005 else "no work lost"
    head = f"{chain.path} may draw {power(chain.bound_w)} of {power(chain.most_w)}; {lost}"
    print(paint(head, BOLD))
    print(f"the device says that {power(chain.reads_w)} are in force")
    rows = [
        (link.concern, power(link.before_w), power(link.after_w), link.place, link.cause)
        for link in chain.links
    ]
    if rows:
        print(table(rows, ("concern", "from", "to", "place", "cause")))
    else:
        print("no concern holds it back: only its rating bounds it")
    return 0


def _print_why(said: "ControlStatus") -> None:
    print(paint(said.text, BOLD if said.mode == "auto" else RED))
    rows = [
        ("binding limit", said.binding),
        ("acting", said.acting or "-"),
        ("mode", said.mode if said.asked == "auto" else f"{said.mode}, {said.asked} asked for"),
        ("import limit in force", power(said.import_in_force_w)),
        ("charger limits, sum", power(said.chargers_max_w)),
        ("node caps, sum with overhead", power(said.nodes_max_w)),
        ("charge bias", power(said.charge_bias_w)),
    ]
    print(table(rows))
    print(paint("who covers which part of the swing", GREY))
    print(table([(f"  {band}", owner) for band, owner in said.bands.items()]))
