"""BentoML service whose parameter has the name in the protocol."""

import bentoml
import numpy as np
import pydantic
from onnx_session import NAME, OnnxSession, tensor


class Tensor(pydantic.BaseModel):
    name: str
    datatype: str
    shape: "list[int]"
    data: "list[float]"


class Response(pydantic.BaseModel):
    model_name: str
    outputs: "list[Tensor]"


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Onnx:
    def __init__(self) -> None:
        self._session = OnnxSession()

    @bentoml.api(route=f"/v2/models/{NAME}/infer")
    async def infer(self, inputs: "list[Tensor]") -> Response:
        given = inputs[0]
        answers = self._session.run(np.array(given.data, np.float32).reshape(given.shape))
        outputs = [Tensor(**tensor(name, array)) for name, array in answers.items()]
        return Response(model_name=NAME, outputs=outputs)
