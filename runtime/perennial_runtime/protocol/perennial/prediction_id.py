"""Prediction ids: an id contains the prediction, so any pod can count the label.

24 bytes, written as 32 characters of base64url:

===== ==========================================================
bytes
===== ==========================================================
0-5   the model's version: the first 12 hexadecimal digits of its digest
6-11  the time, milliseconds since 1970
12-16 a counter that starts at a random number in each process
17-18 index of the predicted class; 65535: none
19    bin of the score (quality.score_bins); 255: none
20-23 CRC-32 of bytes 0 to 19, which starts from that of the model's name
===== ==========================================================

The random start separates the processes that serve one model, pods or workers of a pod: each draws
one of 2**40 numbers. Two processes make the same id only if their counters meet, which for 10**9
predictions happens in 1 of 1000 pairs, in a millisecond in which both predict. Then a few ids are
the same.
"""

import binascii
import os
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from zlib import crc32

import numpy as np

from perennial_contracts.stats.quality import SCORE_BINS

NO_CLASS = 65535
NO_BIN = 255
_BYTES, _CHARACTERS = 24, 32
_PATTERN = re.compile(r"[A-Za-z0-9_-]{32}")
_PACK = struct.Struct(">6sHIBIHB").pack
_UNPACK = struct.Struct(">6s6s5sHBI").unpack
_LAYOUT = np.dtype(
    [
        ("version", "S6"),
        ("time", ">u2"),
        ("time_low", ">u4"),
        ("number", "u1"),
        ("number_low", ">u4"),
        ("class_index", ">u2"),
        ("score_bin", "u1"),
        ("checksum", ">u4"),
    ]
)
"""The layout of ``_PACK``, followed by the checksum."""
_CRC_TABLE = np.array([crc32(bytes([n]), 0xFFFFFFFF) ^ 0xFFFFFFFF for n in range(256)], np.uint32)
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class PredictionId:
    """The contents of an id."""

    version: str
    time: int
    """Milliseconds since 1970."""
    key: int
    """Time and counter as one number, unique for each prediction."""
    class_index: int | None
    score_bin: int | None


class IdMaker:
    """Makes and reads the ids of one model. Thread-safe."""

    def __init__(self, model: str, version: str) -> None:
        """Create a maker; ``version`` has 12 hexadecimal digits."""
        self._version = bytes.fromhex(version)
        self._seed = crc32(model.encode())
        self._next = count(int.from_bytes(os.urandom(5), "big")).__next__

    def make(self, time: int, predictions: Iterable[tuple[int, int]]) -> list[str]:
        """Return an id for each prediction of a batch.

        Args:
            time: milliseconds since 1970.
            predictions: class index (or NO_CLASS) and score bin (or NO_BIN) of each row.
        """
        version, seed, next_number = self._version, self._seed, self._next
        high, low = time >> 32, time & 0xFFFFFFFF
        parts = bytearray()
        for class_index, score_bin in predictions:
            number = next_number()
            body = _PACK(
                version, high, low, number >> 32 & 0xFF, number & 0xFFFFFFFF, class_index, score_bin
            )
            parts += body
            parts += crc32(body, seed).to_bytes(4, "big")
        return _texts(parts)

    def reserve(self, count: int) -> tuple[int, ...]:
        """Return numbers for ids that ``make_many`` makes later."""
        next_number = self._next
        return (next_number(),) if count == 1 else tuple([next_number() for _ in range(count)])

    def make_many(
        self,
        times: Sequence[int],
        numbers: Sequence[int],
        class_indices: Sequence[int],
        score_bins: np.ndarray,
    ) -> list[str]:
        """Return the same ids as ``make``, in a fraction of the time if they are many."""
        rows = np.empty(len(numbers), _LAYOUT)
        moments, counts = np.array(times, np.uint64), np.array(numbers, np.uint64)
        rows["version"] = self._version
        rows["time"], rows["time_low"] = moments >> 32, moments & 0xFFFFFFFF
        rows["number"], rows["number_low"] = counts >> 32 & 0xFF, counts & 0xFFFFFFFF
        rows["class_index"], rows["score_bin"] = class_indices, score_bins
        rows["checksum"] = _crc32(rows.view(np.uint8).reshape(-1, _BYTES)[:, :-4], self._seed)
        return _texts(rows.tobytes())

    def read(self, text: str) -> PredictionId | None:
        """Return the contents of an id of this model, or None for other texts.

        The id may come from another version of the model.
        """
        if _PATTERN.fullmatch(text) is None:
            return None
        data = binascii.a2b_base64(text.encode().translate(_FROM_URL))
        version, time, number, class_index, score_bin, checksum = _UNPACK(data)
        if crc32(data[: _BYTES - 4], self._seed) != checksum:
            return None
        return PredictionId(
            version.hex(),
            int.from_bytes(time, "big"),
            int.from_bytes(time + number, "big"),
            None if class_index == NO_CLASS else class_index,
            score_bin if score_bin < SCORE_BINS else None,
        )


def _texts(data: bytes | bytearray) -> list[str]:
    """Return ids as text.

    24 bytes are 32 characters without padding, so one call encodes all ids.
    """
    text = binascii.b2a_base64(data, newline=False).translate(_TO_URL).decode()
    if len(text) == _CHARACTERS:
        return [text]
    return [text[i : i + _CHARACTERS] for i in range(0, len(text), _CHARACTERS)]


def _crc32(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return the CRC-32 of each row of bytes.

    It takes one step for each column, of all rows.

    Args:
        seed: the CRC-32 of the bytes before the row.
    """
    value = np.full(len(rows), seed ^ 0xFFFFFFFF, np.uint32)
    for column in rows.T:
        value = _CRC_TABLE[(value ^ column) & 0xFF] ^ (value >> 8)
    return value ^ np.uint32(0xFFFFFFFF)


def is_sampled(text: str, permille: int) -> bool:
    """Return whether a prediction is one of the ``permille`` in 1000 to keep.

    The result depends only on the id.
    """
    return permille >= 1000 or crc32(text.encode()) % 1000 < permille
