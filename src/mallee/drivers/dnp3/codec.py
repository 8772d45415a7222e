"""Requests for points, and what answers say: without I/O, on dnp3py's fragments."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

from dnp3.application.builder import build_range_request, build_read_request
from dnp3.application.fragment import ObjectBlock, RequestFragment
from dnp3.application.parser import ParseError, parse_response, parse_response_header
from dnp3.core.enums import CommandStatus, ControlCode, FunctionCode
from dnp3.core.flags import IIN
from dnp3.master.commands import CommandBuilder
from dnp3.master.handler import AnalogValue, BinaryValue, CounterValue, DefaultSOEHandler
from dnp3.master.master import Master

from mallee.core.errors import Malformed, Refused, Rejected
from mallee.core.protocols.dnp3 import Slot, Table

GROUPS: Final[dict[Table, int]] = {"BI": 1, "BO": 10, "CT": 20, "AI": 30, "AO": 40}
_ONLINE: Final = 0x01
_BAD: Final[dict[str, int]] = {"A": 0x66, "B": 0x06, "C": 0x06}
"""Flags with which a value is none: not updated since a restart, its source lost; for analogs also
over range and failed reference (IEEE 1815-2012, 11.6). By the first letter of a table."""
INT32: Final = (-(2**31), 2**31 - 1)


def read_request(slots: Iterable[Slot], sequence: int) -> RequestFragment:
    """One READ of static values: a header for each run of neighbouring points."""
    blocks: list[ObjectBlock] = []
    for table, group in GROUPS.items():
        for start, stop in _runs({slot.index for slot in slots if slot.table == table}):
            blocks += build_range_request(FunctionCode.READ, group, 0, start, stop).objects
    return build_read_request(tuple(blocks), seq=sequence)


def _runs(indices: set[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for index in sorted(indices):
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def decode_values(fragments: list[bytes]) -> Mapping[Slot, float]:
    """What an answer to a READ holds; NaN where a flag says that the value is none.

    Raises:
        Refused: the outstation reads nobody these points.
        Malformed: a fragment is cut short or broken.
    """
    handler = DefaultSOEHandler()
    master = Master(handler=handler)
    for data in fragments:
        info = master.process_response(data)
        if info is None or info.truncation is not None:
            raise Malformed("an answer that cannot be read", data)
        if info.iin & IIN.NO_FUNC_CODE_SUPPORT:
            raise Refused("does not let its points be read")
    return {
        **_values("BI", handler.binary_inputs),
        **_values("BO", handler.binary_outputs),
        **_values("CT", handler.counters),
        **_values("AI", handler.analog_inputs),
        **_values("AO", handler.analog_outputs),
    }


def _values(
    table: Table, found: Mapping[int, AnalogValue | BinaryValue | CounterValue]
) -> dict[Slot, float]:
    bad = _BAD[table[0]]
    return {
        Slot(table, index): float(one.value)
        if one.quality & _ONLINE and not one.quality & bad and math.isfinite(one.value)
        else math.nan
        for index, one in found.items()
    }


def indications(fragments: list[bytes]) -> IIN:
    """The internal indications of an answer's last fragment."""
    return parse_response_header(fragments[-1])[0].iin


def operate_request(settings: list[tuple[Slot, float]], sequence: int) -> RequestFragment:
    """A DIRECT OPERATE of outputs: latches for binaries, whole numbers for analogs.

    Raises:
        Rejected: a value is beyond 32 bits.
    """
    builder = CommandBuilder()
    for slot, value in settings:
        if slot.table == "BO":
            on = value >= 0.5
            builder.add_crob(slot.index, ControlCode.LATCH_ON if on else ControlCode.LATCH_OFF)
        elif INT32[0] <= round(value) <= INT32[1]:
            builder.add_analog(slot.index, round(value))
        else:
            raise Rejected(f"{slot} takes {INT32[0]}..{INT32[1]}, not {value:g}")
    return builder.build_direct_operate().build_request(seq=sequence)


def check_operated(fragments: list[bytes], settings: list[tuple[Slot, float]]) -> None:
    """Prove that every output was operated.

    Raises:
        Rejected: one was declined; the message has the outstation's own status.
        Malformed: the answer does not tell.
    """
    for data in fragments:
        try:
            response = parse_response(data)
        except ParseError as error:
            raise Malformed(str(error), data) from None
        statuses = [status for block in response.objects for status in _statuses(block)]
        refused = response.header.iin & (
            IIN.NO_FUNC_CODE_SUPPORT | IIN.OBJECT_UNKNOWN | IIN.PARAMETER_ERROR
        )
        for (slot, _), status in zip(settings, statuses, strict=False):
            if status != CommandStatus.SUCCESS:
                raise Rejected(f"{slot} answers {_named(status)}")
        if refused:
            raise Rejected(f"{settings[0][0]}: {refused.name or refused}")
        if len(statuses) == len(settings):
            return
    raise Malformed("does not say what became of the command", fragments[-1])


def _statuses(block: ObjectBlock) -> list[int]:
    """The status octet of each object of an echoed command; the last of the object's bytes."""
    width = {0x17: 1, 0x28: 2}.get(block.header.qualifier, 0)
    size = {(12, 1): 11, (41, 1): 5}.get((block.header.group, block.header.variation), 0)
    if not width or not size:
        return []
    count = int.from_bytes(block.data[:width], "little")
    ends = range(width + width + size - 1, len(block.data), width + size)
    return [block.data[end] for end in ends][:count]


def _named(status: int) -> str:
    try:
        return CommandStatus(status).name.replace("_", " ").lower()
    except ValueError:
        return f"status {status}"
