"""TensorFlow Serving's gRPC methods."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..encoding import read_body
from ..frontends import Call
from ..routing import Codec, CodecHandler, Response, Routes, infer, post
from .server_state import ServerState

if TYPE_CHECKING:
    from ..service import Service

PREDICTION = "/tensorflow.serving.PredictionService"
MODEL = "/tensorflow.serving.ModelService"


class TfsGrpcRouter:
    """Methods by path."""

    def __init__(self, state: ServerState, max_body_bytes: int) -> None:
        self._state = state
        self._limit = max_body_bytes

    def routes(self) -> Routes:
        """Return no routes: clients see an unknown method until the model is loaded."""
        return {}

    def serve(self, service: "Service") -> Routes:
        """Return the routes that the loaded model adds."""
        from ..protocol.shared.tensorflow import State
        from ..protocol.tfs_grpc.examples import ClassificationCodec, RegressionCodec
        from ..protocol.tfs_grpc.predict import PredictionCodec
        from ..protocol.tfs_grpc.status import get_model_metadata, get_model_status

        name, model = service.name, service.model
        inputs, outputs = model.inputs, model.outputs

        def metadata(message: bytes) -> bytes:
            return get_model_metadata(message, name, inputs, outputs)

        def status(message: bytes) -> bytes:
            state = State.AVAILABLE if self._state.is_ready else State.UNLOADING
            return get_model_status(message, name, state)

        def responder(respond: Callable[[bytes], bytes]) -> Callable[[Call], Response]:
            return lambda call: Response(respond(read_body(call, self._limit)))

        codecs: dict[str, Codec] = {
            "Predict": PredictionCodec(name, inputs, outputs),
            "Classify": ClassificationCodec(name, inputs, model.classes),
            "Regress": RegressionCodec(name, inputs, outputs),
        }
        return {
            **{
                f"{PREDICTION}/{method}": infer(
                    "grpc", f"tfs_{method.lower()}", CodecHandler(codec, self._limit)
                )
                for method, codec in codecs.items()
            },
            f"{PREDICTION}/GetModelMetadata": post("grpc", "metadata", responder(metadata)),
            f"{MODEL}/GetModelStatus": post("grpc", "health", responder(status)),
        }
