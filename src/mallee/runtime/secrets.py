"""Logins and certificates: where they come from, never what they are.

A site file names a login; the login itself is in the environment (``MALLEE_SECRET_<NAME>``) or in
a secrets file that only its owner can read. A simulated site makes its own: a random password and
a certificate authority whose key is thrown away once it has signed the one server certificate.
"""

import datetime as dt
import ipaddress
import os
import secrets
import ssl
import stat
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path

from mallee.core.errors import ConfigError
from mallee.drivers.driver import Login
from mallee.runtime.run_folder import RunFolder, write_private

VALID_DAYS = 397
RENEW_DAYS = 300


def secrets_path() -> Path:
    """The secrets file where none is named."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "mallee" / "secrets.toml"


def find_login(name: str, path: Path, environ: Mapping[str, str] = os.environ) -> Login:
    """The login of a name.

    Args:
        name: as `credentials` in the site file.
        path: TOML with lines ``name = "user:password"``, readable by its owner only.
        environ: looked into first.

    Raises:
        ConfigError: it is in neither place, malformed, or the file is open to others.
    """
    variable = "MALLEE_SECRET_" + "".join(c if c.isalnum() else "_" for c in name.upper())
    text = environ.get(variable)
    where = variable
    if text is None:
        where = f"{path}: {name}"
        text = _secrets_of(path).get(name)
    if text is None:
        hint = f'set {variable}="user:password" or write {name} = "user:password" into {path}'
        raise ConfigError(f"credentials {name!r}", "no such login", hint)
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise ConfigError(where, "is no login", 'write it as "user:password"')
    return Login(user, password)


def _secrets_of(path: Path) -> dict[str, str]:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(str(path), "others can read it", f"run: chmod 600 {path}")
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The parser's message would quote the line, and with it perhaps a password.
        raise ConfigError(
            str(path), "is not valid TOML", 'lines are: name = "user:password"'
        ) from None
    return {name: text for name, text in found.items() if isinstance(text, str)}


def make_simulated(folder: RunFolder) -> None:
    """The login and certificates of simulated devices, where there are none or old ones."""
    password = folder.run / "password"
    if not password.exists():
        write_private(password, secrets.token_urlsafe(24).encode())
    paths = [folder.run / name for name in ("ca.pem", "server.pem", "server.key")]
    if all(path.exists() for path in paths):
        age_s = time.time() - min(path.stat().st_mtime for path in paths)
        if age_s < RENEW_DAYS * 86400.0:
            return
    for path, content in zip(paths, _certificates(), strict=True):
        write_private(path, content)


def simulated_login(folder: RunFolder) -> Login:
    """The login that all simulated devices of a folder ask for."""
    return Login("mallee", (folder.run / "password").read_text())


def server_context(folder: RunFolder) -> ssl.SSLContext:
    """What simulated devices prove themselves with."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder.run / "server.pem", folder.run / "server.key")
    return context


def client_context(folder: RunFolder, *, simulated: bool, tls_ca: str = "") -> ssl.SSLContext:
    """What drivers trust: the simulated devices' authority, a site's own, or the system's.

    Raises:
        ConfigError: `tls_ca` is no readable certificate file.
    """
    if simulated:
        return ssl.create_default_context(cafile=folder.run / "ca.pem")
    try:
        return ssl.create_default_context(cafile=tls_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"tls_ca {tls_ca}", f"cannot be used: {error}", "give a PEM file"
        ) from None


def _certificates() -> tuple[bytes, bytes, bytes]:
    """PEM of the authority, of the server certificate and of the server's key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = dt.datetime.now(dt.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mallee simulated site")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])

    def certificate(
        subject: x509.Name, public: ec.EllipticCurvePublicKey, *, is_ca: bool
    ) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(
            digital_signature=not is_ca,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=is_ca,
            crl_sign=is_ca,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=VALID_DAYS))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    ca = certificate(ca_name, ca_key.public_key(), is_ca=True).sign(ca_key, hashes.SHA256())
    places = [x509.DNSName("localhost")]
    addresses = [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", "::1")]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    server = (
        certificate(name, key.public_key(), is_ca=False)
        .add_extension(x509.SubjectAlternativeName([*places, *addresses]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ca.public_bytes(pem), server.public_bytes(pem), private
