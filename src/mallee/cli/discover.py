"""The command that looks at a device which no model describes yet: `discover`."""

import json
import sys
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mallee.cli.output import table
from mallee.core.errors import ConfigError


def discover(
    address: str,
    *,
    credentials: str = "",
    tls_ca: str = "",
    plain_http: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """List everything that a Redfish device measures, with each place as a model file writes it.

    Parameters
    ----------
    address
        The device as "host:port"; it is only read.
    credentials
        Name of a login in the secrets file, as in a site file; without it nobody logs in.
    tls_ca
        PEM file of the authority that signed the device's certificate; the system's without it.
    plain_http
        Speak without TLS, for a service on this machine. Never with a login over a network.
    json_
        Print one JSON object, for programs.
    """
    import asyncio
    import ssl

    from mallee.drivers.redfish.walk import read_everything
    from mallee.runtime.secrets import find_login, secrets_path

    login = find_login(credentials, secrets_path()) if credentials else None
    try:
        tls = None if plain_http else ssl.create_default_context(cafile=tls_ca or None)
    except (OSError, ssl.SSLError) as error:
        hint = "give a PEM file"
        raise ConfigError(f"--tls-ca {tls_ca}", f"cannot be used: {error}", hint) from None
    signals, omissions = asyncio.run(read_everything(address, login, tls))
    if json_:
        shown = [
            {key: value for key, value in one.items() if key != "state" or value}
            for one in msgspec.to_builtins(signals)
        ]
        print(json.dumps({"signals": shown, "omissions": omissions}))
    else:
        rows = [(one.at, one.state or f"{one.value:g}", one.unit, one.kind) for one in signals]
        print(table(rows, ("at", "value", "unit", "kind")))
    for omission in omissions:
        print(omission, file=sys.stderr)
    return 0
