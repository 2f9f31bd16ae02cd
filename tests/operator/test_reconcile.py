import asyncio
from typing import Any

from support import loops, worlds
from support.fake_cluster import KEY, FakeApi, FakeCluster
from support.worlds import OTHER_DIGEST

from perennial_contracts.api.retrainjob import RetrainTemplate
from perennial_contracts.api.trigger import Trigger
from perennial_operator.objects import Key
from perennial_operator.specs import retrain_job, service
from perennial_operator.workqueue import WorkQueue


class CountingQueue(WorkQueue[Key]):
    """Queue that records the delays after failures, and adds the keys without delay."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []
        self.enough = asyncio.Event()

    def add_failed(self, key: Key) -> float:
        """Record the delay and add the key at once."""
        self.delays.append(super().add_failed(key))
        self.add(key)
        if len(self.delays) == 6:
            self.enough.set()
        return self.delays[-1]


def test_a_refused_plan_is_reported_once_and_retried_with_back_off() -> None:
    async def scenario() -> None:
        cluster = FakeCluster(worlds.world(), FakeApi(lambda kind, obj: True))
        queue: Any = CountingQueue()
        cluster.reconciler._queue = queue
        queue.add(KEY)
        worker = asyncio.ensure_future(cluster.reconciler.work())
        await asyncio.wait_for(queue.enough.wait(), 10)
        worker.cancel()

        assert queue.delays[:6] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
        (status,) = cluster.api.statuses
        progressing = next(each for each in status["conditions"] if each["type"] == "Progressing")
        assert progressing["reason"] == "ApplyRefused"
        assert "stable" not in status
        assert "candidate" not in status

    asyncio.run(scenario())


def test_children_that_the_plan_does_not_contain_are_deleted() -> None:
    around = worlds.world()
    old = worlds.revision(worlds.spec(), digest=OTHER_DIGEST)
    surplus = worlds.live_deployment(around, old, 1, 1)
    run = retrain_job.build(
        around, RetrainTemplate.model_validate(loops.TEMPLATE), Trigger(fingerprint="0123"), 1
    )
    children = [surplus, service.build(around, old.name), run]
    cluster = FakeCluster(worlds.world(children=children))
    cluster.reconcile()
    deleted = [request for request in cluster.api.requests if request[0] == "delete"]
    assert deleted == [("delete", "Deployment", surplus["metadata"]["name"])]
    assert ("RetrainJob", run["metadata"]["name"]) in cluster.api.objects
