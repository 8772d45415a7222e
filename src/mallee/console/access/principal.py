"""Somebody who was let in: as what, and for which part of the site."""

from dataclasses import dataclass
from typing import Literal

from mallee.actions import ROLES, Role
from mallee.core.request import SITE

Via = Literal["page", "token", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks.

    Attributes:
        scope: places that the role holds for: ``pod1``, ``tenant:acme``, ``*`` for the site.
        via: how they came in: by the page, a token, or this machine's run folder.
    """

    name: str
    role: Role
    scope: tuple[str, ...]
    via: Via

    def why_not(self, role: Role, place: str) -> str:
        """Why they may not do what needs a role at a place; empty where they may."""
        if ROLES.index(self.role) < ROLES.index(role):
            return f"{self.name} is {self.role}; this needs {role}"
        if not any(is_within(place, scope) for scope in self.scope):
            return f"{self.name} may act on {', '.join(self.scope)} only, not on {place}"
        return ""


def is_within(place: str, scope: str) -> bool:
    """Whether a place, wildcards and all, lies in a scope."""
    return scope == SITE or place == scope or place.startswith(scope.rstrip("/") + "/")
