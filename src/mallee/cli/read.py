"""Commands that look at one device: `read` prints what it measures, `record` keeps what it says."""

import json
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from mallee.cli.output import table
from mallee.core.errors import ConfigError, DeviceError, Unreachable
from mallee.core.protocol import Address, parse_address
from mallee.core.protocols import PROTOCOLS

if TYPE_CHECKING:
    from mallee.drivers.explore import Findings

_SECRET = re.compile(
    r"(serial|uuid|mac.?address|password|secret|token|hostname|ipv[46]|address|host ?name)", re.I
)
_IN_TEXT = re.compile(
    r"([0-9a-f]{2}(:[0-9a-f]{2}){5}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|"
    r"\b(?:SN|S/N)[:= ]+\S+)", re.I
)  # fmt: skip
"""Hardware addresses, UUIDs and serial numbers wherever they stand."""


def read(
    address: str,
    *,
    protocol: str = "",
    credentials: str = "",
    tls_ca: str = "",
    plain_http: Annotated[bool, Parameter(negative="")] = False,
    timeout_s: float = 5.0,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Print everything that one device measures, whether a model knows it or not.

    Parameters
    ----------
    address
        The device as "host", "host:port" or "host:port/part"; it is only read.
    protocol
        redfish, snmp, dcgm or sunspec; without it the port tells, or all are tried.
    credentials
        Name of a login in the secrets file, as in a site file; without it nobody logs in.
    tls_ca
        PEM file of the authority that signed the device's certificate; the system's without it.
    plain_http
        Speak Redfish without TLS, for a service on this machine.
    timeout_s
        Longest wait for one answer.
    json_
        Print one JSON object, for programs.
    """
    spoken, found = _look(address, protocol, credentials, tls_ca, plain_http, timeout_s)
    if json_:
        rows = [
            {"at": one.at, "value": one.value, "unit": one.unit, "name": one.name,
             "state": one.state}
            for one in found.readings if math.isfinite(one.value)
        ]  # fmt: skip
        about = {"protocol": spoken, "identity": found.identity, "omissions": found.omissions}
        print(json.dumps(about | {"readings": rows}))
        return 0
    print(f"{spoken}: {found.identity or 'does not say who it is'}")
    lines = [(o.at, o.state or f"{o.value:g}", o.unit, o.name) for o in found.readings]
    print(table(lines, ("at", "value", "unit", "name")))
    for omission in found.omissions:
        print(omission, file=sys.stderr)
    return 0


def record(
    address: str,
    out: Path,
    *,
    protocol: str = "",
    credentials: str = "",
    tls_ca: str = "",
    plain_http: Annotated[bool, Parameter(negative="")] = False,
    timeout_s: float = 5.0,
) -> int:
    """Keep what one device says in a sample that `mallee replay` serves; secrets are replaced.

    Serial numbers, UUIDs, hardware and network addresses, host names and passwords are replaced by
    letters X of the same length. Look the file over before you give it away.

    Parameters
    ----------
    address
        As of `read`.
    out
        The file to write; it must not be there yet.
    protocol, credentials, tls_ca, plain_http, timeout_s
        As of `read`.
    """
    import msgspec

    from mallee.catalogue.samples import Sample

    if out.exists():
        raise ConfigError(str(out), "is there already", "choose another name")
    spoken, found = _look(address, protocol, credentials, tls_ca, plain_http, timeout_s)
    sample = Sample(
        source=f"recorded by mallee record: {without_secrets(found.identity)}",
        mark="recorded",
        content={spoken: without_secrets(found.content)},
    )
    out.write_bytes(msgspec.json.format(msgspec.json.encode(sample), indent=1))
    print(f"{out}: {len(found.readings)} readings over {spoken}")
    return 0


def without_secrets(content: Any, key: str = "") -> Any:
    """Content with everything that names one specimen replaced by X."""
    if isinstance(content, dict):
        return {name: without_secrets(value, str(name)) for name, value in content.items()}
    if isinstance(content, list):
        return [without_secrets(value, key) for value in content]
    if not isinstance(content, str):
        return content
    if _SECRET.search(key) and not content.startswith("/redfish/"):
        return "X" * len(content)
    return _IN_TEXT.sub(lambda found: "X" * len(found[0]), content)


def _look(
    address: str, protocol: str, credentials: str, tls_ca: str, plain_http: bool, timeout_s: float
) -> tuple[str, "Findings"]:
    """The protocol that answers, and what it says."""
    import asyncio
    import ssl

    from mallee.drivers.explore import Access, explore_of
    from mallee.runtime.secrets import find_login, secrets_path

    login = find_login(credentials, secrets_path()) if credentials else None
    try:
        tls = None if plain_http else ssl.create_default_context(cafile=tls_ca or None)
    except (OSError, ssl.SSLError) as error:
        hint = "give a PEM file"
        raise ConfigError(f"--tls-ca {tls_ca}", f"cannot be used: {error}", hint) from None
    tried: list[str] = []
    for name, place in _candidates(address, protocol):
        explore = explore_of(name)
        if explore is None:
            what = f"{name} devices do not say what they have"
            hint = "write a device model, see docs/add-a-device-model.md"
            raise ConfigError(f"--protocol {name}", what, hint)
        access = Access(login=login, tls=tls, timeout_s=timeout_s, tell=_teller(name))
        try:
            return name, asyncio.run(explore(place, access))  # type: ignore[arg-type]
        except DeviceError as error:
            if protocol:
                raise
            tried.append(f"{name}: {error}")
    raise Unreachable("nothing answers as any protocol; " + "; ".join(tried))


def _candidates(address: str, protocol: str) -> list[tuple[str, Address]]:
    """Protocols to try and where, those whose own port was named first."""
    names = [protocol] if protocol else ["redfish", "snmp", "dcgm", "sunspec"]
    found = []
    for name in names:
        if name not in PROTOCOLS:
            raise ConfigError(f"--protocol {name}", "is unknown", "redfish, snmp, dcgm or sunspec")
        facts = PROTOCOLS[name]
        try:
            place = parse_address(address, facts.port, facts.part)
        except ValueError as error:
            if protocol:
                raise ConfigError(address, f"is no address: {error}", "write host:port") from None
            continue
        part = place.part or ("1" if name in ("snmp", "sunspec") else "")
        found.append((name, Address(place.host, place.port, part)))
    if not found:
        raise ConfigError(address, "is no address", "write host, host:port or host:port/part")
    return sorted(found, key=lambda one: one[1].port != PROTOCOLS[one[0]].port)


def _teller(name: str) -> Any:
    """Shows on a terminal how far the look has come."""
    if not sys.stderr.isatty():
        return lambda _: None

    def tell(count: int) -> None:
        if count % 50 == 0:
            print(f"\r{name}: {count} answers", end="\r", file=sys.stderr, flush=True)

    return tell
