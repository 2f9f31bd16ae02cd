"""Responses of GRPCInferenceService, except those of ModelInfer. No I/O.

The functions take the bytes of the request if the response depends on it, and return bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...errors import NotFoundError
from ..shared.protobuf import parse, to_bytes, varint
from .schema import message_class

if TYPE_CHECKING:  # imports NumPy, which happens when the server is already live
    from ...signature import TensorSpec

_ServerLiveResponse = message_class("inference.ServerLiveResponse")
_ServerReadyResponse = message_class("inference.ServerReadyResponse")
_ModelReadyRequest = message_class("inference.ModelReadyRequest")
_ModelReadyResponse = message_class("inference.ModelReadyResponse")
_ServerMetadataResponse = message_class("inference.ServerMetadataResponse")
_ModelMetadataRequest = message_class("inference.ModelMetadataRequest")
_ModelMetadataResponse = message_class("inference.ModelMetadataResponse")
_ModelStreamInferResponse = message_class("inference.ModelStreamInferResponse")
_ModelStatisticsRequest = message_class("inference.ModelStatisticsRequest")
_ModelStatistics = message_class("inference.ModelStatistics")
_ModelStatisticsResponse = message_class("inference.ModelStatisticsResponse")
_InferStatistics = message_class("inference.InferStatistics")
_InferBatchStatistics = message_class("inference.InferBatchStatistics")
_StatisticDuration = message_class("inference.StatisticDuration")
_RepositoryIndexRequest = message_class("inference.RepositoryIndexRequest")
_RepositoryIndexResponse = message_class("inference.RepositoryIndexResponse")


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of events and their total time."""

    count: int = 0
    ns: int = 0


@dataclass(frozen=True, slots=True)
class BatchStatistics:
    """The runs of one batch size."""

    compute_input: Duration = Duration()
    compute_infer: Duration = Duration()
    compute_output: Duration = Duration()


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts since the model was loaded, as in Triton's statistics extension."""

    last_inference_ms: int = 0
    """Time of the last request, in milliseconds since 1970."""
    inference_count: int = 0
    """Rows. A request without a batch counts as one."""
    execution_count: int = 0
    """Runs of the model: fewer than requests if these are batched."""
    success: Duration = Duration()
    """Whole requests."""
    fail: Duration = Duration()
    queue: Duration = Duration()
    compute_input: Duration = Duration()
    """Reading requests."""
    compute_infer: Duration = Duration()
    compute_output: Duration = Duration()
    """Writing responses."""
    batches: Mapping[int, BatchStatistics] = field(default_factory=lambda: MappingProxyType({}))
    """By batch size."""


def check_model(name: str, version: str, served: str, served_version: str) -> None:
    """Raise ``NotFoundError`` unless the request names the served model.

    A request may omit the version, or give the served one or "1", as in URLs.
    """
    if name != served:
        raise NotFoundError(f"model: expected {served!r}, got {name!r}")
    if version and version != served_version and version != "1":
        raise NotFoundError(f"version: expected {served_version!r} or '1', got {version!r}")


def server_live(live: bool) -> bytes:
    """Return a ServerLiveResponse."""
    return to_bytes(_ServerLiveResponse(live=live))


def server_ready(ready: bool) -> bytes:
    """Return a ServerReadyResponse."""
    return to_bytes(_ServerReadyResponse(ready=ready))


def model_ready(message: bytes, name: str, version: str, ready: bool) -> bytes:
    """Return a ModelReadyResponse. An unknown model is not ready, but not an error.

    Raises:
        BadRequestError: if the message is no ModelReadyRequest.
    """
    request = parse(_ModelReadyRequest, message)
    try:
        check_model(request.name, request.version, name, version)
    except NotFoundError:
        ready = False
    return to_bytes(_ModelReadyResponse(ready=ready))


def server_metadata(name: str, version: str, extensions: Sequence[str]) -> bytes:
    """Return a ServerMetadataResponse."""
    return to_bytes(_ServerMetadataResponse(name=name, version=version, extensions=extensions))


def model_metadata(
    message: bytes,
    name: str,
    version: str,
    platform: str,
    inputs: "Sequence[TensorSpec]",
    outputs: "Sequence[TensorSpec]",
    properties: Mapping[str, str],
) -> bytes:
    """Return a ModelMetadataResponse.

    Raises:
        BadRequestError: if the message is no ModelMetadataRequest.
        NotFoundError: for another model or version.
    """
    request = parse(_ModelMetadataRequest, message)
    check_model(request.name, request.version, name, version)
    tensors = _ModelMetadataResponse.TensorMetadata
    return to_bytes(
        _ModelMetadataResponse(
            name=name,
            versions=[version],
            platform=platform,
            inputs=[tensors(**tensor.describe()) for tensor in inputs],
            outputs=[tensors(**tensor.describe()) for tensor in outputs],
            properties=properties,
        )
    )


def stream_response(response: bytes) -> bytes:
    """Return the ModelStreamInferResponse around a ModelInferResponse."""
    return b"\x12" + varint(len(response)) + response  # field 2


def stream_error(problem: str) -> bytes:
    """Return the ModelStreamInferResponse for a request that failed.

    The stream continues after it.
    """
    return to_bytes(_ModelStreamInferResponse(error_message=problem))


def model_statistics(message: bytes, name: str, version: str, statistics: Statistics) -> bytes:
    """Return a ModelStatisticsResponse. A request without a name is about all models.

    Raises:
        BadRequestError: if the message is no ModelStatisticsRequest.
        NotFoundError: for another model or version.
    """
    request = parse(_ModelStatisticsRequest, message)
    check_model(request.name or name, request.version, name, version)
    parts = ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")
    model = _ModelStatistics(
        name=name,
        version=version,
        last_inference=statistics.last_inference_ms,
        inference_count=statistics.inference_count,
        execution_count=statistics.execution_count,
        inference_stats=_InferStatistics(
            **{part: _duration(getattr(statistics, part)) for part in parts},
            cache_hit=_StatisticDuration(),
            cache_miss=_StatisticDuration(),
        ),
        batch_stats=[
            _InferBatchStatistics(
                batch_size=size,
                compute_input=_duration(batch.compute_input),
                compute_infer=_duration(batch.compute_infer),
                compute_output=_duration(batch.compute_output),
            )
            for size, batch in sorted(statistics.batches.items())
        ],
    )
    return to_bytes(_ModelStatisticsResponse(model_stats=[model]))


def repository_index(
    message: bytes, name: str, version: str, ready: bool, reason: str = ""
) -> bytes:
    """Return a RepositoryIndexResponse.

    Args:
        reason: the reason why the model is not ready.

    Raises:
        BadRequestError: if the message is no RepositoryIndexRequest.
    """
    request = parse(_RepositoryIndexRequest, message)
    if request.ready and not ready:
        return b""
    model = _RepositoryIndexResponse.ModelIndex(
        name=name,
        version=version,
        state="READY" if ready else "UNAVAILABLE",
        reason="" if ready else reason,
    )
    return to_bytes(_RepositoryIndexResponse(models=[model]))


def _duration(duration: Duration) -> object:
    return _StatisticDuration(count=duration.count, ns=duration.ns)
