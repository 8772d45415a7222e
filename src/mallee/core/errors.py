"""Errors named by what the catcher does with them.

Devices fail by quality: drivers raise a `DeviceError`, the collector turns it into a quality mark
and control treats what it cannot see as worst case. Everything else is either the user's input
(`ConfigError`) or a bug, which crashes the process that has it.
"""


class MalleeError(Exception):
    """Root of every error that Mallee raises on purpose."""


class ConfigError(MalleeError):
    """A file or argument is wrong: says what, where, and what would be right.

    Args:
        where: file and path inside it, such as ``site.toml: grid.import_max_w``.
        what: what is wrong with it.
        hint: what would be right; empty where there is nothing to suggest.
    """

    def __init__(self, where: str, what: str, hint: str = "") -> None:
        self.where, self.what, self.hint = where, what, hint
        super().__init__(f"{where}: {what}" + (f"; {hint}" if hint else ""))


class DeviceError(MalleeError):
    """A device did not do what was asked of it."""


class Unreachable(DeviceError):  # noqa: N818 - named by what happened, not by "Error"
    """No answer in time: mark its points stale, try again next cycle."""


class Refused(DeviceError):  # noqa: N818
    """Login or permission denied: stop asking, a person must look."""


class Rejected(DeviceError):  # noqa: N818
    """The device understood a command and declined it: raise an event, decide again."""


class Malformed(DeviceError):  # noqa: N818
    """The answer breaks the protocol: mark its points bad and keep the bytes.

    Args:
        message: what was wrong.
        sample: the first bytes of the answer, for the log.
    """

    def __init__(self, message: str, sample: bytes = b"") -> None:
        self.sample = sample[:200]
        super().__init__(message)
