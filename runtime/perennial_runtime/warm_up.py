"""Asks a model that has just been loaded something in each protocol, so that the first client does
not wait for what only happens once. Nothing of it is counted: it goes past the monitor."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import orjson

from . import log
from .engine.model import Model
from .errors import RequestError
from .frontends import Headers
from .handlers import Endpoint
from .protocol.grpc.schema import message_class
from .protocol.shared.protobuf import to_bytes
from .protocol.shared.tensor_binary import encode_binary
from .routers.router import Site
from .samples import MANY_ELEMENTS, sample_row, sample_size, sample_tensor
from .service import Service

ROUNDS = 5
"""What is only remembered from the third time on must come often enough."""
SLOW_SECONDS = 0.1
"""A model whose run takes longer is asked once: the rest is small against it."""


@dataclass
class _Call:
    """A request that nobody sent."""

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


def warm_up(service: Service, site: Site) -> None:
    """Takes requests as they come through decoding, run and encoding, a few times."""
    begun = perf_counter()
    rounds = 1 if service.model.seconds > SLOW_SECONDS else ROUNDS
    for call in _calls(service):
        endpoint = site.routes[call.path].endpoint
        if endpoint is None:
            continue
        try:
            for _ in range(rounds):
                _ask(endpoint, call, service.model)
        except RequestError as error:
            log.info("no warm-up: the model refuses sample inputs", problem=str(error))
    log.info("warm", milliseconds=round((perf_counter() - begun) * 1e3, 1))


def _calls(service: Service) -> Iterator[_Call]:
    model, path = service.model, f"/v2/models/{service.name}"
    if sum(map(sample_size, model.inputs)) < MANY_ELEMENTS:
        tensors = {"inputs": [sample_tensor(spec) for spec in model.inputs]}
        yield _Call("POST", f"{path}/infer", orjson.dumps(tensors))
    if service.is_tabular:
        profile = model.profiled.profile if model.profiled else None
        rows = {"instances": [sample_row(model.inputs, profile)]}
        yield _Call("POST", f"{path}/predict", orjson.dumps(rows))
    message = message_class("inference.ModelInferRequest")(model_name=service.name)
    for spec in model.inputs:
        sample = spec.sample()
        message.inputs.add(name=spec.name, datatype=spec.datatype, shape=sample.shape)
        message.raw_input_contents.append(encode_binary(sample))
    path = "/inference.GRPCInferenceService/ModelInfer"
    yield _Call("POST", path, to_bytes(message), is_grpc=True)


def _ask(endpoint: Endpoint, call: _Call, model: Model) -> None:
    request = endpoint.decode(call)
    results = model.run(request.feeds, request.outputs)
    rows = len(next(iter(request.feeds.values()), np.empty(0)))
    endpoint.encode(request, results, ["-" * 32] * rows)
