"""The answers of GRPCInferenceService other than ModelInfer's. No I/O.

Each takes the request where something depends on it, and what is to be said; all are bytes.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import NotFoundError
from ..shared.protobuf import parse, to_bytes, varint
from .model_name import check_model
from .schema import message_class
from .statistics import Duration, Statistics

if TYPE_CHECKING:  # it brings numpy, which is imported while already live
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


def server_live(live: bool) -> bytes:
    return to_bytes(_ServerLiveResponse(live=live))


def server_ready(ready: bool) -> bytes:
    return to_bytes(_ServerReadyResponse(ready=ready))


def model_ready(message: bytes, name: str, version: str, ready: bool) -> bytes:
    """A model that is not served is not ready; to ask for it is no error.

    Raises:
        BadRequestError: where the message is no ModelReadyRequest.
    """
    request = parse(_ModelReadyRequest, message)
    try:
        check_model(request.name, request.version, name, version)
    except NotFoundError:
        ready = False
    return to_bytes(_ModelReadyResponse(ready=ready))


def server_metadata(name: str, version: str, extensions: Sequence[str]) -> bytes:
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
    """
    Raises:
        BadRequestError: where the message is no ModelMetadataRequest.
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


def stream_answer(response: bytes) -> bytes:
    """The ModelStreamInferResponse around a ModelInferResponse."""
    return b"\x12" + varint(len(response)) + response  # field 2


def stream_error(problem: str) -> bytes:
    """The ModelStreamInferResponse in place of an answer; the stream goes on."""
    return to_bytes(_ModelStreamInferResponse(error_message=problem))


def model_statistics(message: bytes, name: str, version: str, statistics: Statistics) -> bytes:
    """
    Raises:
        BadRequestError: where the message is no ModelStatisticsRequest.
        NotFoundError: for another model or version; without a name all are meant.
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
    """
    Args:
        reason: why the model is not ready.

    Raises:
        BadRequestError: where the message is no RepositoryIndexRequest.
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
