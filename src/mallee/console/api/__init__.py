"""What programs and pages can ask, one file a resource: its answers as structs, its routes.

A resource is one more file in `RESOURCES`; `web/src/lib/api.ts` is made from `ANSWERS`.
"""

from typing import Final

from mallee.console.api import (
    access,
    actions,
    alarms,
    devices,
    events,
    gpus,
    history,
    openapi,
    plan,
    site,
    status,
    trend,
)
from mallee.console.api.serving import Route

RESOURCES: Final = (
    site,
    status,
    trend,
    events,
    alarms,
    devices,
    gpus,
    history,
    plan,
    actions,
    access,
    openapi,
)
ROUTES: Final[tuple[Route, ...]] = tuple(route for one in RESOURCES for route in one.ROUTES)
POSTS: Final[tuple[Route, ...]] = (*alarms.POSTS, *actions.POSTS, *access.POSTS)
"""What is asked with POST: everything that changes something."""
ANSWERS: Final[tuple[type, ...]] = tuple(answer for one in RESOURCES for answer in one.ANSWERS)
