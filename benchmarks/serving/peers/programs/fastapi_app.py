"""FastAPI application with a typed route for a session."""

import fastapi
import numpy as np
import pydantic
from onnx_session import NAME, OnnxSession, tensor


class Tensor(pydantic.BaseModel):
    name: str
    datatype: str
    shape: "list[int]"
    data: "list[float]"


class Request(pydantic.BaseModel):
    inputs: "list[Tensor]"


class Response(pydantic.BaseModel):
    model_name: str
    outputs: "list[Tensor]"


app = fastapi.FastAPI()
session = OnnxSession()


@app.post(f"/v2/models/{NAME}/infer")
async def infer(request: Request) -> Response:
    given = request.inputs[0]
    answers = session.run(np.array(given.data, np.float32).reshape(given.shape))
    outputs = [Tensor(**tensor(name, array)) for name, array in answers.items()]
    return Response(model_name=NAME, outputs=outputs)
