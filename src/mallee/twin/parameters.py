"""Catalogue parameters as the twin takes them: present, and inside what physics allows."""

from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError


def parameter_in(
    model: DeviceModel, name: str, low: float, high: float, default: float | None = None
) -> float:
    """A physics parameter or limit of a model.

    Args:
        low, high: the range in which it makes sense, both included.
        default: where the model gives none; without it that is an error.

    Raises:
        ConfigError: missing, or outside the range.
    """
    entry = model.physics.get(name)
    if entry is None:
        entry = model.limits.get(name)
    if entry is None:
        if default is None:
            raise ConfigError(f"catalogue model {model.model}", f"gives no parameter {name!r}")
        return default
    if not low <= entry.value <= high:
        raise ConfigError(
            f"catalogue model {model.model}: {name}",
            f"{entry.value:g} is outside of what physics allows",
            f"{low:g} to {high:g}",
        )
    return entry.value
