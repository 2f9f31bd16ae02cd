"""LitServe API."""

import litserve
import numpy as np
from onnx_session import HTTP_PORT, NAME, OnnxSession, tensor


class OnnxAPI(litserve.LitAPI):
    def setup(self, device):
        self._session = OnnxSession()

    def decode_request(self, request):
        given = request["inputs"][0]
        return np.array(given["data"], np.float32).reshape(given["shape"])

    def predict(self, x):
        return self._session.run(x)

    def encode_response(self, output):
        outputs = [tensor(name, array) for name, array in output.items()]
        return {"model_name": NAME, "outputs": outputs}


if __name__ == "__main__":
    api = OnnxAPI(api_path=f"/v2/models/{NAME}/infer")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=HTTP_PORT, log_level="warning", generate_client_file=False)
