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
    from .service import Service

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
HTML = "text/html; charset=utf-8"
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
        self._service: Service | None = None
        self._metadata = b""
        self._pool: ThreadPoolExecutor
        self._ok_headers = {JSON: [("content-type", JSON), SERVER]}
        self._routes: dict[str, tuple[str, str, Handler]] = {
            "/": ("other", "GET", self._hello),
            "/openapi.json": ("other", "GET", self._openapi),
            "/metrics": ("metrics", "GET", self._metrics),
            "/v2": ("metadata", "GET", self._server_metadata),
            "/v2/health/live": ("health", "GET", self._live),
            "/v2/health/ready": ("health", "GET", self._ready),
        }
        self._add_model_routes(f"/v2/models/{name}")
        self._add_model_routes(f"/v2/models/{name}/versions/1")

    @property
    def ready(self) -> bool:
        return self._service is not None and not self.draining

    def serve(self, service: "Service") -> None:
        """From now on requests are answered with this model."""
        model = service.model
        self._pool = ThreadPoolExecutor(model.threads, thread_name_prefix="run")
        self._metadata = orjson.dumps(
            {
                "name": self.name,
                "versions": [model.version],
                "platform": "onnxruntime_onnx",
                "inputs": [tensor.describe() for tensor in model.inputs],
                "outputs": [tensor.describe() for tensor in model.outputs],
                "properties": service.properties(),
            }
        )
        self.metrics.loaded(
            name=self.name, digest=model.digest, provider=model.provider, uri=self._uri
        )
        self.metrics.collect(service.collector())
        self._add_model_routes(f"/v2/models/{self.name}/versions/{model.version}")
        self._service = service

    def drain(self) -> None:
        """From now on not ready, and every answer asks its client to connect anew, elsewhere."""
        self.draining = True
        self._ok_headers[JSON] = [("content-type", JSON), SERVER, CLOSE]

    def _add_model_routes(self, path: str) -> None:
        self._routes[path] = ("metadata", "GET", self._model_metadata)
        self._routes[f"{path}/ready"] = ("health", "GET", self._model_ready)
        self._routes[f"{path}/infer"] = ("infer", "POST", self._infer)
        self._routes[f"{path}/predict"] = ("predict", "POST", self._predict)
        self._routes[f"{path}/feedback"] = ("feedback", "POST", self._feedback)
        self._routes[f"{path}/counters"] = ("counters", "GET", self._counters)
        self._routes[f"{path}/profile"] = ("profile", "GET", self._profile)

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
        if kind == HTML:
            from .page import CONTENT_SECURITY_POLICY

            headers += [
                ("content-security-policy", CONTENT_SECURITY_POLICY),
                ("x-content-type-options", "nosniff"),
            ]
        if self.draining and CLOSE not in headers:
            headers.append(CLOSE)
        return headers

    def _not_found(self, path: str) -> NotFoundError:
        parts = path.split("/")
        if parts[:3] == ["", "v2", "models"] and len(parts) > 3:
            if parts[3] != self.name:
                return NotFoundError(f"model: expected {self.name!r}, got {parts[3]!r}")
            if parts[4:5] == ["versions"] and len(parts) > 5:
                version = self._service.model.version if self._service else "1"
                known = f"/v2/models/{self.name}/versions/{parts[5]}" in self._routes
                if not known:
                    return NotFoundError(f"version: expected {version!r} or '1', got {parts[5]!r}")
        return NotFoundError(f"path: nothing is served at {path}")

    async def _hello(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return self._loaded().page(), HTML

    async def _openapi(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return self._loaded().openapi(), JSON

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
        self._loaded()
        return self._metadata, JSON

    async def _counters(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return self._loaded().counters(), JSON

    async def _profile(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return self._loaded().profile(), JSON

    async def _infer(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return await self._answer(self._loaded().infer, scope, proto)

    async def _predict(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return await self._answer(self._loaded().predict, scope, proto)

    async def _feedback(self, scope: Scope, proto: HTTPProtocol) -> Answer:
        return await self._answer(self._loaded().feedback, scope, proto)

    def _loaded(self) -> "Service":
        if self._service is None:
            raise UnavailableError(
                f"the model {self.name!r} is still being loaded. Try again in a second"
            )
        return self._service

    async def _answer(
        self, work: Callable[[bytes], bytes], scope: Scope, proto: HTTPProtocol
    ) -> Answer:
        """What is made of a request's body, here or in a thread."""
        body = await self._body(scope, proto)
        if len(body) <= INLINE_BYTES and self._loaded().model.seconds <= INLINE_SECONDS:
            return work(body), JSON
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, work, body), JSON

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
