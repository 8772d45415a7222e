"""Remembers what a parameter was before a fault changed it."""

from typing import Any

from numpy.typing import NDArray


class Overrides:
    """Original values by name and position; a second change of the same one keeps the first's."""

    def __init__(self) -> None:
        self._originals: dict[tuple[str, Any], Any] = {}

    def scale(self, name: str, array: NDArray[Any], index: Any, factor: float) -> None:
        """Set a parameter to `factor` times its original."""
        array[index] = self._original(name, array, index) * factor

    def put(self, name: str, array: NDArray[Any], index: Any, value: Any) -> None:
        """Set a parameter."""
        self._original(name, array, index)
        array[index] = value

    def mend(self, name: str, array: NDArray[Any], index: Any) -> None:
        """Back to the original, if it was ever changed."""
        key = (name, index)
        if key in self._originals:
            array[index] = self._originals.pop(key)

    def _original(self, name: str, array: NDArray[Any], index: Any) -> Any:
        return self._originals.setdefault((name, index), array[index].copy())
