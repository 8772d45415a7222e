"""A Modbus TCP device with the habits that field reports tell of, one by one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

COMMON = 65  # registers of the common model, without the pad


@dataclass(slots=True)
class Device:
    """What it holds, and what it does wrong.

    Attributes:
        words: registers by address; others are denied with exception 2.
        longest: most registers in one read.
        functions: what it knows.
        hangs_up: closes the connection after each answer.
        silent_outside: says nothing to reads of registers that it does not have.
        unit_of: unit id in the answer to the n-th request; None echoes.
        rubbish: numbers of the requests whose registers all read 0xFFFF.
    """

    words: dict[int, int] = field(default_factory=dict)
    longest: int = 125
    functions: tuple[int, ...] = (3, 6, 16)
    hangs_up: bool = False
    silent_outside: bool = False
    transaction: int | None = None
    rubbish: frozenset[int] = frozenset()
    asked: int = 0

    def put(self, address: int, *words: int) -> int:
        """Store registers; returns the address behind them."""
        for offset, word in enumerate(words):
            self.words[address + offset] = word & 0xFFFF
        return address + len(words)

    def chain(self, base: int, *models: tuple[int, list[int]], ends: bool = True) -> list[int]:
        """Lay a SunSpec chain out; returns where each model begins."""
        at, starts = self.put(base, 0x5375, 0x6E53), []
        for number, body in models:
            starts.append(at)
            at = self.put(at, number, len(body), *body)
        if ends:
            self.put(at, 0xFFFF, 0)
        return starts

    def answer(self, pdu: bytes) -> bytes | None:
        """The answer to a request; None for none."""
        self.asked += 1
        function, address = pdu[0], int.from_bytes(pdu[1:3], "big")
        if function not in self.functions:
            return bytes([function | 0x80, 1])
        if function == 6:
            self.put(address, int.from_bytes(pdu[3:5], "big"))
            return pdu
        count = int.from_bytes(pdu[3:5], "big")
        if function == 16:
            words = [int.from_bytes(pdu[6 + 2 * i : 8 + 2 * i], "big") for i in range(count)]
            self.put(address, *words)
            return pdu[:5]
        wanted = range(address, address + count)
        if count > self.longest or any(one not in self.words for one in wanted):
            return None if self.silent_outside and address not in self.words else bytes([0x83, 2])
        words = [0xFFFF if self.asked in self.rubbish else self.words[one] for one in wanted]
        return bytes([3, 2 * count]) + b"".join(word.to_bytes(2, "big") for word in words)


@asynccontextmanager
async def serving(device: Device) -> AsyncIterator[str]:
    """Serve a device; gives its address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                said = device.answer(pdu)
                if said is None:
                    continue
                number = head[:2] if device.transaction is None else bytes([0, device.transaction])
                length = (len(said) + 1).to_bytes(2, "big")
                writer.write(number + b"\0\0" + length + head[6:7] + said)
                if device.hangs_up:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close_clients() if hasattr(server, "close_clients") else None
