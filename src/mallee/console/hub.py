"""Everyone who watches: each gets the newest frame, nobody waits for the slowest."""

import asyncio

from aiohttp import web

SEND_TIMEOUT_S = 10.0


class Hub:
    """Sends one encoded frame to all web sockets.

    A watcher that is still busy with an earlier frame misses those in between: what it shows next
    is new, and memory does not grow.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._frame = b""
        self._closing = False
        self.watchers = 0

    def publish(self, frame: bytes) -> None:
        """Make this the newest frame."""
        self._frame = frame
        self._wake()

    def close(self) -> None:
        """Let all watchers go."""
        self._closing = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Send the last frame at once and every newer one until the watcher leaves."""
        self.watchers += 1
        sender = asyncio.create_task(self._send(socket))
        try:
            async for _ in socket:  # this socket only speaks; reading notices that it is closed
                pass
        finally:
            self.watchers -= 1
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, socket: web.WebSocketResponse) -> None:
        sent = b""
        while not self._closing:
            changed, frame = self._changed, self._frame
            if frame is not sent and frame:
                try:
                    await asyncio.wait_for(socket.send_bytes(frame), SEND_TIMEOUT_S)
                except (TimeoutError, ConnectionError):
                    break
                sent = frame
            else:
                await changed.wait()
        await socket.close()
