"""The Open Inference Protocol v2 over gRPC."""

from collections.abc import Sequence

import numpy as np

from ..answer import Answer
from ..encoding import body_of
from ..errors import RequestError
from ..fronts import Call
from ..protocol.grpc import answers
from ..protocol.grpc.codec import GrpcCodec
from ..protocol.request import InferRequest


class GrpcInferEndpoint:
    """``ModelInfer``."""

    wants_ids = False

    def __init__(self, codec: GrpcCodec, max_body_bytes: int) -> None:
        self._codec = codec
        self._limit = max_body_bytes

    def decode(self, call: Call) -> InferRequest:
        return self._codec.decode(body_of(call, self._limit))

    def encode(
        self, request: InferRequest, results: Sequence[np.ndarray], ids: Sequence[str]
    ) -> Answer:
        return Answer(self._codec.encode(request, results))


class GrpcStreamEndpoint(GrpcInferEndpoint):
    """``ModelStreamInfer``: the same, message after message."""

    def encode(
        self, request: InferRequest, results: Sequence[np.ndarray], ids: Sequence[str]
    ) -> Answer:
        return Answer(answers.stream_answer(self._codec.encode(request, results)))


def stream_error(error: RequestError) -> Answer:
    """What stands for an answer in a stream that goes on."""
    return Answer(answers.stream_error(str(error)))
