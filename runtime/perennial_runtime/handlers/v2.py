"""The Open Inference Protocol v2 over REST."""

from collections.abc import Sequence

import numpy as np

from ..answer import OCTETS, Answer
from ..encoding import body_of, content_of
from ..frontends import Call
from ..protocol.shared.request import InferRequest
from ..protocol.v2.codec import Codec
from ..protocol.v2.header import HEADER, read_header_length

HEADER_LENGTH = HEADER.lower()


class InferEndpoint:
    """``POST /v2/models/M/infer``: JSON, binary tensors, or both."""

    wants_ids = False

    def __init__(self, codec: Codec, max_body_bytes: int) -> None:
        self._codec = codec
        self._limit = max_body_bytes

    def decode(self, call: Call) -> InferRequest:
        text = call.header(HEADER_LENGTH)
        if text is None:
            return self._codec.decode(body_of(call, self._limit))
        head = read_header_length(text)
        return self._codec.decode(content_of(call, self._limit), head)

    def encode(
        self, request: InferRequest, results: Sequence[np.ndarray], ids: Sequence[str]
    ) -> Answer:
        body, head = self._codec.encode(request, results)
        if head is None:
            return Answer(body)
        return Answer(body, OCTETS, ((HEADER_LENGTH, str(head)),))
