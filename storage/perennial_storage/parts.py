"""A table of the received bytes of an object, kept in memory and on disk."""

import json
from dataclasses import dataclass
from typing import Any

from .store import Span

PART_BYTES = 8 * 1024 * 1024
"""Size of one request."""


class Parts:
    """An object in parts of equal size, each of which arrives from its start."""

    def __init__(self, size: int, part_bytes: int = PART_BYTES) -> None:
        """Create the table of an object of ``size`` bytes, none of which has arrived."""
        self.size = size
        self._part_bytes = part_bytes
        self._done = [0] * -(-size // part_bytes)
        self._whole = 0
        """Number of parts at the start that are known to be complete."""

    @property
    def received(self) -> int:
        """Bytes that have arrived."""
        return sum(self._done)

    @property
    def prefix(self) -> int:
        """Bytes that have arrived at the start of the object, without a gap."""
        while self._whole < len(self._done):
            done = self._done[self._whole]
            if done < self._length(self._whole):
                return self._whole * self._part_bytes + done
            self._whole += 1
        return self.size

    @property
    def extent(self) -> int:
        """Offset after the last byte that has arrived."""
        ends = (number * self._part_bytes + done for number, done in enumerate(self._done) if done)
        return max(ends, default=0)

    def missing(self) -> list[Span]:
        """Return the spans that have not arrived, in order, at most one for each part."""
        spans = []
        for number, done in enumerate(self._done):
            start, length = number * self._part_bytes, self._length(number)
            if done < length:
                spans.append(Span(start + done, start + length))
        return spans

    def add(self, at: int, count: int) -> None:
        """Record that ``count`` bytes arrived at offset ``at``.

        Raises:
            ValueError: if they do not follow the bytes of their part that arrived before.
        """
        number = at // self._part_bytes
        expected = number * self._part_bytes + self._done[number]
        if at != expected or self._done[number] + count > self._length(number):
            raise ValueError(f"expected bytes at {expected} of part {number}, got {count} at {at}")
        self._done[number] += count

    def _length(self, number: int) -> int:
        return min(self._part_bytes, self.size - number * self._part_bytes)


@dataclass(frozen=True)
class DownloadRecord:
    """The state of a download, with which a later process resumes it.

    Pods of other releases may share the cache: they read the same JSON.
    """

    uri: str
    version: str
    parts: Parts

    def to_bytes(self) -> bytes:
        """Return the record as JSON."""
        parts = self.parts
        fields = {
            "uri": self.uri,
            "version": self.version,
            "size": parts.size,
            "part_bytes": parts._part_bytes,
            "done": parts._done,
        }
        return json.dumps(fields).encode()

    @classmethod
    def from_bytes(cls, data: bytes, uri: str) -> "DownloadRecord | None":
        """Parse a record; return None if it belongs to another URI or is invalid."""
        try:
            fields = json.loads(data)
            if not isinstance(fields, dict) or fields["uri"] != uri:
                return None
            parts = _parse_parts(fields["size"], fields["part_bytes"], fields["done"])
            return None if parts is None else cls(uri, str(fields["version"]), parts)
        except (ValueError, KeyError):
            return None


def _parse_parts(size: Any, part_bytes: Any, done: Any) -> Parts | None:
    if not _is_count(size) or part_bytes != PART_BYTES or not isinstance(done, list):
        return None
    if len(done) != -(-size // PART_BYTES) or not all(_is_count(each) for each in done):
        return None
    parts = Parts(size)
    for number, count in enumerate(done):
        if count > parts._length(number):
            return None
        parts._done[number] = count
    return parts


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0
