import asyncio
from typing import Any

from perennial_operator.api import ApiError
from perennial_operator.cache import ObjectCache
from perennial_operator.images import Images
from perennial_operator.monitoring.targets import Targets
from perennial_operator.monitoring.training_progress import ProgressPoller
from perennial_operator.objects import MODEL_DEPLOYMENT, Key, Kind, Object
from perennial_operator.reconcile import Reconciler
from perennial_operator.workqueue import WorkQueue

KEY = Key("default", "delays")


class RefusingApi:
    """Takes a status, and says no to everything else."""

    def __init__(self) -> None:
        self.statuses: list[Any] = []

    async def create(self, kind: Kind, obj: Object) -> Object:
        await asyncio.sleep(0)
        raise ApiError(422, "Invalid", "no")

    async def apply(self, kind: Kind, obj: Object, subresource: str = "") -> Object:
        assert (kind, subresource) == (MODEL_DEPLOYMENT, "status")
        self.statuses.append(obj["status"])
        return resource(version=1 + len(self.statuses), status=obj["status"])

    async def post_event(self, namespace: str, event: Object) -> None:
        pass


def resource(version: int, **more: Any) -> Object:
    return {
        "metadata": {
            "name": KEY.name,
            "namespace": KEY.namespace,
            "uid": "uid-1",
            "generation": 1,
            "resourceVersion": str(version),
        },
        "spec": {"model": {"uri": "s3://models/1/", "digest": "sha256:" + "a" * 64}},
        **more,
    }


class CountingQueue(WorkQueue[Key]):
    """Remembers the delays after failures, and lets no test wait for them."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []
        self.enough = asyncio.Event()

    def add_failed(self, key: Key) -> float:
        self.delays.append(super().add_failed(key))
        self.add(key)
        if len(self.delays) == 6:
            self.enough.set()
        return self.delays[-1]


def test_a_plan_that_the_api_server_refuses_is_told_once_and_tried_less_and_less_often() -> None:
    async def scenario() -> None:
        api, cache, queue = RefusingApi(), ObjectCache(), CountingQueue()
        cache.put(MODEL_DEPLOYMENT, resource(version=1))
        reconciler = Reconciler(
            api,  # type: ignore[arg-type]
            cache,
            queue,
            Targets(),
            ProgressPoller(queue),
            Images("runtime:1", "trainer:1"),
        )
        queue.add(KEY)
        worker = asyncio.ensure_future(reconciler.work())
        await asyncio.wait_for(queue.enough.wait(), 10)
        worker.cancel()

        assert queue.delays[:6] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
        (status,) = api.statuses
        progressing = next(each for each in status["conditions"] if each["type"] == "Progressing")
        assert progressing["reason"] == "ApplyRefused"
        assert "stable" not in status
        assert "candidate" not in status

    asyncio.run(scenario())
