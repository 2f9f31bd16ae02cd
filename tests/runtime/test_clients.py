"""The clients that people have: tritonclient and KServe's."""

import asyncio

import numpy as np
import pytest
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


@pytest.fixture(scope="module")
def server(start, affine, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "double.onnx"
    path.write_bytes(affine)
    return start(path)


ROWS = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tritonclient(server):
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("double")
        assert client.is_model_ready("double", "1")
        assert not client.is_model_ready("other")
        assert client.get_server_metadata()["name"] == "perennial-runtime"
        assert client.get_model_metadata("double")["inputs"][0]["shape"] == [-1, 2]
        tensor = triton.InferInput("X", [2, 2], "FP32")
        tensor.set_data_from_numpy(ROWS, binary_data=False)
        output = triton.InferRequestedOutput("Y", binary_data=False)
        result = client.infer("double", [tensor], outputs=[output], request_id="9")
        np.testing.assert_allclose(result.as_numpy("Y"), 2 * ROWS + 1)
        assert result.get_response()["id"] == "9"
        binary = triton.InferInput("X", [2, 2], "FP32")
        binary.set_data_from_numpy(ROWS)
        with pytest.raises(triton.InferenceServerException, match="binary_data=False"):
            client.infer("double", [binary])


def test_kserves_client(server):
    async def ask():
        client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=30))
        url = f"http://127.0.0.1:{server.port}"
        try:
            assert await client.is_server_live(url)
            assert await client.is_server_ready(url)
            assert await client.is_model_ready(url, "double")
            tensor = InferInput("X", [2, 2], "FP32", data=ROWS.tolist())
            request = InferRequest(model_name="double", infer_inputs=[tensor], request_id="8")
            return await client.infer(url, request, model_name="double")
        finally:
            await client.close()

    response = asyncio.run(ask())
    assert response.id == "8"
    assert response.outputs[0].name == "Y"
    np.testing.assert_allclose(response.outputs[0].as_numpy(), 2 * ROWS + 1)
