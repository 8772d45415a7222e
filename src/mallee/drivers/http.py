"""What the HTTP drivers share: errors as the collector knows them, answers of bounded size."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import aiohttp

from mallee.core.errors import ConfigError, Malformed, Refused, Unreachable

ANSWER_MAX_BYTES = 16 << 20
"""The largest real answer, a full `$expand` of a rack controller, stays below 4 MiB."""


def base_url(scheme: str, address: str) -> tuple[str, str]:
    """The root of a device's service, and the path below which it stands (empty for none).

    Args:
        address: "host:port", "host", or either with "/path" where a proxy serves several devices.

    Raises:
        ConfigError: the address is of no such form.
    """
    place, _, path = address.partition("/")
    try:
        parts = urlsplit(f"{scheme}://{place}")
        fits = bool(parts.hostname) and parts.port != 0 and parts.netloc == place
    except ValueError:
        fits = False
    if not fits or re.search(r"[\s@?#]", address):
        raise ConfigError(f"address {address!r}", "is no network address", "write host:port")
    return f"{scheme}://{place}", f"/{path.strip('/')}" if path.strip("/") else ""


@contextmanager
def named_errors(where: str) -> Iterator[None]:
    """Turn what aiohttp raises into `DeviceError` children; `where` says which request it was."""
    try:
        yield
    except TimeoutError:
        raise Unreachable(f"{where}: no answer in time") from None
    except aiohttp.ClientConnectorCertificateError as error:
        why = error.certificate_error
        raise Refused(f"{where}: its certificate is not trusted ({why})") from None
    except aiohttp.ClientConnectorSSLError as error:
        raise Malformed(f"{where}: does not speak TLS ({error.strerror})") from None
    except aiohttp.ClientConnectorError as error:
        raise Unreachable(f"{where}: cannot connect ({error.strerror})") from None
    except aiohttp.ClientResponseError as error:
        # Raised by aiohttp's HTTP parser only; status codes are judged by the drivers.
        raise Malformed(f"{where}: the answer is not HTTP ({error.message})") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"{where}: the connection broke ({error})") from None


async def read_body(response: aiohttp.ClientResponse, where: str) -> bytes:
    """The whole body.

    Raises:
        Malformed: it is larger than any real answer.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_MAX_BYTES:
            response.close()
            raise Malformed(f"{where}: more than {ANSWER_MAX_BYTES} bytes", bytes(body[:200]))
    return bytes(body)
