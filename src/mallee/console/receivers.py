"""Who is told of alarms: `notify.toml` in the data folder, read when the console starts."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from mallee.core.errors import ConfigError
from mallee.drivers.driver import Login

NAME: Final = "notify.toml"
Shape = Literal["webhook", "alertmanager", "pagerduty", "ntfy", "email"]
SCHEMES: Final = {"email": ("smtp", "smtps")}
HTTP: Final = ("http", "https")


class Receiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One who is told.

    Attributes:
        url: ``https://...``; of e-mail ``smtp://host:587`` (StartTLS where there is a login) or
            ``smtps://host:465``.
        credentials: name of a login in the secrets file; its password is the secret or token.
        priority_max: 1 only what must be answered now, 2 within minutes, too, 3 everything.
        unseen_s: told only if nobody has acknowledged it for so long: the next one to be woken.
        sender, to: of e-mail.
    """

    name: str
    shape: Shape
    url: str
    credentials: str = ""
    priority_max: int = 2
    unseen_s: float = 0.0
    sender: str = ""
    to: list[str] = []


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who alarms when nothing is heard from here any more."""

    url: str
    every_s: float = 60.0


class Receivers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    receiver: list[Receiver] = []
    heartbeat: Heartbeat | None = None


NOBODY: Final = Receivers()


def load_receivers(path: Path) -> Receivers:
    """Who is told; nobody where there is no file.

    Raises:
        ConfigError: the file is wrong; it names what and where.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        found = msgspec.convert(raw, Receivers)
    except FileNotFoundError:
        return NOBODY
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), str(error)) from None
    for number, one in enumerate(found.receiver):
        _check(one, f"{path.name}: receiver[{number}]")
    if found.heartbeat is not None:
        _check_url(found.heartbeat.url, HTTP, f"{path.name}: heartbeat")
    return found


def secrets_of(receivers: Receivers, find: Callable[[str], Login]) -> dict[str, Login | None]:
    """The login of each receiver by its name; raises as `find`."""
    return {
        one.name: find(one.credentials) if one.credentials else None for one in receivers.receiver
    }


def _check(one: Receiver, where: str) -> None:
    _check_url(one.url, SCHEMES.get(one.shape, HTTP), where)
    if not 1 <= one.priority_max <= 3:
        raise ConfigError(f"{where}.priority_max", f"is {one.priority_max}", "1, 2 or 3")
    if one.shape == "email" and not (one.sender and one.to):
        raise ConfigError(where, "an e-mail needs sender and to")
    if one.shape == "pagerduty" and not one.credentials:
        raise ConfigError(where, "needs credentials: their password is the routing key")


def _check_url(url: str, schemes: tuple[str, ...], where: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ConfigError(f"{where}.url", f"{url!r}", f"write {' or '.join(schemes)}://host...")
    if parts.password:
        raise ConfigError(f"{where}.url", "holds a password", "name a login with credentials")
