"""The HTTP front: routes, statuses, headers. Speaks RSGI, Granian's own interface."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING

import orjson
from granian.rsgi import (  # type: ignore[attr-defined]
    HTTPProtocol,
    ProtocolClosed,
    ProtocolError,
    Scope,
)

from . import log, version
from .errors import (
    BadRequestError,
    BodyTooLargeError,
    MethodNotAllowedError,
    NotFoundError,
    NotReadyError,
    RequestError,
    UnavailableError,
    UnsupportedEncodingError,
)
from .metrics import CONTENT_TYPE, Metrics

if TYPE_CHECKING:  # they bring numpy and ONNX Runtime, which are imported while already live
    from .model import Model
    from .protocol.v2 import Codec

INLINE_SECONDS = 0.002
INLINE_BYTES = 64 * 1024
"""Longer runs and larger bodies are worked on in a thread, so that probes are answered meanwhile;
for the others the hand-over would cost more than the work."""

CLIENT_GONE = 499
"""Counted, never sent: the client closed the connection before it had sent its request."""

Answer = tuple[bytes, str]
"""Body and content type."""
Handler = Callable[[Scope, HTTPProtocol], Awaitable[Answer]]
Headers = list[tuple[str, str]]

JSON = "application/json"
PROGRAM = "perennial-runtime"
SERVER = ("server", PROGRAM)
CLOSE = ("connection", "close")


class App:
    """Answers requests for one model, before it is loaded, while it serves, and while it drains."""

    def __init__(self, name: str, uri: str, max_body_bytes: int) -> None:
        self.name = name
        self.in_flight = 0
        self.draining = False
        self.metrics = Metrics(lambda: float(self.in_flight))
        self._uri = uri
        self._max_body_bytes = max_body_bytes
        self._model: Model | None = None
        self._codec: Codec
        self._metadata = b""
        self._pool: ThreadPoolExecutor
        self._ok_headers = {JSON: [("content-type", JSON), SERVER]}
        self._routes: dict[str, tuple[str, str, Handler]] = {
            "/": ("other", "GET", self._hello),
            "/metrics": ("metrics", "GET", self._metrics),
            "/v2": ("metadata", "GET", self._server_metadata),
            "/v2/health/live": ("health", "GET", self._live),
            "/v2/health/ready": ("health", "GET", self._ready),
        }
        self._add_model_routes(f"/v2/models/{name}")
        self._add_model_routes(f"/v2/models/{name}/versions/1")

    @property
    def ready(self) -> bool:
        return self._model is not None and not self.draining

    def serve(self, model: "Model", codec: "Codec") -> None:
        """From now on requests are answered with this model."""
        self._codec = codec
        self._pool = ThreadPoolExecutor(model.threads, thread_name_prefix="run")
        self._metadata = orjson.dumps(
            {
                "name": self.name,
                "versions": [model.version],
                "platform": "onnxruntime_onnx",
                "inputs": [tensor.describe() for tensor in model.inputs],
                "outputs": [tensor.describe() for tensor in model.outputs],
                "properties": {
                    "digest": model.digest,
                    "execution_provider": model.provider,
                    "threads": str(model.threads),
                },
            }
        )
        self.metrics.loaded(
            name=self.name, digest=model.digest, provider=model.provider, uri=self._uri
        )
        self._add_model_routes(f"/v2/models/{self.name}/versions/{model.version}")
        self._model = model

    def drain(self) -> None:
        """From now on not ready, and every answer asks its client to connect anew, elsewhere."""
        self.draining = True
        self._ok_headers[JSON] = [("content-type", JSON), SERVER, CLOSE]

    def _add_model_routes(self, path: str) -> None:
        self._routes[path] = ("metadata", "GET", self._model_metadata)
        self._routes[f"{path}/ready"] = ("health", "GET", self._model_ready)
        self._routes[f"{path}/infer"] = ("infer", "POST", self._infer)

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        begun = perf_counter()
        self.in_flight += 1
        route = "other"
        status = 200
        try:
            found = self._routes.get(scope.path)
            if found is None:
                raise self._not_found(scope.path)
            route, method, handler = found
            if scope.method != method:
                raise MethodNotAllowedError(scope.method, method)
            body, kind = await handler(scope, proto)
            headers = self._ok_headers.get(kind) or self._headers(kind)
        except RequestError as error:
            status = error.status
            body, headers = error.body(), self._headers(JSON, *error.headers)
        except (ProtocolClosed, ProtocolError):
            status = CLIENT_GONE
            return
        except Exception:
            log.error("a request failed", traceback=True, path=scope.path)
            status = 500
            body = orjson.dumps({"error": "internal error; the server's log says more"})
            headers = self._headers(JSON)
        finally:
            self.in_flight -= 1
            self.metrics.observe(route, status, perf_counter() - begun)
        proto.response_bytes(status, headers, body)

    def _headers(self, kind: str, *more: tuple[str, str]) -> Headers:
        headers = [("content-type", kind), SERVER, *more]
        if self.draining and CLOSE not in headers:
            headers.append(CLOSE)
        return headers

    def _not_found(self, path: str) -> NotFoundError:
        parts = path.split("/")
        if parts[:3] == ["", "v2", "models"] and len(parts) > 3:
            if parts[3] != self.name:
                return NotFoundError(f"model: expected {self.name!r}, got {parts[3]!r}")
            if parts[4:5] == ["versions"] and len(parts) > 5:
                version = self._model.version if self._model else "1"
                known = f"/v2/models/{self.name}/versions/{parts[5]}" in self._routes
                if not known:
                    return NotFoundError(f"version: expected {version!r} or '1', got {parts[5]!r}")
        return NotFoundError(f"path: nothing is served at {path}")

    async def _hello(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        text = f"Perennial serves the model {self.name}.\nIts metadata: /v2/models/{self.name}\n"
        return text.encode(), "text/plain; charset=utf-8"

    async def _metrics(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return self.metrics.text(), CONTENT_TYPE

    async def _server_metadata(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return orjson.dumps({"name": PROGRAM, "version": version(), "extensions": []}), JSON

    async def _live(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return orjson.dumps({"live": True, "ready": self.ready}), JSON

    async def _ready(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return self._readiness({"live": True, "ready": self.ready})

    async def _model_ready(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return self._readiness({"name": self.name, "ready": self.ready})

    def _readiness(self, state: dict[str, object]) -> Answer:
        if not self.ready:
            raise NotReadyError(state)
        return orjson.dumps(state), JSON

    async def _model_metadata(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        if self._model is None:
            raise self._loading()
        return self._metadata, JSON

    def _loading(self) -> UnavailableError:
        return UnavailableError(
            f"the model {self.name!r} is still being loaded. Try again in a second"
        )

    async def _infer(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        model = self._model
        if model is None:
            raise self._loading()
        body = await self._body(scope, proto)
        if len(body) <= INLINE_BYTES and model.seconds <= INLINE_SECONDS:
            return self._answer(model, body), JSON
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._answer, model, body), JSON

    def _answer(self, model: "Model", body: bytes) -> bytes:
        request = self._codec.decode(body)
        return self._codec.encode(request, model.run(request.feeds, request.outputs))

    async def _body(self, scope: Scope, proto: HTTPProtocol) -> bytes:
        """The request's body.

        Raises:
            BodyTooLargeError: when it is over the limit, before or while it is read.
            UnsupportedEncodingError, BadRequestError: when it is in a form that is not read yet.
        """
        headers = scope.headers
        if "content-encoding" in headers and headers.get("content-encoding") != "identity":
            raise UnsupportedEncodingError(
                f"content-encoding: expected none, got {headers.get('content-encoding')}"
            )
        if "inference-header-content-length" in headers:
            raise BadRequestError(
                "inference-header-content-length: binary tensors are not read yet; "
                "send JSON (tritonclient: binary_data=False)"
            )
        limit = self._max_body_bytes
        length = headers.get("content-length")
        if length is not None:
            if int(length) > limit:
                raise BodyTooLargeError(limit)
            return await proto()
        parts = bytearray()
        async for chunk in proto:
            parts += chunk
            if len(parts) > limit:
                raise BodyTooLargeError(limit)
        return bytes(parts)
