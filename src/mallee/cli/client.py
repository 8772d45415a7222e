"""Asks the console of a running site: as this machine's owner, by the run folder's own token.

Somebody else on this machine cannot read that folder; they bring a token of their own in
``MALLEE_TOKEN``. A token is never an argument and never printed in an error.
"""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from mallee.cli.inspect import running
from mallee.core.errors import ConfigError, MalleeError, Refused, Unreachable

TIMEOUT_S = 150.0
TOKEN_VARIABLE = "MALLEE_TOKEN"


class Declined(MalleeError):  # noqa: N818 - what happened, as in `core.errors`
    """The site understood and said no, with the limit that stands against it."""


def ask(data: Path | None, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the console answers.

    Args:
        data: data folder of the site.
        path: such as ``/api/v1/requests``.
        body: sent with POST; without one it is a GET.

    Raises:
        Unreachable: no site runs, or its console does not answer.
        Refused: this user may not.
        ConfigError: what was asked is malformed.
        Declined: it lies outside a limit.
    """
    from mallee.console.access.door import local_token

    folder, run, _, _ = running(data)
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        try:
            token = local_token(folder)
        except FileNotFoundError:
            raise Unreachable(f"the console of {folder.path} has not started yet") from None
        except OSError:
            raise Refused(
                f"the run folder of {folder.path} is not yours: ask for a token and put it into "
                f"{TOKEN_VARIABLE}"
            ) from None
    request = urllib.request.Request(
        run.url.rstrip("/") + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise _error_of(error.code, error.read().decode(errors="replace")) from None
    except OSError as error:
        raise Unreachable(f"the console at {run.url} does not answer: {error}") from None


def _error_of(status: int, text: str) -> MalleeError:
    if status in (401, 403):
        return Refused(text)
    if status == 409:
        return Declined(f"refused: {text}")
    if status >= 500:
        return Unreachable(text)
    return ConfigError("action", text)
