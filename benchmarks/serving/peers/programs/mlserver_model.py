"""MLServer runtime."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from onnx_session import OnnxSession


class OnnxModel(MLModel):
    async def load(self) -> bool:
        self._session = OnnxSession()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        answers = self._session.run(NumpyCodec.decode_input(payload.inputs[0]))
        outputs = [NumpyCodec.encode_output(name, array) for name, array in answers.items()]
        return InferenceResponse(model_name=self.name, outputs=outputs)
