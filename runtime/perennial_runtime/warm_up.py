"""Warm up a model that has just been loaded: run a request through each protocol.

The first client then does not wait for work that is only done once. The requests bypass the
monitor, so they are not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import orjson

from . import log
from .engine.model import LoadedModel
from .errors import RequestError
from .frontends import Headers
from .protocol.grpc.schema import message_class
from .protocol.shared.protobuf import to_bytes
from .protocol.shared.tensor_binary import encode_binary
from .routers.router import Router
from .routing import Handler
from .samples import MANY_ELEMENTS, sample_row, sample_size, sample_tensor
from .service import Service

ROUNDS = 5
"""Enough for the memos of the codecs, which remember a form from its third request on."""
SLOW_SECONDS = 0.1
"""A model whose run takes longer runs once: the rest takes little time in comparison."""


@dataclass
class _SampleCall:
    """A request without a client."""

    method: str
    path: str
    body: bytes
    is_grpc: bool = False
    query: str = ""
    problem: str | None = None
    compressed: bool = False
    arrived: float = 0.0
    deadline: float | None = None
    cancelled: bool = False

    @property
    def view(self) -> memoryview:
        return memoryview(self.body)

    @property
    def size(self) -> int:
        return len(self.body)

    def header(self, name: str) -> str | None:
        return None

    def respond(self, status: int, content_type: str, body: bytes, headers: Headers = ()) -> bool:
        return False

    def respond_grpc(self, body: bytes, more: bool = False) -> bool:
        return False

    def fail_grpc(self, code: int, message: str) -> bool:
        return False


def warm_up(service: Service, router: Router) -> None:
    """Decode, run and encode sample requests, a few times each."""
    begun = perf_counter()
    rounds = 1 if service.model.seconds > SLOW_SECONDS else ROUNDS
    for call in _calls(service):
        handler = router.routes[call.path].handler
        if handler is None:
            continue
        try:
            for _ in range(rounds):
                _run(handler, call, service.model)
        except RequestError as error:
            log.info("no warm-up: the model rejects sample inputs", problem=str(error))
    log.info("warm", milliseconds=round((perf_counter() - begun) * 1e3, 1))


def _calls(service: Service) -> Iterator[_SampleCall]:
    model, path = service.model, f"/v2/models/{service.name}"
    if sum(map(sample_size, model.inputs)) < MANY_ELEMENTS:
        tensors = {"inputs": [sample_tensor(spec) for spec in model.inputs]}
        yield _SampleCall("POST", f"{path}/infer", orjson.dumps(tensors))
    if service.is_tabular:
        profile = model.profiled.profile if model.profiled else None
        rows = {"instances": [sample_row(model.inputs, profile)]}
        yield _SampleCall("POST", f"{path}/predict", orjson.dumps(rows))
    message = message_class("inference.ModelInferRequest")(model_name=service.name)
    for spec in model.inputs:
        sample = spec.sample()
        message.inputs.add(name=spec.name, datatype=spec.datatype, shape=sample.shape)
        message.raw_input_contents.append(encode_binary(sample))
    path = "/inference.GRPCInferenceService/ModelInfer"
    yield _SampleCall("POST", path, to_bytes(message), is_grpc=True)


def _run(handler: Handler, call: _SampleCall, model: LoadedModel) -> None:
    request = handler.decode(call)
    results = model.run(request.feeds, request.outputs)
    rows = len(next(iter(request.feeds.values()), np.empty(0)))
    handler.encode(request, results, ["-" * 32] * rows)
