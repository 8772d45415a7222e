"""One TCP connection, and the outstations that answer on it.

Frames, segments and fragments are dnp3py's. Here is who may speak when: one question at a time, an
answer belongs to it by link address and sequence number, fragments that ask for a confirmation get
one (IEEE 1815-2012, 4.2.2.4), and what comes late or unasked is not taken for an answer.
"""

import asyncio
import contextlib
from collections import deque
from typing import Final

from dnp3.application.fragment import RequestFragment
from dnp3.application.header import RequestHeader
from dnp3.application.parser import ParseError, parse_response_header
from dnp3.core.enums import FunctionCode
from dnp3.datalink.builder import build_unconfirmed_user_data
from dnp3.datalink.parser import FrameParser
from dnp3.transport.reassembler import Reassembler, ReassemblyError
from dnp3.transport.segment import TransportSegment
from dnp3.transport.segmenter import segment_fragment

from mallee.core.errors import Malformed, Unreachable
from mallee.core.protocol import join_place

FRAGMENT_MAX: Final = 65_536
FRAGMENTS_MAX: Final = 64
"""Fragments of one answer; whoever sends more never ends."""
SEQUENCES: Final = 16
_CHUNK: Final = 4096


class Line:
    """A connection; opens by itself, and anew after a failure."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._users: set[int] = set()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()
        self._frames = FrameParser()
        self._waiting: deque[tuple[int, int, bytes]] = deque()

    @property
    def address(self) -> str:
        """Where it connects to, as "host:port"."""
        return join_place(self.host, self.port)

    async def connect(self, station: int, timeout_s: float) -> None:
        """Make sure there is a connection.

        Raises:
            Unreachable: nothing listens there.
        """
        self._users.add(station)
        try:
            async with self._turn, asyncio.timeout(timeout_s):
                await self._connected()
        except (OSError, TimeoutError) as error:
            raise Unreachable(f"{self.address}: {str(error) or 'no answer'}") from None

    async def ask(
        self, master: int, station: int, request: RequestFragment, timeout_s: float
    ) -> list[bytes]:
        """Send one request; the fragments of its answer.

        Raises:
            Unreachable: no whole answer in time, or the connection broke.
            Malformed: the answer is none of this protocol.
        """
        self._users.add(station)
        where = f"{self.address}/{station}"
        async with self._turn:
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._exchange(master, station, request)
            except TimeoutError:
                self._drop()
                raise Unreachable(f"{where}: no answer within {timeout_s:g} s") from None
            except (OSError, EOFError) as error:
                self._drop()
                what = "closed the connection" if isinstance(error, EOFError) else str(error)
                raise Unreachable(f"{where}: {what}") from None
            except (ParseError, ReassemblyError, ValueError) as error:
                self._drop()
                raise Malformed(f"{where}: {error}") from None
            except asyncio.CancelledError:
                self._drop()  # an answer may still come: nobody must take it for the next one
                raise

    async def leave(self, station: int) -> None:
        """An outstation is not asked any more; the last one to leave disconnects."""
        self._users.discard(station)
        if self._users:
            return
        async with self._turn:
            streams = self._streams
            self._drop()
            if streams is not None:
                with contextlib.suppress(OSError):
                    await streams[1].wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self._drop()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        return self._streams

    async def _exchange(self, master: int, station: int, request: RequestFragment) -> list[bytes]:
        await self._connected()
        await self._send(master, station, request)
        expected, fragments = request.header.control.seq, list[bytes]()
        reassembler = Reassembler(max_fragment_size=FRAGMENT_MAX)
        while len(fragments) < FRAGMENTS_MAX:
            data = await self._fragment(master, station, reassembler)
            control = parse_response_header(data)[0].control
            if control.con:
                header = RequestHeader.build(FunctionCode.CONFIRM, seq=control.seq, uns=control.uns)
                await self._send(master, station, RequestFragment(header=header))
            if control.uns or control.seq != expected:
                continue  # nobody asked for it, or it answers a question that was given up
            fragments.append(data)
            if control.fin:
                return fragments
            expected = (expected + 1) % SEQUENCES
        raise Malformed(f"{self.address}/{station}: an answer of {FRAGMENTS_MAX} fragments")

    async def _send(self, master: int, station: int, request: RequestFragment) -> None:
        assert self._streams is not None
        writer = self._streams[1]
        for segment in segment_fragment(request.to_bytes()):
            frame = build_unconfirmed_user_data(station, master, True, segment.to_bytes())
            writer.write(frame.to_bytes())
        await writer.drain()

    async def _fragment(self, master: int, station: int, reassembler: Reassembler) -> bytes:
        """The next whole fragment from an outstation to us."""
        assert self._streams is not None
        while True:
            while self._waiting:
                to, source, data = self._waiting.popleft()
                if (to, source) == (master, station):
                    whole = reassembler.add(TransportSegment.from_bytes(data))
                    if whole is not None:
                        return whole.data
            chunk = await self._streams[0].read(_CHUNK)
            if not chunk:
                raise EOFError
            for frame in self._frames.feed(chunk):
                if frame.user_data:
                    header = frame.header
                    self._waiting.append((header.destination, header.source, frame.user_data))

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None
        self._frames.reset()
        self._waiting.clear()
