"""A station that dials in and says what was recorded; what it is asked for it does not support."""

import asyncio
import contextlib
import json
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from mallee.core.errors import ConfigError
from mallee.core.protocol import join_place
from mallee.emulators.device import Place, Running


async def replay_station(place: Place, content: Any) -> Running:
    """Dial in and send messages, ``{"version": "2.0.1", "messages": [["Heartbeat", {}]]}``.

    Args:
        place: of the central system.

    Raises:
        ConfigError: it is no such list.
        OSError: nobody listens there.
    """
    try:
        messages = [(str(action), dict(payload)) for action, payload in content["messages"]]
        version, identity = content.get("version", "2.0.1"), content.get("identity", "sample")
    except (AttributeError, KeyError, TypeError, ValueError):
        hint = 'write {"messages": [["BootNotification", {...}]]}'
        raise ConfigError("sample: ocpp", "is no list of messages", hint) from None
    url = f"ws://{join_place(place.host, place.port)}/{identity}"
    subprotocol = Subprotocol(f"ocpp{version}")
    socket = await connect(url, subprotocols=[subprotocol], compression=None, proxy=None)

    async def talk() -> None:
        with contextlib.suppress(ConnectionClosed):
            for number, (action, payload) in enumerate(messages):
                await socket.send(json.dumps([2, str(number), action, payload]))
            async for text in socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    await socket.send(json.dumps([4, frame[1], "NotSupported", "a replay", {}]))

    task = asyncio.create_task(talk())

    async def stop() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await socket.close()

    return Running(f"{join_place(place.host, place.port)}/{identity}", stop)
