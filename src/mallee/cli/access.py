"""`mallee access`: users and tokens of a site, kept in its data folder."""

import sys
import time
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from mallee.actions import Role
from mallee.cli.inspect import data_folder
from mallee.cli.output import table
from mallee.core.duration import parse_duration
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.console.access.accounts import Accounts

access = App(name="access", help="Users and tokens: who may operate the site, and which part.")

Scope = Annotated[tuple[str, ...], Parameter(negative="")]
For = Annotated[str, Parameter(name="--for")]


def _accounts(data: Path | None) -> "Accounts":
    from mallee.console.access.accounts import Accounts
    from mallee.console.access.door import users_path

    return Accounts(users_path(data_folder(data)))


@access.command
def user(
    name: str,
    /,
    *,
    role: Role = "operator",
    scope: Scope = ("*",),
    data: Path | None = None,
) -> int:
    """Add a user, or give one a new password, role and scope. The password is asked for.

    Parameters
    ----------
    name
        What they log in with.
    role
        What they may do.
    scope
        Places that the role holds for, such as pod1 or tenant:acme; may be given several times.
    data
        Data folder of the site.
    """
    accounts = _accounts(data)
    password = getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    accounts.add_user(name, password, role, scope)
    print(f"{name} is {role} of {', '.join(scope)}")
    return 0


@access.command
def token(
    name: str,
    /,
    *,
    role: Role = "operator",
    scope: Scope = ("*",),
    for_: For = "90d",
    data: Path | None = None,
) -> int:
    """Make a token for a program and print it, once.

    Parameters
    ----------
    name
        Of the program: the audit's actor.
    role
        What it may do.
    scope
        Places that the role holds for; may be given several times.
    for_
        How long it lives, such as 12h, 90d.
    data
        Data folder of the site.
    """
    until_utc_s = time.time() + parse_duration(for_, "--for")
    print(_accounts(data).add_token(name, role, scope, until_utc_s))
    return 0


@access.command
def remove(name: str, /, *, data: Path | None = None) -> int:
    """Forget a user or a token; what they hold open ends at once.

    Parameters
    ----------
    name
        Of the user or token.
    data
        Data folder of the site.
    """
    if not _accounts(data).remove(name):
        raise ConfigError(name, "is no user and no token of this site")
    print(f"{name} is forgotten")
    return 0


@access.command
def link(*, data: Path | None = None) -> int:
    """Print the link for the first administrator: works once, for an hour.

    Parameters
    ----------
    data
        Data folder of the site.
    """
    text = _accounts(data).make_first_link(time.time())
    # After the #: browsers keep it to themselves, and no log has it.
    print(f"{data_folder(data).load().url}#/first/{text}")
    return 0


@access.command(name="list")
def list_(*, data: Path | None = None) -> int:
    """Print users and tokens, without any secret.

    Parameters
    ----------
    data
        Data folder of the site.
    """
    kept, now_s = _accounts(data).kept, time.time()
    rows = [("user", one.name, one.role, " ".join(one.scope), "") for one in kept.users]
    for one in kept.tokens:
        left_s = one.until_utc_s - now_s
        until = f"{left_s / 86400:.1f} d left" if left_s > 0.0 else "expired"
        rows.append(("token", one.name, one.role, " ".join(one.scope), until))
    print(table(rows, ("", "name", "role", "scope", "")) if rows else "nobody yet")
    return 0
