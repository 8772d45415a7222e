"""Wrong answers by the thousand: does anything but a named error come out, or a value from rubbish?

The catalogue's samples are mutated, in two ways. *Broken*: bytes or structure of an answer are
damaged anyhow; whatever happens must be a reading or a `DeviceError`, everything else escapes.
*Void*: the value of one point is replaced by something that is no number; a finite reading of that
point is a wrong value shown as good. Codecs are fed without sockets; the seed is fixed.
"""

import json
import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from mallee.catalogue.device_models import load_models
from mallee.catalogue.samples import Sample, sample_of
from mallee.core.device_model import DeviceModel
from mallee.core.errors import DeviceError
from mallee.core.oids import Objects, parse_place
from mallee.drivers.dcgm.driver import DcgmCodec
from mallee.drivers.modbus.codec import decode_answer, decode_header, encode_read
from mallee.drivers.ocpp.codec import Call, check_payload, decode_frame, encode_call
from mallee.drivers.ocpp.session import Memory
from mallee.drivers.ocpp.v16 import to_201
from mallee.drivers.redfish.codec import RedfishCodec, parse_document

VOID: tuple[Any, ...] = (None, "", "n/a", "NaN", [], {}, True, [1], {"Reading": 1}, "0x1F", "1,5")
Outcome = tuple[int, int]
"""Escapes and wrong values of one input."""


def damage(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, cut out, doubled, or the end cut off."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(4):
            case 0 if found:
                found[at % len(found)] = chance.randrange(256)
            case 1:
                del found[at : at + chance.randint(1, 20)]
            case 2:
                found[at:at] = found[at : at + chance.randint(1, 20)]
            case _:
                del found[at:]
    return bytes(found)


def _escapes(work: Callable[[], object]) -> int:
    try:
        work()
    except DeviceError:
        return 0
    except Exception as error:  # noqa: BLE001 - what is counted here
        print(f"escaped: {type(error).__name__}: {error}")
        return 1
    return 0


def redfish(model: DeviceModel, sample: Sample, chance: random.Random) -> Outcome:
    """Resources with damaged bytes, and one place without a number."""
    codec = RedfishCodec(p for p in model.point if p.protocol == "redfish")
    documents: dict[str, Any] = sample.content["redfish"]
    name = chance.choice(list(documents))
    body = damage(json.dumps(documents[name]).encode(), chance)
    out = _escapes(lambda: codec.decode(documents | {name: parse_document(body, name)}))
    column = chance.randrange(len(codec.points))
    resource, _, pointer = codec.points[column].places[0].partition("#/")
    copy = json.loads(json.dumps(documents))
    holder, steps = copy.get(resource), pointer.split("/")
    for step in steps[:-1]:
        holder = holder[int(step)] if isinstance(holder, list) else (holder or {}).get(step)
    if not isinstance(holder, dict):
        return out, 0  # the sample has it at the older place
    holder[steps[-1]] = chance.choice(VOID)
    return out, int(np.isfinite(codec.decode(copy)[column]))


def snmp(model: DeviceModel, sample: Sample, chance: random.Random) -> Outcome:
    """Objects of any type, and one place without a number."""
    objects: Objects = dict(sample.content["snmp"])
    point = chance.choice([p for p in model.point if p.protocol == "snmp"])
    places = [parse_place(at, "1" if "534.6" not in at else "0") for at in point.places]
    strange = (None, b"", b"n/a", b"\xff\xfe", "1.3.6", -1, 2**64, 1e400, b"1e999", b"--1")
    objects[chance.choice(list(objects))] = chance.choice(strange)
    out = _escapes(lambda: [place.value(objects, (-1,)) for place in places])
    objects[places[0].oid] = chance.choice((None, b"", b"n/a", b"notsupported", -1, b"1.2.3"))
    total = sum(place.value(objects, (-1,)) for place in places)
    return out, int(np.isfinite(total))


def dcgm(model: DeviceModel, sample: Sample, chance: random.Random) -> Outcome:
    """A damaged page, and one series without a number or with DCGM's blank."""
    codec = DcgmCodec(p for p in model.point if p.protocol == "dcgm")
    page = sample.content["dcgm"]
    out = _escapes(lambda: codec.decode(damage(page.encode(), chance)))
    column = chance.randrange(len(codec.points))
    field, _, gpu = codec.points[column].places[0].partition("/")
    blank = chance.choice(("9223372036854775794", "NaN", "none", "", "140737488355328", "+Inf"))
    lines = [
        f"{line.rpartition(' ')[0]} {blank}" if line.startswith(f'{field}{{gpu="{gpu}"') else line
        for line in page.splitlines()
    ]
    fresh = DcgmCodec(codec.points)
    return out, int(np.isfinite(fresh.decode("\n".join(lines).encode())[column]))


def modbus(_model: DeviceModel, _sample: Sample, chance: random.Random) -> Outcome:
    """Frames with damaged bytes; those of a wrong length must not be taken for an answer."""
    count = chance.randint(1, 125)
    request = encode_read(7, 1, 0, count)
    pdu = struct.pack(">BB", 3, 2 * count) + bytes(2 * count)
    broken = damage(pdu, chance)

    def look() -> object:
        decode_header(damage(struct.pack(">HHHB", 7, 0, len(pdu) + 1, 1), chance)[:7].ljust(7))
        return decode_answer(request, broken.ljust(2, b"\0"))

    out = _escapes(look)
    short = pdu[: chance.randint(2, len(pdu) - 1)]
    try:
        decode_answer(request, short)
    except DeviceError:
        return out, 0
    return out, 1


def ocpp(_model: DeviceModel, sample: Sample, chance: random.Random) -> Outcome:
    """Frames with damaged bytes, and meter values that are no numbers."""
    content = sample.content["ocpp"]
    is_16 = content["version"] == "1.6"
    action, payload = chance.choice(content["messages"])
    text = encode_call("1", action, payload)

    def look() -> None:
        frame = decode_frame(damage(text.encode(), chance))
        if isinstance(frame, Call):
            if is_16:
                _, told = to_201(frame.action, frame.payload)
            else:
                check_payload(frame.action, frame.payload, answer=False)
                told = frame.payload
            if "meterValue" in told:
                Memory().meter(1, told["meterValue"], 0.0)

    out = _escapes(look)
    void: Any = chance.choice(("", "n/a", "NaN", "inf", None, [], "1,5"))
    values = [{"timestamp": "", "sampledValue": [{"value": void, "measurand": "SoC"}]}]
    memory = Memory()
    wrong = _escapes(lambda: memory.meter(1, values, 0.0))
    return out + wrong, len(memory.readings)


KINDS = {"redfish": redfish, "snmp": snmp, "dcgm": dcgm, "modbus": modbus, "ocpp": ocpp}


def count(inputs: int, seed: int = 8) -> dict[str, Outcome]:
    """Escapes and wrong values over so many inputs of each protocol."""
    chance, found = random.Random(seed), {}
    for protocol, kind in KINDS.items():
        models = [one for one in load_models().values() if protocol in one.protocol]
        pairs = [(model, sample_of(model.model)) for model in models]
        known = [(model, sample) for model, sample in pairs if sample is not None]
        escapes = wrong = 0
        for number in range(inputs):
            one = kind(*known[number % len(known)], chance)
            escapes, wrong = escapes + one[0], wrong + one[1]
        found[protocol] = escapes, wrong
    return found
