"""KServe's server with a custom model."""

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.logging import configure_logging
from kserve.utils.utils import generate_uuid
from onnx_session import GRPC_PORT, HTTP_PORT, NAME, OnnxSession

DATATYPES = {"float32": "FP32", "int64": "INT64"}
QUIET = {"version": 1, "disable_existing_loggers": False, "root": {"level": "WARNING"}}


class OnnxModel(Model):
    def __init__(self):
        super().__init__(NAME)
        self._session = OnnxSession()
        self.ready = True

    async def predict(self, payload: InferRequest, headers=None, response_headers=None):
        answers = self._session.run(payload.inputs[0].as_numpy())
        binary = payload.use_binary_outputs
        outputs = []
        for name, array in answers.items():
            output = InferOutput(name, list(array.shape), DATATYPES[array.dtype.name])
            output.set_data_from_numpy(array, binary_data=binary)
            outputs.append(output)
        return InferResponse(
            payload.id or generate_uuid(), NAME, outputs, use_binary_outputs=binary
        )


if __name__ == "__main__":
    configure_logging(QUIET)
    server = ModelServer(http_port=HTTP_PORT, grpc_port=GRPC_PORT, enable_latency_logging=False)
    server.start([OnnxModel()])
