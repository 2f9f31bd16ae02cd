"""The Open Inference Protocol v2 over REST."""

from collections.abc import Sequence

import numpy as np

from ..answer import JSON, OCTETS, Answer
from ..encoding import body_of
from ..errors import BadRequestError
from ..fronts import Call
from ..protocol.request import InferRequest
from ..protocol.v2 import Codec

HEADER_LENGTH = "inference-header-content-length"


class InferEndpoint:
    """``POST /v2/models/M/infer``: JSON, binary tensors, or both."""

    wants_ids = False

    def __init__(self, codec: Codec, max_body_bytes: int) -> None:
        self._codec = codec
        self._limit = max_body_bytes

    def decode(self, call: Call) -> InferRequest:
        text = call.header(HEADER_LENGTH)
        body = body_of(call, self._limit)
        if text is None:
            return self._codec.decode(body)
        if not text.isdecimal() or len(text) > 19:
            raise BadRequestError(f"{HEADER_LENGTH}: expected a number of bytes, got {text!r}")
        return self._codec.decode(body, int(text))

    def encode(
        self, request: InferRequest, results: Sequence[np.ndarray], ids: Sequence[str]
    ) -> Answer:
        body, head = self._codec.encode(request, results)
        if head is None:
            return Answer(body, JSON)
        return Answer(body, OCTETS, ((HEADER_LENGTH, str(head)),))
