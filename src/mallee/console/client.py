"""A client of the console's API, for scripts and the command line; needs only the standard library.

console = Client("http://127.0.0.1:8460/")
console.get("alarms", show="sounding")
console.act("acknowledge", ["rack-dark@pod1/r1"])
"""

import getpass
import json
from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from mallee.core.errors import Rejected, Unreachable

TIMEOUT_S = 10.0


class Client:
    """Talks to one console.

    Args:
        url: as `mallee up` prints it.
        actor: who acts; the user of this process where nobody is named.
        token: of whoever asks, needed once the site has accounts.
    """

    def __init__(self, url: str, actor: str = "", token: str = "") -> None:
        self._base = url.rstrip("/") + "/api/v1/"
        self.actor = actor or getpass.getuser()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._opener = build_opener(ProxyHandler({}))

    def get(self, resource: str, **query: str | int | float) -> dict[str, Any]:
        """What the console answers.

        Raises:
            Unreachable: nobody answers.
            Rejected: it declines, and says why.
        """
        asked = f"?{urlencode(query)}" if query else ""
        return self._ask(Request(self._base + resource + asked, headers=self._headers))

    def send(self, resource: str, what: dict[str, Any]) -> dict[str, Any]:
        """Ask the console to do something; raises as `get`."""
        body = json.dumps(what).encode()
        headers = {"Content-Type": "application/json", **self._headers}
        return self._ask(Request(self._base + resource, body, headers))

    def act(
        self,
        what: str,
        alarms: Sequence[str] = (),
        *,
        place: str = "",
        reason: str = "",
        for_s: float | None = None,
    ) -> list[str]:
        """Do something about alarms.

        Args:
            what: acknowledge, reset, shelve, unshelve, take out, put back, note.

        Returns:
            Ids of the alarms that it changed.
        """
        asked = {
            "what": what,
            "actor": self.actor,
            "alarms": list(alarms),
            "place": place,
            "reason": reason,
            "for_s": for_s,
        }
        changed: list[str] = self.send("alarms", asked)["changed"]
        return changed

    def _ask(self, request: Request) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as reply:
                found: dict[str, Any] = json.load(reply)
        except HTTPError as error:
            with error:
                raise Rejected(error.read().decode(errors="replace")) from None
        except (URLError, TimeoutError, OSError) as error:
            raise Unreachable(f"{request.full_url}: {error}") from None
        return found
