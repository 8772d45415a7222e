"""Who may talk to an emulated Redfish service: one account, its sessions, and the roles."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping

from mallee.emulators.redfish.schema import Document
from mallee.emulators.redfish.tree import Tree

SESSIONS = "SessionService/Sessions"
SESSIONS_MAX = 16
"""A new login beyond this many ends the oldest session, so that lost clients lock nobody out."""

_CONFIGURE_ALL = ("ConfigureManager", "ConfigureUsers", "ConfigureSelf", "ConfigureComponents")
_ROLES = {
    "Administrator": ["Login", *_CONFIGURE_ALL],
    "Operator": ["Login", "ConfigureSelf", "ConfigureComponents"],
    "ReadOnly": ["Login", "ConfigureSelf"],
}
"""Assigned privileges of the predefined roles (DSP0266, "Roles")."""


class Accounts:
    """The one account of a device and the sessions opened with it, kept as resources of its tree.

    Args:
        tree: gets the session and account services.
        login: user name and password.
    """

    def __init__(self, tree: Tree, user: str, password: str) -> None:
        self._tree = tree
        self._user, self._password = user, password
        self._sessions: dict[str, str] = {}  # token -> id
        service = tree.add_resource("SessionService").document
        service |= {"ServiceEnabled": True, "SessionTimeout": 1800}
        tree.add_resource(SESSIONS)
        accounts = tree.add_resource("AccountService").document
        accounts |= {"ServiceEnabled": True, "MinPasswordLength": 1}
        for role, privileges in _ROLES.items():
            document = tree.add_resource(f"AccountService/Roles/{role}").document
            document |= {"RoleId": role, "IsPredefined": True, "AssignedPrivileges": privileges}
        account = tree.add_resource("AccountService/Accounts/1").document
        account |= {
            "UserName": user,
            "Password": None,
            "RoleId": "Administrator",
            "Enabled": True,
            "Locked": False,
            "AccountTypes": ["Redfish"],
            "Links": {"Role": {"@odata.id": "/redfish/v1/AccountService/Roles/Administrator"}},
        }

    def log_in(self, user: str, password: str) -> tuple[str, Document] | None:
        """Token and resource of a new session; None for a wrong user or password."""
        if not self._fits(user, password):
            return None
        while len(self._sessions) >= SESSIONS_MAX:
            self.log_out(next(iter(self._sessions.values())))
        token, number = secrets.token_hex(16), secrets.token_hex(8)
        self._sessions[token] = number
        document = self._tree.add_resource(f"{SESSIONS}/{number}").document
        document |= {"UserName": user, "Name": "User Session"}
        return token, document

    def log_out(self, number: str) -> bool:
        """End a session by its id; False where there is none."""
        path = f"{SESSIONS}/{number}"
        if self._tree.resources.pop(path, None) is None:
            return False
        members = self._tree.resources[SESSIONS].document
        members["Members"] = [
            link for link in members["Members"] if not link["@odata.id"].endswith(f"/{number}")
        ]
        members["Members@odata.count"] = len(members["Members"])
        self._sessions = {token: n for token, n in self._sessions.items() if n != number}
        return True

    def may_enter(self, headers: Mapping[str, str]) -> bool:
        """Whether a request carries a token of a session or the account's Basic credentials."""
        token = headers.get("X-Auth-Token")
        if token is not None:
            return token in self._sessions
        scheme, _, encoded = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, _, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return self._fits(user, password)

    def _fits(self, user: str, password: str) -> bool:
        right = hmac.compare_digest(password.encode(), self._password.encode())
        return hmac.compare_digest(user.encode(), self._user.encode()) and right
