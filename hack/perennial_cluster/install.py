"""Install Perennial on a cluster: CRDs, the operator and an S3 server.

``python -m perennial_cluster.install`` can run again at any time. It takes the images from
``build/images.json``, or from PERENNIAL_OPERATOR_IMAGE, PERENNIAL_RUNTIME_IMAGE,
PERENNIAL_TRAINER_IMAGE and PERENNIAL_STORE_IMAGE for a cluster that pulls from a registry. The
images that convert models of TensorFlow and PyTorch are large and optional:
``--with trainer-tf --with trainer-torch``.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perennial_build.errors import ReportedError
from perennial_build.progress import capture, report
from perennial_cluster.backend import DEFAULT_NAME, Backend
from perennial_cluster.choice import choose
from perennial_cluster.kubectl import Kubectl
from perennial_images.store import find_archive

ROOT = Path(__file__).resolve().parents[2]
IMAGES_FILE = ROOT / "build" / "images.json"
OPERATOR_NAMESPACE = "perennial-system"
STORE_NAMESPACE = "store"
IMAGES = ("operator", "runtime", "trainer", "store")
VARIANTS = ("trainer-tf", "trainer-torch")
OF_OPERATOR = ("runtime", "trainer", *VARIANTS)
"""Images that the operator creates pods of, in the order of its variables."""


def image_references(variants: Sequence[str] = ()) -> dict[str, str]:
    """Return the references of the images by short name, with some of VARIANTS.

    Raises:
        ReportedError: an image is not built and not named in the environment.
    """
    built: dict[str, str] = {}
    if IMAGES_FILE.exists():
        built = json.loads(IMAGES_FILE.read_text())
    references = {}
    for name in (*IMAGES, *variants):
        reference = os.environ.get(_variable(name)) or built.get(name)
        if not reference:
            raise ReportedError(
                f"No {name} image. Fix: run `python -m perennial_images build {name}`, or set"
                f" {_variable(name)}"
            )
        references[name] = reference
    return references


def _variable(image: str) -> str:
    return f"PERENNIAL_{image.replace('-', '_').upper()}_IMAGE"


def overlay(base: str, images: dict[str, str], namespace: str | None = None) -> dict[str, Any]:
    """Return a kustomization of a folder in ``manifests/`` with images and namespace."""
    kustomization: dict[str, Any] = {
        "resources": [base],
        "images": [
            {"name": f"perennial-{name}", **_split(images[name])} for name in ("operator", "store")
        ],
        "patches": [
            {
                "target": {"kind": "Deployment", "name": "perennial-operator"},
                "patch": json.dumps(
                    [
                        _set_image(place, images[name])
                        for place, name in enumerate(OF_OPERATOR)
                        if name in images
                    ]
                ),
            }
        ],
    }
    if namespace:
        kustomization["namespace"] = namespace
    return kustomization


def _set_image(variable: int, reference: str) -> dict[str, str]:
    """Return the JSON patch that sets a variable of the operator, by its index."""
    path = f"/spec/template/spec/containers/0/env/{variable}/value"
    return {"op": "replace", "path": path, "value": reference}


def _split(reference: str) -> dict[str, str]:
    name, _, tag = reference.rpartition(":")
    return {"newName": name, "newTag": tag} if name and "/" not in tag else {"newName": reference}


def render(base: Path, images: dict[str, str], namespace: str | None = None) -> str:
    """Return the manifests of an overlay as YAML."""
    scratch = ROOT / "build" / "install"
    scratch.mkdir(parents=True, exist_ok=True)
    # kustomize accepts only relative paths to resources.
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        kustomization = overlay(os.path.relpath(base, folder), images, namespace)
        Path(folder, "kustomization.yaml").write_text(json.dumps(kustomization))
        return capture(["kubectl", "kustomize", folder])


def load_images(backend: Backend, name: str, images: dict[str, str]) -> None:
    """Copy the built images to the nodes. The nodes pull the images of a registry."""
    for short, reference in images.items():
        if not os.environ.get(_variable(short)):
            backend.load(name, find_archive(reference))


def install_operator(
    kubectl: Kubectl, images: dict[str, str], namespace: str | None = None
) -> None:
    """Install the operator, for the whole cluster or one namespace, and wait for it."""
    base = ROOT / "manifests" / ("one-namespace" if namespace else "cluster-wide")
    if namespace:
        kubectl("apply", "-k", str(ROOT / "crds"))
    kubectl("apply", "-f", "-", stdin=render(base, images, namespace))
    where = namespace or OPERATOR_NAMESPACE
    _wait_for(kubectl, where, "perennial-operator")


def install_store(kubectl: Kubectl, images: dict[str, str]) -> None:
    """Install the S3 server and wait for it. Its credentials are kept."""
    kubectl("apply", "-f", str(ROOT / "manifests" / "store" / "namespace.yaml"))
    try:
        kubectl("get", "secret", "store", "-n", STORE_NAMESPACE)
    except ReportedError:
        keys = {
            "AWS_ACCESS_KEY_ID": secrets.token_hex(8),
            "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(24),
        }
        data = {key: base64.b64encode(value.encode()).decode() for key, value in keys.items()}
        metadata = {"name": "store", "namespace": STORE_NAMESPACE}
        kubectl.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}])
    kubectl("apply", "-f", "-", stdin=render(ROOT / "manifests" / "store", images))
    _wait_for(kubectl, STORE_NAMESPACE, "store")


def _wait_for(kubectl: Kubectl, namespace: str, deployment: str) -> None:
    kubectl(
        "--request-timeout=0",
        "rollout",
        "status",
        f"deployment/{deployment}",
        "-n",
        namespace,
        "--timeout=180s",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="perennial_cluster.install", description=__doc__)
    parser.add_argument("--name", default=DEFAULT_NAME, help=f"cluster; default {DEFAULT_NAME}")
    parser.add_argument(
        "--with",
        dest="variants",
        action="append",
        choices=VARIANTS,
        default=[],
        help="an image that converts more formats; can be repeated",
    )
    options = parser.parse_args(arguments)
    try:
        backend = choose()
        images = image_references(options.variants)
        kubectl = Kubectl(backend.kubeconfig(options.name))
        load_images(backend, options.name, images)
        install_operator(kubectl, images)
        report(f"the operator runs in namespace {OPERATOR_NAMESPACE}")
        install_store(kubectl, images)
        report(f"an S3 server runs in namespace {STORE_NAMESPACE}")
    except ReportedError as failure:
        print(f"perennial_cluster.install: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
