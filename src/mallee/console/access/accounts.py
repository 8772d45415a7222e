"""Users and tokens of one site: hashed, scoped, expiring; a file that only its owner can read.

Passwords are kept as scrypt hashes (RFC 7914; N = 2^15, r = 8, p = 3, the OWASP cheat sheet's
equivalent of N = 2^17), tokens as SHA-256: a token has 256 random bits and needs no slow hash.
There is no default password. The first user comes in by a link that works once, for an hour.
"""

import hashlib
import hmac
import secrets
import stat
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mallee.actions import ROLES, Role
from mallee.console.access.principal import Principal
from mallee.core.errors import ConfigError
from mallee.runtime.run_folder import write_private

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 3
MEMORY_MAX_BYTES = 128 << 20
PASSWORD_CHARS_MIN = 12
FIRST_LINK_S = 3600.0
TOKEN_PREFIX = "mlt_"


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person; `salt` and `hash` are hexadecimal."""

    name: str
    role: Role
    scope: tuple[str, ...] = ("*",)
    salt: str
    hash: str


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program's; `sha256` is of the token itself, which is shown once and kept nowhere."""

    name: str
    role: Role
    scope: tuple[str, ...] = ("*",)
    sha256: str
    until_utc_s: float


class Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds."""

    users: tuple[User, ...] = ()
    tokens: tuple[Token, ...] = ()
    first_sha256: str = ""
    first_until_utc_s: float = 0.0


class Accounts:
    """Users and tokens in their file; read again whenever it changed.

    Args:
        path: ``access.json`` in the site's data folder; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = -1
        self._kept = Kept()

    @property
    def kept(self) -> Kept:
        """What the file holds now.

        Raises:
            ConfigError: others can read it, or it is no such file.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._seen, self._kept = -1, Kept()
            return self._kept
        if found.st_mtime_ns != self._seen:
            if stat.S_IMODE(found.st_mode) & 0o077:
                raise ConfigError(str(self._path), "can be read by others", "chmod 600 it")
            try:
                self._kept = msgspec.json.decode(self._path.read_bytes(), type=Kept)
            except msgspec.DecodeError as error:
                raise ConfigError(str(self._path), f"is no file of users: {error}") from None
            self._seen = found.st_mtime_ns
        return self._kept

    def add_user(self, name: str, password: str, role: Role, scope: tuple[str, ...]) -> None:
        """Add a user, or give one a new password, role and scope.

        Raises:
            ConfigError: an empty name, a short password, or no such role.
        """
        _check(name, role)
        if len(password) < PASSWORD_CHARS_MIN:
            hint = f"take {PASSWORD_CHARS_MIN} characters or more"
            raise ConfigError("password", "is too short", hint)
        salt = secrets.token_bytes(16)
        hashed = hash_password(password, salt).hex()
        user = User(name=name, role=role, scope=scope, salt=salt.hex(), hash=hashed)
        others = tuple(one for one in self.kept.users if one.name != name)
        self._save(replace(self.kept, users=(*others, user)))

    def add_token(self, name: str, role: Role, scope: tuple[str, ...], until_utc_s: float) -> str:
        """A new token; it can never be shown again."""
        _check(name, role)
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = Token(
            name=name, role=role, scope=scope, sha256=_sha256(text), until_utc_s=until_utc_s
        )
        others = tuple(one for one in self.kept.tokens if one.name != name)
        self._save(replace(self.kept, tokens=(*others, token)))
        return text

    def remove(self, name: str) -> bool:
        """Forget a user and a token of this name; False where there was none."""
        kept = self.kept
        users = tuple(one for one in kept.users if one.name != name)
        tokens = tuple(one for one in kept.tokens if one.name != name)
        self._save(replace(kept, users=users, tokens=tokens))
        return len(users) + len(tokens) < len(kept.users) + len(kept.tokens)

    def make_first_link(self, now_utc_s: float) -> str:
        """What lets the first administrator in: works once, for an hour.

        Raises:
            ConfigError: there are users already.
        """
        if self.kept.users:
            raise ConfigError(str(self._path), "has users already", "add more with `access user`")
        text = secrets.token_urlsafe(32)
        self._save(
            replace(
                self.kept, first_sha256=_sha256(text), first_until_utc_s=now_utc_s + FIRST_LINK_S
            )
        )
        return text

    def use_first_link(self, text: str, name: str, password: str, now_utc_s: float) -> bool:
        """Make the first administrator; False where the link is not, or no longer, the one."""
        kept = self.kept
        is_it = hmac.compare_digest(_sha256(text), kept.first_sha256)
        if not is_it or kept.users or now_utc_s >= kept.first_until_utc_s:
            return False
        self.add_user(name, password, "admin", ("*",))
        self._save(replace(self.kept, first_sha256="", first_until_utc_s=0.0))
        return True

    def check_password(self, name: str, password: str) -> Principal | None:
        """The user of this name and password. Takes as long for a name that there is not."""
        user = next((one for one in self.kept.users if one.name == name), None)
        salt = bytes.fromhex(user.salt) if user else bytes(16)
        found = hash_password(password, salt)
        wanted = bytes.fromhex(user.hash) if user else bytes(len(found))
        if not hmac.compare_digest(found, wanted) or user is None:
            return None
        return Principal(name=user.name, role=user.role, scope=user.scope, via="page")

    def user(self, name: str) -> Principal | None:
        """A user as the file says now; None for one that is gone."""
        for one in self.kept.users:
            if one.name == name:
                return Principal(name=one.name, role=one.role, scope=one.scope, via="page")
        return None

    def check_token(self, text: str, now_utc_s: float) -> Principal | None:
        """Whose token this is; None for one that is forged, removed or expired."""
        hashed, found = _sha256(text), None
        for one in self.kept.tokens:
            if hmac.compare_digest(one.sha256, hashed):
                found = one
        if found is None or now_utc_s >= found.until_utc_s:
            return None
        return Principal(name=found.name, role=found.role, scope=found.scope, via="token")

    def _save(self, kept: Kept) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self._path, msgspec.json.format(msgspec.json.encode(kept)))
        self._seen = -1


def hash_password(password: str, salt: bytes) -> bytes:
    """The scrypt hash of a password."""
    return hashlib.scrypt(
        password.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=MEMORY_MAX_BYTES
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _check(name: str, role: str) -> None:
    if not name.strip() or len(name) > 80:
        raise ConfigError("name", f"{name!r} is no name", "take 1 to 80 characters")
    if role not in ROLES:
        raise ConfigError("role", f"there is no {role!r}", "there is " + ", ".join(ROLES))
