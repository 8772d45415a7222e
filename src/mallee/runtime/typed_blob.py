"""A `Blob` that holds one value of a known type, decoded once however often it is looked at."""

from typing import Any, Generic, TypeVar

import msgspec

from mallee.runtime.seqlock import Blob

T = TypeVar("T")


class TypedBlob(Generic[T]):
    """One value in shared memory.

    Args:
        blob: where it stands.
        type_: what it is; anything that msgspec can encode.
        empty: what is read before the first write.
    """

    def __init__(self, blob: Blob, type_: Any, empty: T) -> None:
        self._blob, self._decoder = blob, msgspec.msgpack.Decoder(type_)
        self._encoder = msgspec.msgpack.Encoder()
        self._seen: tuple[int, T] = (0, empty)

    def write(self, value: T) -> None:
        """Replace the value.

        Raises:
            ValueError: it needs more bytes than there is room for; the one before stays.
        """
        self._blob.write(self._encoder.encode(value))

    def read(self) -> T:
        """The value that was written last."""
        number = self._blob.number
        if number != self._seen[0]:
            message = self._blob.read()
            if message is not None:
                self._seen = (number, self._decoder.decode(message))
        return self._seen[1]
