"""Rows of a table by name, answered with a prediction each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..answer import Answer
from ..encoding import body_of
from ..frontends import Call
from ..protocol.perennial.rows import RowCodec


@dataclass(frozen=True, slots=True)
class RowsRequest:
    feeds: Mapping[str, np.ndarray]
    outputs: Sequence[str]


class RowsEndpoint:
    """``POST /v2/models/M/predict``."""

    wants_ids = True

    def __init__(self, codec: RowCodec, outputs: Sequence[str], max_body_bytes: int) -> None:
        self._codec = codec
        self._outputs = tuple(outputs)
        self._limit = max_body_bytes

    def decode(self, call: Call) -> RowsRequest:
        _, feeds = self._codec.decode(body_of(call, self._limit))
        return RowsRequest(feeds, self._outputs)

    def encode(
        self, request: RowsRequest, results: Sequence[np.ndarray], ids: Sequence[str]
    ) -> Answer:
        return Answer(self._codec.encode(ids, dict(zip(self._outputs, results, strict=True))))
