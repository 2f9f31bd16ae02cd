"""The choice of execution providers, and the reason for a fallback."""

import pytest

from perennial_contracts.wire.digest import digest_of
from perennial_runtime.engine.model import LoadedModel
from perennial_runtime.engine.providers import (
    CPU,
    ProviderChoice,
    choose_providers,
    explain_fallback,
    has_gpu,
)
from perennial_storage.artifact import Artifact

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
ALL = (TENSORRT, CUDA, CPU)


@pytest.mark.parametrize(
    ("accelerator", "available", "gpu", "providers", "fallback"),
    [
        ("auto", ALL, False, (CPU,), ""),
        ("auto", ALL, True, (CUDA, CPU), ""),
        ("auto", (CPU,), True, (CPU,), f"has no {CUDA}"),
        ("cpu", ALL, True, (CPU,), ""),
        ("tensorrt", ALL, True, (TENSORRT, CUDA, CPU), ""),
        ("tensorrt", (CUDA, CPU), True, (CUDA, CPU), f"has no {TENSORRT}"),
        ("cuda", ALL, False, (CPU,), "has no GPU. Fix: request nvidia.com/gpu"),
        ("openvino", (CPU,), False, (CPU,), "has no OpenVINOExecutionProvider"),
    ],
)
def test_accelerator_and_resources_determine_the_providers(
    accelerator, available, gpu, providers, fallback
):
    choice = choose_providers(accelerator, available, gpu)
    assert choice.providers == providers
    assert (fallback in choice.fallback) if fallback else not choice.fallback


def test_a_provider_that_could_not_start_is_reported():
    assert explain_fallback(ProviderChoice((CUDA, CPU)), CUDA) == ""
    assert "CUDAExecutionProvider could not start" in explain_fallback(
        ProviderChoice((CUDA, CPU)), CPU
    )


def test_a_gpu_is_found_by_its_device(tmp_path):
    assert not has_gpu(tmp_path)
    (tmp_path / "nvidiactl").touch()
    assert not has_gpu(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert has_gpu(tmp_path)


def test_metadata_and_metrics_report_a_fallback(start, affine, tmp_path):
    (tmp_path / "m.onnx").write_bytes(affine)
    server = start(tmp_path / "m.onnx", "--accelerator", "cuda")
    properties = server.request("GET", "/v2/models/m")[1]["properties"]
    assert properties["execution_provider"] == CPU
    assert f"has no {CUDA}" in properties["execution_provider_fallback"]
    assert 'fallback="true"' in server.request("GET", "/metrics")[1]
    assert server.wait_for("the model runs on another provider")["level"] == "warning"


def test_a_model_without_a_gpu_runs_on_the_cpu(affine, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(affine)
    model = LoadedModel(Artifact(digest_of(affine), path, None), 1)
    assert (model.provider, model.fallback) == (CPU, "")
