"""The real cluster: kubectl, its S3 server, and a namespace for each test."""

import base64
import contextlib
import functools
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import kubernetes.config
import obstore
import pytest
from kubernetes.client import ApiClient
from obstore.store import S3Store

from perennial_cluster.choice import choose
from perennial_cluster.existing import ExistingCluster
from perennial_contracts.wire.digest import digest_of

Object = dict[str, Any]
BUCKET = "models"
NAME = os.environ.get("PERENNIAL_TEST_CLUSTER", "perennial-test")
"""Name of the cluster; another name lets two checkouts run their tests at once."""
T = TypeVar("T")
_PATHS = {
    "deployment": "apis/apps/v1/namespaces/{}/deployments",
    "deployments": "apis/apps/v1/namespaces/{}/deployments",
    "job": "apis/batch/v1/namespaces/{}/jobs",
    "mdep": "apis/perennial.dev/v1alpha1/namespaces/{}/modeldeployments",
    "pdb": "apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "pods": "api/v1/namespaces/{}/pods",
    "rjob": "apis/perennial.dev/v1alpha1/namespaces/{}/retrainjobs",
    "service": "api/v1/namespaces/{}/services",
}
"""Kinds that tests poll. A request takes 0.6 ms of processor time, and kubectl 65 ms."""


class KubectlError(Exception):
    """Error of kubectl, with its output."""


def wait_until(
    look: Callable[[], T], seconds: float = 60, state: Callable[[], object] = lambda: ""
) -> T:
    """Return the first true value of ``look``; fail with the last state after a time."""
    deadline = time.monotonic() + seconds
    while True:
        if seen := look():
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s; last state: {state() or seen}")
        time.sleep(0.2)


@dataclass(frozen=True)
class Cluster:
    """Cluster of the tests."""

    kubeconfig: Path

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise KubectlError(done.stderr)
        return done.stdout

    @functools.cached_property
    def _api(self) -> ApiClient:
        return kubernetes.config.new_client_from_config(str(self.kubeconfig))

    def read(self, path: str, selector: str = "") -> Object:
        """Return the object or list at a path of the API server."""
        request = self._api.param_serialize(
            "GET",
            f"/{path}",
            query_params=[("labelSelector", selector)] if selector else [],
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        response = self._api.call_api(*request)
        data = response.read()
        if response.status != 200:
            raise KubectlError(data.decode())
        found: Object = json.loads(data)
        return found

    def address(self, namespace: str, service: str) -> str:
        """Return the ClusterIP of a Service, which the host can reach."""
        return self.kubectl(
            "get", "service", service, "-n", namespace, "-o", "jsonpath={.spec.clusterIP}"
        )

    @functools.cached_property
    def store_keys(self) -> dict[str, str]:
        data = json.loads(self.kubectl("get", "secret", "store", "-n", "store", "-o", "json"))
        return {key: base64.b64decode(text).decode() for key, text in data["data"].items()}

    @functools.cached_property
    def store(self) -> S3Store:
        """Bucket ``models`` of the cluster's S3 server."""
        store = S3Store(
            BUCKET,
            endpoint=f"http://{self.address('store', 'store')}",
            access_key_id=self.store_keys["AWS_ACCESS_KEY_ID"],
            secret_access_key=self.store_keys["AWS_SECRET_ACCESS_KEY"],
            region="us-east-1",
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )
        # obstore cannot create a bucket, but it can sign the request.
        url = obstore.sign(store, "PUT", "", timedelta(minutes=1))

        def made() -> bool:
            try:
                urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=5).close()
            except urllib.error.HTTPError as error:  # it exists
                error.close()
            except OSError:  # the node does not know yet that the server's pod is ready
                return False
            return True

        wait_until(made)
        return store

    def put_model(self, path: str, files: dict[str, bytes]) -> str:
        """Upload a model's files below a prefix, and return its URI."""
        for name, data in files.items():
            obstore.put(self.store, f"{path}/{name}", data)
        return f"s3://{BUCKET}/{path}/"

    def load(self, archive: Path) -> None:
        """Load an image onto every node; skip the test on a cluster that only pulls."""
        backend = choose()
        if isinstance(backend, ExistingCluster):
            pytest.skip("no image can be put onto the nodes of an existing cluster")
        backend.load(NAME, archive)

    @contextmanager
    def namespace(self) -> Iterator["Namespace"]:
        """Create a namespace with the Secret ``models-s3``, and delete it after the test."""
        name = f"test-{secrets.token_hex(4)}"
        self.kubectl("create", "namespace", name)
        namespace = Namespace(self, name)
        try:
            namespace.apply(
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": "models-s3"},
                    "stringData": {
                        **self.store_keys,
                        "AWS_REGION": "us-east-1",
                        "AWS_ENDPOINT_URL": "http://store.store.svc",
                    },
                }
            )
            yield namespace
        finally:
            if not os.environ.get("PERENNIAL_KEEP_NAMESPACES"):
                self.kubectl("delete", "namespace", name, "--wait=false")


@dataclass(frozen=True)
class Namespace:
    """Namespace of the cluster."""

    cluster: Cluster
    name: str

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.name, *words, stdin=stdin)

    def apply(self, *objects: Object) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def get(self, kind: str, name: str) -> Object:
        if kind in _PATHS:
            return self.cluster.read(f"{_PATHS[kind].format(self.name)}/{name}")
        found: Object = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def list(self, kind: str, selector: str = "") -> list[Object]:
        items: list[Object]
        if kind in _PATHS:
            items = self.cluster.read(_PATHS[kind].format(self.name), selector)["items"]
        else:
            words = ["get", kind, "-o", "json", *(["-l", selector] if selector else [])]
            items = json.loads(self.kubectl(*words))["items"]
        return items

    def patch(self, kind: str, name: str, patch: Object) -> None:
        self.kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(patch))

    def deploy(self, name: str, uri: str, **spec: Any) -> None:
        """Apply a ModelDeployment; ``model`` fields are merged into the source."""
        model = {"uri": uri, "secretRef": {"name": "models-s3"}, **spec.pop("model", {})}
        self.apply(
            {
                "apiVersion": "perennial.dev/v1alpha1",
                "kind": "ModelDeployment",
                "metadata": {"name": name},
                "spec": {"model": model, **spec},
            }
        )

    def condition(self, name: str, type_: str) -> Object:
        """Return a condition for the current generation, or an empty one."""
        found = self.get("mdep", name)
        for each in found.get("status", {}).get("conditions", ()):
            if (
                each["type"] == type_
                and each["observedGeneration"] == found["metadata"]["generation"]
            ):
                condition: Object = each
                return condition
        return {}

    def wait_for(
        self, name: str, type_: str, reason: str, status: str = "", seconds: float = 60
    ) -> Object:
        """Wait for a condition with a reason."""

        def look() -> Object | None:
            seen = self.condition(name, type_)
            fits = seen.get("reason") == reason and status in ("", seen.get("status"))
            return seen if fits else None

        return wait_until(look, seconds, lambda: self.get("mdep", name).get("status"))

    def wait_complete(self, name: str, seconds: float = 60) -> Object:
        """Wait until the model of the spec is served; return the resource.

        The proxy of the node learns of new endpoints a moment after the operator does.
        """
        self.wait_for(name, "Progressing", "Complete", seconds=seconds)
        found = self.get("mdep", name)
        if found["status"].get("readyReplicas"):
            service = found["status"]["url"].removeprefix("http://").split(".")[0]
            address = self.address(service)
            wait_until(lambda: _accepts(address), 10, lambda: f"nothing accepts at {address}:80")
        return found

    def address(self, service: str) -> str:
        return self.cluster.address(self.name, service)


def _accepts(address: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, 80), timeout=1):
        return True
    return False


__all__ = ["Cluster", "KubectlError", "Namespace", "Object", "digest_of", "wait_until"]
