"""Samples served over the protocols that they were taken from."""

import importlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from mallee.catalogue.samples import Sample
from mallee.core.errors import ConfigError
from mallee.core.protocols import PROTOCOLS
from mallee.emulators.device import Place, Running

Replay = Callable[[Place, Any], Awaitable[Running]]
"""Serves a sample's content of one protocol; raises `ConfigError` where it has another form."""


def replay_of(protocol: str) -> Replay:
    """What serves the samples of a protocol.

    Raises:
        ConfigError: nothing does.
    """
    if protocol in PROTOCOLS:
        found = getattr(importlib.import_module(f"mallee.emulators.{protocol}"), "REPLAY", None)
        if found is not None:
            replay: Replay = found
            return replay
    raise ConfigError(f"sample of {protocol}", "cannot be replayed: nothing serves it")


async def replay_sample(
    sample: Sample, host: str, stack: AsyncExitStack, ports: dict[str, int] | None = None
) -> dict[str, str]:
    """Serve a sample until the stack is closed.

    Args:
        ports: by protocol, where to listen, or to dial in to; free ones where they are not given.

    Returns:
        By protocol, the address.
    """
    addresses = {}
    for protocol, content in sample.content.items():
        place = Place(host=host, port=(ports or {}).get(protocol, 0))
        running = await replay_of(protocol)(place, content)
        stack.push_async_callback(running.close)
        addresses[protocol] = running.address
    return addresses
