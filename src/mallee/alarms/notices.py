"""What is told of an alarm to people who do not watch the console: one row a receiver's shape.

Sources of the shapes: Alertmanager API v2 `POST /api/v2/alerts`; PagerDuty Events API v2; ntfy
"Publish"; the signature is HMAC-SHA256 over ``timestamp.body``, as most webhooks are signed.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final, Literal

import msgspec

Happened = Literal["raised", "seen", "over"]
FIRES_S: Final = 24 * 3600.0
"""Alertmanager forgets an alert that is not renewed for so long."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be told of one alarm.

    Attributes:
        id: ``kind@place``, the same for all that is told of it.
        explains: how many other alarms it explains.
        console: where its page is.
    """

    site: str
    id: str
    kind: str
    place: str
    priority: int
    happened: Happened
    text: str
    consequence: str
    response: str
    raised_utc_s: float
    time_utc_s: float
    explains: int
    console: str

    @property
    def title(self) -> str:
        """One line."""
        return f"{self.site}: {self.kind} {self.place}" + (
            "" if self.happened == "raised" else f" ({self.happened})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """An HTTP request to be made.

    Attributes:
        path: added to the receiver's URL.
    """

    body: bytes
    headers: dict[str, str]
    path: str = ""


Shape = Callable[[Notice, str], Posted]
"""From a notice and the receiver's secret, empty for none."""


def webhook(notice: Notice, secret: str) -> Posted:
    """The notice as JSON, signed where there is a secret."""
    body, stamp = msgspec.json.encode(notice), f"{notice.time_utc_s:.0f}"
    headers = {"X-Mallee-Timestamp": stamp}
    if secret:
        signed = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
        headers["X-Mallee-Signature"] = f"sha256={signed.hexdigest()}"
    return Posted(body=body, headers=headers)


def alertmanager(notice: Notice, secret: str) -> Posted:
    """An alert of Alertmanager; what is seen is a matter of its own silences."""
    ends_s = notice.time_utc_s if notice.happened == "over" else notice.time_utc_s + FIRES_S
    alert = {
        "labels": {
            "alertname": notice.kind,
            "site": notice.site,
            "instance": notice.place,
            "severity": SEVERITIES[notice.priority],
        },
        "annotations": {
            "summary": notice.text or notice.title,
            "description": notice.consequence,
            "response": notice.response,
        },
        "startsAt": _iso(notice.raised_utc_s),
        "endsAt": _iso(ends_s),
        "generatorURL": notice.console,
    }
    return Posted(body=msgspec.json.encode([alert]), headers=_bearer(secret), path="/api/v2/alerts")


def pagerduty(notice: Notice, secret: str) -> Posted:
    """An event of PagerDuty; the secret is the routing key."""
    event = {
        "routing_key": secret,
        "event_action": {"raised": "trigger", "seen": "acknowledge", "over": "resolve"}[
            notice.happened
        ],
        "dedup_key": f"{notice.site}/{notice.id}",
        "payload": {
            "summary": f"{notice.title}: {notice.text}"[:1024],
            "source": notice.place,
            "severity": SEVERITIES[notice.priority],
            "timestamp": _iso(notice.raised_utc_s),
            "component": notice.kind,
            "custom_details": {
                "consequence": notice.consequence,
                "response": notice.response,
                "explains": notice.explains,
            },
        },
        "links": [{"href": notice.console, "text": "Console"}],
    }
    return Posted(body=msgspec.json.encode(event), headers={})


def ntfy(notice: Notice, secret: str) -> Posted:
    """A message of ntfy; the secret is an access token."""
    headers = {
        "Title": notice.title,
        "Priority": {1: "5", 2: "4", 3: "3"}[notice.priority],
        "Tags": "rotating_light" if notice.happened == "raised" else "white_check_mark",
        "Click": notice.console,
        "Content-Type": "text/plain; charset=utf-8",
        **_bearer(secret),
    }
    return Posted(body=words(notice).encode(), headers=headers)


SHAPES: Final[dict[str, Shape]] = {
    "webhook": webhook,
    "alertmanager": alertmanager,
    "pagerduty": pagerduty,
    "ntfy": ntfy,
}
"""Everything that goes over HTTP; e-mail is made by `mail`."""

SEVERITIES: Final = {1: "critical", 2: "error", 3: "warning"}


def mail(notice: Notice, sender: str, receivers: list[str]) -> EmailMessage:
    """A plain message; all about one alarm are one thread."""
    message = EmailMessage()
    message["Subject"] = notice.title.replace("\n", " ")
    message["From"], message["To"] = sender, ", ".join(receivers)
    thread = hashlib.sha256(f"{notice.id} {notice.raised_utc_s}".encode()).hexdigest()[:32]
    message["References"] = f"<{thread}@mallee>"
    message.set_content(words(notice))
    return message


def words(notice: Notice) -> str:
    """For people."""
    lines = [notice.text]
    if notice.happened == "raised":
        lines += [f"If nobody responds: {notice.consequence}", f"Do: {notice.response}"]
    if notice.explains:
        lines.append(f"It explains {notice.explains} other alarms.")
    return "\n".join([*lines, f"{_iso(notice.time_utc_s)}  {notice.console}"])


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def _iso(time_utc_s: float) -> str:
    return datetime.fromtimestamp(time_utc_s, UTC).isoformat(timespec="milliseconds")
