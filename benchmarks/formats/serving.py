"""Serve each framework's file on a cluster, and compare the answers."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import obstore
from support.cluster import BUCKET, Cluster, Namespace, wait_until
from tritonclient import http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from .cases import Case
from .making import ANSWERS, ROWS

ROOT = Path(__file__).parents[2]
DEFAULTS = ("runtime", "operator", "trainer", "store")
PATIENCE = 600.0
TOLERANCE = 1e-3
"""Largest difference of a correct answer. The conversion was compared more precisely before."""
STEPS = 2
"""Largest difference of integers, as in the conversion of int8."""


def serve(
    cluster: str, cases: Sequence[Case], folder: Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the columns of each model: seconds, difference, or the failure.

    Args:
        cluster: name of the cluster, which is created if it does not exist, with the images.
        cases: the models.
        folder: folder with the results of the measurement.
    """
    ready = _prepare(cluster, sorted({case.image for case in cases} - set(DEFAULTS)))
    with ready.namespace() as namespace:
        for case in cases:
            if not (folder / case.measured / ROWS).exists():
                continue
            print(f"==> serving: {case.title}", flush=True)
            try:
                yield case.title, {"served": True, **_serve(namespace, case, folder)}
            except (AssertionError, ValueError) as error:
                yield case.title, {"served": False, "servedMessage": str(error)[:2000]}


def _prepare(name: str, variants: Sequence[str]) -> Cluster:
    """Prepare the cluster, with an operator that has the images for all models."""

    def tool(module: str, *words: str) -> str:
        command = [sys.executable, "-m", module, *words]
        return subprocess.run(
            command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    tool("perennial_cluster", "up", "--name", name)
    tool("perennial_images", "build", *DEFAULTS, *variants)
    chosen = [word for variant in variants for word in ("--with", variant)]
    tool("perennial_cluster.install", "--name", name, *chosen)
    return Cluster(Path(tool("perennial_cluster", "kubeconfig", "--name", name).strip()))


def _serve(namespace: Namespace, case: Case, folder: Path) -> dict[str, Any]:
    artifact = folder / case.artifact
    rows = dict(np.load(folder / case.measured / ROWS))
    expected = dict(np.load(folder / case.measured / ANSWERS))
    packaging = {
        "output": {"uri": f"s3://{BUCKET}/{namespace.name}/bundles"},
        **({"trusted": True} if case.trusted else {}),
    }
    uri = _upload(namespace, artifact)
    began = time.monotonic()
    namespace.deploy(case.key, uri, model={"format": "Auto"}, packaging=packaging)
    try:
        resource = namespace.wait_complete(case.key, PATIENCE)
        client = http.InferenceServerClient(f"{namespace.address(case.key)}:80")
        answers = wait_until(lambda: _predict(client, case.key, rows, list(expected)), 30)
        seconds = time.monotonic() - began
    finally:
        namespace.kubectl("delete", "mdep", case.key)
    resolution = resource["status"].get("resolution", {})
    return {
        "servedSeconds": round(seconds, 1),
        "servedFormat": resolution.get("format") or "Onnx",
        "servedDifference": _difference(answers, expected),
    }


def _upload(namespace: Namespace, artifact: Path) -> str:
    files = [one for one in [artifact, *artifact.rglob("*")] if one.is_file()]
    for file in files:
        path = f"{namespace.name}/raw/{file.relative_to(artifact.parent)}"
        obstore.put(namespace.cluster.store, path, file)
    slash = "/" if artifact.is_dir() else ""
    return f"s3://{BUCKET}/{namespace.name}/raw/{artifact.name}{slash}"


def _predict(
    client: http.InferenceServerClient,
    model: str,
    rows: dict[str, np.ndarray],
    outputs: Sequence[str],
) -> dict[str, np.ndarray] | None:
    """Return the answers by output, or ``None`` if the model is not ready."""
    inputs = []
    for name, values in rows.items():
        tensor = http.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
        inputs.append(tensor.set_data_from_numpy(values))
    try:
        answer = client.infer(model, inputs)
    except (InferenceServerException, OSError):
        return None
    return {name: answer.as_numpy(name) for name in outputs}


def _difference(answers: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> float:
    """Return the largest difference; labels must be equal.

    Raises:
        ValueError: the answers differ from the original's.
    """
    largest = 0.0
    for name, want in expected.items():
        got = answers[name].reshape(want.shape)
        if name == "label":
            texts = [one.decode() if isinstance(one, bytes) else str(one) for one in got.ravel()]
            off = int(np.sum((np.array(texts) != want.ravel().astype(str)) & ~_ties(expected)))
            if off:
                raise ValueError(f"{off} of {len(texts)} labels differ from the original's")
            continue
        apart = float(np.abs(got.astype(float) - want.astype(float)).max(initial=0.0))
        if apart > (STEPS if want.dtype.kind in "iu" else TOLERANCE):
            raise ValueError(f"{name}: differs from the original by {apart:.3g}")
        largest = max(largest, apart)
    return largest


def _ties(expected: dict[str, np.ndarray]) -> np.ndarray:
    """Return the rows whose two likeliest classes tie: either label is correct."""
    top = np.sort(expected["probabilities"], axis=1)
    ties: np.ndarray = top[:, -1] - top[:, -2] <= TOLERANCE
    return ties
