"""Protocols whose answers are one body, from the request and the results alone."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ..answer import Answer
from ..encoding import body_of
from ..frontends import Call
from . import Request


class BodyCodec(Protocol):
    """Translates for one model."""

    def decode(self, body: bytes, /) -> Request: ...

    def encode(self, request: Any, results: Sequence[np.ndarray], /) -> bytes: ...


class PlainEndpoint:
    """Asks the model with what a codec reads, and answers what it writes."""

    wants_ids = False

    def __init__(
        self,
        codec: BodyCodec,
        max_body_bytes: int,
        wrap: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """``wrap`` puts an answer into what the protocol has around it."""
        self._codec = codec
        self._limit = max_body_bytes
        self._wrap = wrap

    def decode(self, call: Call) -> Request:
        return self._codec.decode(body_of(call, self._limit))

    def encode(self, request: Any, results: Sequence[np.ndarray], ids: Sequence[str]) -> Answer:
        body = self._codec.encode(request, results)
        return Answer(body if self._wrap is None else self._wrap(body))
