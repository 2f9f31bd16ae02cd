"""TensorFlow Serving's gRPC methods."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..answer import Answer
from ..encoding import body_of
from ..frontends import Call
from ..routing import Routes, ask, post
from .server_state import Standing

if TYPE_CHECKING:
    from ..service import Service

PREDICTION = "/tensorflow.serving.PredictionService"
MODEL = "/tensorflow.serving.ModelService"


class TfsGrpcSite:
    """Methods by path."""

    def __init__(self, standing: Standing, max_body_bytes: int) -> None:
        self._standing = standing
        self._limit = max_body_bytes

    def routes(self) -> Routes:
        """Nothing is served before the model is there."""
        return {}

    def serve(self, service: "Service") -> Routes:
        """What is served with a model."""
        from ..handlers.plain import BodyCodec, PlainEndpoint
        from ..protocol.tfs_grpc.examples import ClassificationCodec, RegressionCodec
        from ..protocol.tfs_grpc.predict import PredictionCodec
        from ..protocol.tfs_grpc.status import get_model_metadata, get_model_status
        from ..protocol.v1.status import State

        name, model = service.name, service.model
        inputs, outputs = model.inputs, model.outputs

        def metadata(message: bytes) -> bytes:
            return get_model_metadata(message, name, inputs, outputs)

        def status(message: bytes) -> bytes:
            state = State.AVAILABLE if self._standing.is_ready else State.UNLOADING
            return get_model_status(message, name, state)

        def answered(answer: Callable[[bytes], bytes]) -> Callable[[Call], Answer]:
            return lambda call: Answer(answer(body_of(call, self._limit)))

        codecs: dict[str, BodyCodec] = {
            "Predict": PredictionCodec(name, inputs, outputs),
            "Classify": ClassificationCodec(name, inputs, model.classes),
            "Regress": RegressionCodec(name, inputs, outputs),
        }
        return {
            **{
                f"{PREDICTION}/{method}": ask(
                    "grpc", f"tfs_{method.lower()}", PlainEndpoint(codec, self._limit)
                )
                for method, codec in codecs.items()
            },
            f"{PREDICTION}/GetModelMetadata": post("grpc", "metadata", answered(metadata)),
            f"{MODEL}/GetModelStatus": post("grpc", "health", answered(status)),
        }
