"""What can be done to a site: rows of actions, their forms, and what they ask of control."""

from mallee.actions.scripted import load_actions, read_form, request_of
from mallee.actions.table import ACTIONS, ROLES, Action, Role, place_of

__all__ = [
    "ACTIONS",
    "ROLES",
    "Action",
    "Role",
    "load_actions",
    "place_of",
    "read_form",
    "request_of",
]
