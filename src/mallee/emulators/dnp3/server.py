"""Serves emulated outstations over TCP: frames in, frames out, by link address."""

import asyncio
import contextlib
from collections.abc import Mapping
from itertools import cycle
from typing import Final, Protocol

from dnp3.application.builder import build_null_response
from dnp3.application.fragment import ResponseFragment
from dnp3.core.enums import LinkFunctionCode
from dnp3.core.flags import IIN
from dnp3.datalink.builder import build_ack, build_link_status, build_unconfirmed_user_data
from dnp3.datalink.frame import DataLinkFrame
from dnp3.datalink.parser import FrameParser
from dnp3.outstation.outstation import Outstation
from dnp3.outstation.peer import PeerId
from dnp3.transport.reassembler import Reassembler, ReassemblyError
from dnp3.transport.segment import TransportSegment
from dnp3.transport.segmenter import segment_fragment

from mallee.core.errors import ConfigError
from mallee.emulators.device import EmulatedDevice, Health, Place, Running
from mallee.emulators.dnp3.image import OutstationImage

_GARBAGE: Final = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\x64" + b"\xff" * 20, b"\x00" * 12)
_CHUNK: Final = 4096
_CONFIRM_WANTED: Final = 0x20
_DATA: Final = (
    LinkFunctionCode.PRI_UNCONFIRMED_USER_DATA,
    LinkFunctionCode.PRI_CONFIRMED_USER_DATA,
)


async def serve_outstations(place: Place, devices: Mapping[str, EmulatedDevice]) -> Running:
    """Serve devices on one line, by link address.

    Raises:
        ConfigError: the port is taken, or a model names a point that is none.
    """
    images = {int(link): OutstationImage(one, int(link)) for link, one in devices.items()}
    healths = {int(link): one.health for link, one in devices.items()}
    return await serve_images(place, images, healths, next(iter(devices.values())).name)


class Image(Protocol):
    """What is served at a link address."""

    @property
    def outstation(self) -> Outstation:
        """Answers requests."""

    def refresh(self) -> None:
        """Bring its points up to date."""


async def serve_images(
    place: Place, images: Mapping[int, Image], healths: Mapping[int, Health], name: str
) -> Running:
    """Serve outstations on one line, by link address.

    Args:
        healths: how well each answers.
        name: whose place it is, for messages.

    Raises:
        ConfigError: the port is taken.
    """
    open_now: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now[writer] = asyncio.current_task()
        lines = {link: _Association(healths[link], image) for link, image in images.items()}
        parser = FrameParser()
        try:
            while chunk := await reader.read(_CHUNK):
                for frame in parser.feed(chunk):
                    own = lines.get(frame.header.destination)
                    if own is not None and frame.header.control.prm:
                        await own.take(frame, writer)
        except (OSError, ReassemblyError, ValueError):
            pass  # whoever sends that is hung up on
        finally:
            open_now.pop(writer, None)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    try:
        server = await asyncio.start_server(handle, place.host, place.port)
    except OSError as error:
        what = f"{place.host}:{place.port} cannot be listened on: {error.strerror}"
        hint = "free it, or give port 0 to choose a free one"
        raise ConfigError(name, what, hint) from None

    async def stop() -> None:
        server.close()
        ending = [task for task in open_now.values() if task is not None]
        for writer in list(open_now):
            writer.close()
        await asyncio.gather(*ending, return_exceptions=True)
        await server.wait_closed()

    return Running(f"{place.host}:{server.sockets[0].getsockname()[1]}", stop)


class _Association:
    """One outstation as one connection sees it."""

    def __init__(self, health: Health, image: Image) -> None:
        self._health, self._image = health, image
        config = image.outstation.config
        self._link = config.address
        self._reassembler = Reassembler(max_fragment_size=config.max_fragment_size)
        self._peer = image.outstation.new_connection_id()
        self._to_send: list[ResponseFragment] = []
        self._garbage = cycle(_GARBAGE)

    async def take(self, frame: DataLinkFrame, writer: asyncio.StreamWriter) -> None:
        """Answer one frame of a master."""
        health = self._health
        if health.state == "silent":
            return
        if health.state == "garbage":
            writer.write(next(self._garbage))
            await writer.drain()
            return
        if health.state == "slow":
            await asyncio.sleep(health.delay_s)
        code, master = frame.header.control.function_code, frame.header.source
        if code == LinkFunctionCode.PRI_REQUEST_LINK_STATUS:
            writer.write(build_link_status(master, self._link, False).to_bytes())
        elif code not in _DATA or code == LinkFunctionCode.PRI_CONFIRMED_USER_DATA:
            writer.write(build_ack(master, self._link, False).to_bytes())
        if code in _DATA and frame.user_data:
            whole = self._reassembler.add(TransportSegment.from_bytes(frame.user_data))
            if whole is not None:
                self._answer(whole.data, master, writer)
        await writer.drain()

    def _answer(self, request: bytes, master: int, writer: asyncio.StreamWriter) -> None:
        """The fragments of an answer, one at a time: the next goes out when one is confirmed."""
        if len(request) >= 2 and request[1] == 0x00:
            self._send(master, writer)
            return
        if self._health.state == "refuse":
            refusal = build_null_response(IIN.NO_FUNC_CODE_SUPPORT, seq=request[0] & 0x0F)
            self._to_send = [refusal]
        else:
            self._image.refresh()
            peer = PeerId(source=master, connection=self._peer)
            self._to_send = self._image.outstation.process_request(request, peer=peer)
        self._send(master, writer)

    def _send(self, master: int, writer: asyncio.StreamWriter) -> None:
        if not self._to_send:
            return
        data = bytearray(self._to_send.pop(0).to_bytes())
        if self._to_send:
            data[0] |= _CONFIRM_WANTED
        for segment in segment_fragment(bytes(data)):
            frame = build_unconfirmed_user_data(master, self._link, False, segment.to_bytes())
            writer.write(frame.to_bytes())
