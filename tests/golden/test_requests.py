"""Requests of the operator to the API server: field manager, status, events."""

import asyncio
from types import SimpleNamespace
from typing import Any

from golden.record import check
from support.worlds import DIGEST

from perennial_contracts.api.common import PAUSED_ANNOTATION
from perennial_contracts.api.modeldeployment import ROLLBACK_ANNOTATION
from perennial_contracts.api.retraining import PROMOTE_ANNOTATION, RETRAIN_ANNOTATION
from perennial_operator.api import FIELD_MANAGER, Api
from perennial_operator.cache import ObjectCache
from perennial_operator.images import Images
from perennial_operator.monitoring.targets import Targets
from perennial_operator.monitoring.training_progress import ProgressPoller
from perennial_operator.names import MODEL_LABEL, model_labels, revision_selector
from perennial_operator.objects import (
    CHILD_KINDS,
    JOB,
    MODEL_DEPLOYMENT,
    RESOURCE_KINDS,
    UNWATCHED_KINDS,
    Key,
    Kind,
    Object,
)
from perennial_operator.reconcile import Reconciler
from perennial_operator.workqueue import WorkQueue

VOLATILE = ("name", "firstTimestamp", "lastTimestamp", "lastTransitionTime", "since", "message")


class RecordingApi:
    """Takes everything, and records it in order."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    async def create(self, kind: Kind, obj: Object) -> Object:
        await asyncio.sleep(0)
        self.requests.append(["create", kind.path(obj["metadata"]["namespace"])])
        metadata = {**obj["metadata"], "uid": kind.name, "resourceVersion": "1", "generation": 1}
        return {**obj, "metadata": metadata}

    async def apply(self, kind: Kind, obj: Object, subresource: str = "") -> Object:
        path = kind.path(obj["metadata"]["namespace"], obj["metadata"]["name"], subresource)
        self.requests.append(["apply", path, steady(obj)])
        metadata = {**obj["metadata"], "generation": 1, "resourceVersion": "2"}
        return {**resource(), **obj, "metadata": metadata}

    async def post_event(self, namespace: str, event: Object) -> None:
        self.requests.append(["event", namespace, steady(event)])


def steady(value: Any, at: str = "") -> Any:
    """Return an object without names, times and messages that differ from run to run."""
    if isinstance(value, list):
        return [steady(each, at) for each in value]
    if isinstance(value, dict):
        gone = VOLATILE if at in ("metadata", "conditions") else VOLATILE[1:]
        return {k: steady(v, k) for k, v in value.items() if k not in gone}
    return value


def resource() -> Object:
    metadata = {"name": "delays", "namespace": "default", "uid": "uid-1", "generation": 1}
    status = {"stable": REVISION}
    spec = {"model": {"uri": "s3://models/1/", "digest": DIGEST}}
    return {"metadata": {**metadata, "resourceVersion": "1"}, "spec": spec, "status": status}


REVISION = {
    "name": "0123456789",
    "uri": "s3://models/1/",
    "digest": DIGEST,
    "image": "runtime:1",
    "since": "2026-01-02T03:04:05Z",
}


def test_one_reconciliation_makes_the_requests_that_were_recorded() -> None:
    async def run() -> list[Any]:
        api, cache, queue = RecordingApi(), ObjectCache(), WorkQueue[Key]()
        cache.put(MODEL_DEPLOYMENT, resource())
        images = Images("runtime:1", "trainer:1")
        args: Any = (api, cache, queue, Targets(), ProgressPoller(queue), images)
        await Reconciler(*args).reconcile(Key("default", "delays"))
        return api.requests

    check("requests", asyncio.run(run()))


class RecordingClient:
    """Stands for the client of the API server; records what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.configuration = SimpleNamespace(host="https://api")

    async def update_params_for_auth(self, *_: Any) -> None:
        pass

    async def call_api(self, method: str, url: str, headers: Any, body: Any) -> Any:
        self.sent.append([method, url, headers["Content-Type"], body])
        data = b'{"items": [], "metadata": {}}'
        return SimpleNamespace(status=200, read=lambda: asyncio.sleep(0, data))


def test_each_kind_of_request_is_sent_as_was_recorded() -> None:
    client: Any = RecordingClient()
    obj = {"metadata": {"name": "delays", "namespace": "default", "uid": "uid-1"}}

    async def send() -> None:
        api = Api(client)
        await api.get(JOB, "default", "delays")
        await api.create(JOB, obj)
        await api.apply(JOB, obj)
        await api.apply(MODEL_DEPLOYMENT, obj, subresource="status")
        await api.delete(JOB, obj)
        await api.list(MODEL_DEPLOYMENT, None)
        await api.list(JOB, "default", MODEL_LABEL)
        await api.post_event("default", obj)

    asyncio.run(send())
    check("sent", client.sent)


def test_kinds_labels_and_field_manager_are_those_that_were_recorded() -> None:
    kinds = (*RESOURCE_KINDS, *CHILD_KINDS, *UNWATCHED_KINDS)
    check(
        "kinds",
        {
            "kinds": {kind.name: kind.path("default", "x") for kind in kinds},
            "field manager": FIELD_MANAGER,
            "labels": model_labels("delays"),
            "selector": revision_selector("delays", "0123456789"),
            "annotations": [
                PAUSED_ANNOTATION,
                RETRAIN_ANNOTATION,
                PROMOTE_ANNOTATION,
                ROLLBACK_ANNOTATION,
            ],
        },
    )
