"""API server in memory, and an operator that works with it."""

import asyncio
import copy
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from perennial_contracts.wire.counters import Counters
from perennial_operator.api import ApiError
from perennial_operator.cache import ObjectCache
from perennial_operator.images import Images
from perennial_operator.monitoring.targets import Target, Targets
from perennial_operator.monitoring.training_progress import ProgressPoller
from perennial_operator.objects import (
    DEPLOYMENT,
    KIND_BY_NAME,
    MODEL_DEPLOYMENT,
    RESOURCE_KINDS,
    RETRAIN_JOB,
    Key,
    Kind,
    Object,
    name_of,
)
from perennial_operator.reconcile import Reconciler, RefusedError
from perennial_operator.workqueue import WorkQueue
from perennial_operator.world import World
from support import loops
from support.worlds import DIGEST, NOW

KEY = Key("default", "delays")

Refuses = Callable[[Kind, Object], bool]


class FakeApi:
    """API server in memory; it rejects objects that ``refuses`` matches with 422.

    Attributes:
        requests: verb, kind and name of each write that was accepted.
        statuses: every status that was written.
        events: every event that was posted.
    """

    def __init__(self, refuses: Refuses | None = None) -> None:
        self.refuses: Refuses = refuses or (lambda kind, obj: False)
        self.objects: dict[tuple[str, str], Object] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.statuses: list[dict[str, Any]] = []
        self.events: list[Object] = []
        self._versions = itertools.count(100)

    def put(self, kind: Kind, obj: Object) -> Object:
        """Store an object as a client other than the operator would."""
        live = self._live(kind, name_of(obj))
        metadata = {
            "uid": f"uid-{kind.name}-{name_of(obj)}",
            "generation": 1,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            **(live["metadata"] if live else {}),
            **obj["metadata"],
            "resourceVersion": str(next(self._versions)),
        }
        stored = {**(live or {}), **obj, "kind": kind.name, "metadata": metadata}
        self.objects[kind.name, name_of(obj)] = stored
        return copy.deepcopy(stored)

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        await asyncio.sleep(0)
        live = self._live(kind, name)
        if live is None:
            raise ApiError(404, "NotFound", f"{kind.plural} {name} not found")
        return copy.deepcopy(live)

    async def create(self, kind: Kind, obj: Object) -> Object:
        await asyncio.sleep(0)
        if self._live(kind, name_of(obj)):
            raise ApiError(409, "AlreadyExists", f"{kind.plural} {name_of(obj)} already exists")
        return self._write("create", kind, obj)

    async def apply(self, kind: Kind, obj: Object, subresource: str = "") -> Object:
        await asyncio.sleep(0)
        if subresource == "status":
            assert kind in RESOURCE_KINDS
            self.statuses.append(obj["status"])
            return self.put(kind, obj)
        return self._write("apply", kind, obj)

    async def delete(self, kind: Kind, obj: Object) -> None:
        await asyncio.sleep(0)
        self.requests.append(("delete", kind.name, name_of(obj)))
        self.objects.pop((kind.name, name_of(obj)), None)

    async def post_event(self, namespace: str, event: Object) -> None:
        await asyncio.sleep(0)
        self.events.append(event)

    def reasons(self) -> list[str]:
        """Return the reason of each event in order."""
        return [event["reason"] for event in self.events]

    def _write(self, verb: str, kind: Kind, obj: Object) -> Object:
        if self.refuses(kind, obj):
            raise ApiError(422, "Invalid", f"exceeded quota: {name_of(obj)}")
        self.requests.append((verb, kind.name, name_of(obj)))
        return self.put(kind, obj)

    def _live(self, kind: Kind, name: str) -> Object | None:
        return self.objects.get((kind.name, name))


class FakeCluster:
    """World on an API server in memory, with an operator that reconciles it.

    Attributes:
        now: the time of the operator.
    """

    def __init__(self, around: World, api: FakeApi | None = None) -> None:
        self.api = api or FakeApi()
        self.cache = ObjectCache()
        self.targets = Targets()
        queue: WorkQueue[Key] = WorkQueue()
        images = Images("runtime:1", "trainer:1")
        args: Any = (self.api, self.cache, queue, self.targets, ProgressPoller(queue), images)
        self.now = NOW
        self.reconciler = Reconciler(*args, clock=lambda: self.now)
        metadata = {"name": around.name, "namespace": around.namespace}
        resource = {
            "metadata": {
                **metadata,
                "uid": around.uid,
                "generation": around.generation,
                "annotations": around.annotations,
            },
            "spec": around.spec.model_dump(exclude_none=True),
            "status": around.status.model_dump(exclude_none=True),
        }
        self._put(MODEL_DEPLOYMENT, resource)
        for child in around.children.values():
            self._put(KIND_BY_NAME[child["kind"]], child)
        for run in around.runs:
            self._put(
                RETRAIN_JOB,
                {
                    "metadata": {**metadata, "name": run.name, "creationTimestamp": run.created},
                    "spec": run.spec.model_dump(exclude_none=True),
                    "status": run.status.model_dump(exclude_none=True),
                },
            )

    def _put(self, kind: Kind, obj: Object) -> None:
        self.cache.put(kind, self.api.put(kind, obj))

    def start_pods(self) -> None:
        """Report all pods as ready, as the controller of Deployments does."""
        for (kind, _), obj in list(self.api.objects.items()):
            if kind == DEPLOYMENT.name:
                replicas = obj["spec"]["replicas"]
                status = {
                    "observedGeneration": obj["metadata"]["generation"],
                    "replicas": replicas,
                    "updatedReplicas": replicas,
                    "availableReplicas": replicas,
                }
                self._put(DEPLOYMENT, {**obj, "status": status})

    def count_window(self) -> None:
        """Add a window of 1,000 drifted predictions with half of the labels wrong."""
        target = Target("delays", self.status()["stable"]["name"], DIGEST, 60.0)
        if not self.targets.of(KEY):
            self.targets.watch(KEY, target, 0.0)
            self._read(target, 0)
            self.targets.set_profile(KEY, DIGEST, loops.profile())
        self.now += timedelta(minutes=1)
        seen = self.targets.of(KEY)
        assert seen is not None
        self._read(target, seen.last["pod-1"].rows + 1000)

    def _read(self, target: Target, rows: int) -> None:
        half = rows // 2
        reading = Counters(
            instance="pod-1",
            digest=DIGEST,
            rows=rows,
            features={"x": [rows, 0, 0]},
            score=[rows, 0, 0],
            label=[rows, 0, 0, 0],
            labels=rows,
            matrix=[[half, half], [0, 0]],
            scores=[[0] * 20, [0] * 20],
        )
        self.targets.record(KEY, target, [reading], "", self.now)

    def reconcile(self, key: Key = KEY, *, refused: bool = False) -> None:
        """Reconcile a key once; with ``refused``, fail unless a child is rejected."""
        if refused:
            with pytest.raises(RefusedError, match="exceeded quota"):
                asyncio.run(self.reconciler.reconcile(key))
        else:
            asyncio.run(self.reconciler.reconcile(key))

    def status(self) -> Any:
        """Return the status of the ModelDeployment."""
        return self.api.objects["ModelDeployment", "delays"]["status"]

    def condition(self, type_: str) -> tuple[str, str]:
        """Return status and reason of a condition of the ModelDeployment."""
        found = next(each for each in self.status()["conditions"] if each["type"] == type_)
        return found["status"], found["reason"]
