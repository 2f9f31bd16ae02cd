"""Reconcile one resource at a time: gather, decide, apply.

A key's way through the operator:

1. kopf watches the cluster. ``watches`` stores each object in the ``cache`` and adds the key of the
   resource that owns it to the ``workqueue``. The ``monitoring`` scraper adds keys, too.
2. A worker takes the key (:meth:`Reconciler.work`); no other worker has the same key.
3. ``gather`` collects the world: the resource, its children and pods, and recent counters.
4. ``modeldeployment.plan`` or ``retrainjob.plan`` decides, without input or output, which children
   the resource needs and which status it gets.
5. :meth:`Reconciler.reconcile` applies the plan: children, then surplus ones, status, events. If
   the API server rejects a child, the status reports that and nothing that was decided.
6. A failure puts the key back with back-off. A plan may set the time of the next reconciliation.

No other module changes the cluster.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from perennial_contracts.api.conditions import ProgressingReason
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob_status import RetrainJobStatus

from . import matching, metrics, unwatched
from .api import FIELD_MANAGER, Api, ApiError
from .cache import ObjectCache
from .clock import to_text
from .conditions import Event
from .diagnosis import Diagnosis
from .gather import gather, gather_run
from .images import Images
from .modeldeployment import plan as modeldeployment
from .monitoring.targets import Targets
from .monitoring.training_progress import ProgressPoller
from .objects import (
    DISRUPTION_BUDGET,
    JOB,
    KIND_BY_NAME,
    RETRAIN_JOB,
    SERVICE,
    UNWATCHED_KINDS,
    Key,
    Object,
    is_owned_by,
    name_of,
)
from .retrainjob import plan as retrainjob
from .retrainjob import trainjob
from .workqueue import WorkQueue
from .world import RunWorld, World

logger = logging.getLogger(__name__)

_MESSAGE_LIMIT = 600
"""Length of a message of the API server in a condition. It may repeat a whole pod template."""
_REJECTED = frozenset({400, 403, 422})
"""Status codes of errors that last until the spec, a quota or a policy changes."""


class Reconciler:
    """Applies the plan of each resource to the cluster."""

    def __init__(
        self,
        api: Api,
        cache: ObjectCache,
        queue: WorkQueue[Key],
        targets: Targets,
        poller: ProgressPoller,
        images: Images,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = api
        self._cache = cache
        self._queue = queue
        self._targets = targets
        self._poller = poller
        self._images = images
        self._clock = clock

    async def work(self) -> None:
        """Reconcile keys until cancelled. A failure puts its key back with back-off."""
        while True:
            key = await self._queue.get()
            metrics.QUEUE_DEPTH.set(len(self._queue))
            started = time.perf_counter()
            try:
                wait = await self.reconcile(key)
                self._queue.forget(key)
                if wait is not None:
                    self._queue.add_after(key, wait)
            except RefusedError as error:
                delay = self._queue.add_failed(key)
                logger.warning("%s: %s Retrying in %.1f s", key, error, delay)
            except ApiError as error:
                # Most often the resource was deleted or changed during the reconciliation.
                delay = self._queue.add_failed(key)
                logger.info("%s: %s. Retrying in %.1f s", key, str(error).rstrip("."), delay)
            except Exception:
                metrics.RECONCILE_ERRORS.labels(key.kind).inc()
                delay = self._queue.add_failed(key)
                logger.exception("Cannot reconcile %s. Retrying in %.1f s", key, delay)
            finally:
                self._queue.done(key)
                elapsed = time.perf_counter() - started
                metrics.RECONCILE_SECONDS.labels(key.kind).observe(elapsed)

    async def reconcile(self, key: Key) -> float | None:
        """Decide about one resource, apply the plan, and return the seconds to wait.

        Raises:
            RefusedError: if the API server rejects a child; the status already reports it.
            ApiError: for any other error of the API server.
        """
        now = self._clock()
        if key.kind == RETRAIN_JOB.name:
            return await self._reconcile_retrain_job(key, now)
        return await self._reconcile_model_deployment(key, now)

    async def _reconcile_model_deployment(self, key: Key, now: datetime) -> float | None:
        loop = asyncio.get_running_loop()
        world = gather(self._cache, key, self._targets.of(key))
        if world is None:
            self._targets.watch(key, None, loop.time())
            return None
        plan = modeldeployment.decide(world, self._images, now)
        refusal = await self._apply(world, plan.children)
        if refusal:
            plan = modeldeployment.refused(world, plan, refusal, now)
        changed = await self._write_status(world, plan.status)
        # A window is closed as soon as its result is recorded: whatever fails from here on, the
        # next attempt does not count it a second time.
        self._targets.close(key, now, plan.judged)
        self._targets.watch(key, plan.target, loop.time())
        if changed:
            await self._post_events(world, plan.events)
        if refusal:
            raise RefusedError(refusal)
        return plan.look_again

    async def _reconcile_retrain_job(self, key: Key, now: datetime) -> float | None:
        world = gather_run(self._cache, key, self._poller.progress_of(key))
        if world is None:
            self._poller.watch(key, None)
            return None
        world = await unwatched.add_children(
            self._api, world, trainjob.unwatched_children(world, now)
        )
        plan = retrainjob.decide(world, self._images, now)
        refusal = await self._apply(world, plan.children)
        if refusal:
            plan = retrainjob.refused(world, refusal, now)
        changed = await self._write_status(world, plan.status)
        self._poller.watch(key, plan.progress_from)
        if changed:
            await self._post_events(world, plan.events)
        if refusal:
            raise RefusedError(refusal)
        return plan.look_again

    async def _apply(self, world: World | RunWorld, children: list[Object]) -> Diagnosis | None:
        """Create and update the children, then delete others; stop at the first refusal."""
        try:
            for child in children:
                await self._ensure(world, child)
        except RefusedError as refused:
            return refused.diagnosis
        await self._delete_surplus(world, children)
        return None

    async def _ensure(self, world: World | RunWorld, child: Object) -> None:
        kind = KIND_BY_NAME[child["kind"]]
        live = world.child(kind, name_of(child))
        # The pod template of a Job cannot change, nor can a RetrainJob. Those that exist stay.
        if live and (
            kind in (JOB, RETRAIN_JOB, *UNWATCHED_KINDS) or matching.contains(live, child)
        ):
            return
        try:
            if live:
                written = await self._api.apply(kind, child)
            else:
                written = await self._create(world, child)
        except ApiError as error:
            if error.code in _REJECTED:
                message = (
                    f"The API server rejects the {kind.name} {name_of(child)}: "
                    f"{error.message[:_MESSAGE_LIMIT].rstrip('.')}."
                )
                refusal = Diagnosis(ProgressingReason.APPLY_REFUSED, message)
                raise RefusedError(refusal) from error
            raise
        if kind not in UNWATCHED_KINDS:
            self._cache.put(kind, written)

    async def _create(self, world: World | RunWorld, child: Object) -> Object:
        """Create a child. An existing object with its name may belong to another owner."""
        kind = KIND_BY_NAME[child["kind"]]
        try:
            return await self._api.create(kind, child)
        except ApiError as error:
            if error.code != 409:
                raise
        existing = await self._api.get(kind, world.namespace, name_of(child))
        if not is_owned_by(existing, world.uid):
            message = (
                f"A {kind.name} {name_of(child)} exists and is not owned by this "
                f"{world.kind.name}. Rename one of the two, or delete the {kind.name}."
            )
            raise RefusedError(Diagnosis(ProgressingReason.NAME_TAKEN, message))
        return existing

    async def _delete_surplus(self, world: World | RunWorld, wanted: list[Object]) -> None:
        names = {(child["kind"], name_of(child)) for child in wanted}
        for (kind_name, name), child in world.children.items():
            if (kind_name, name) in names or "deletionTimestamp" in child["metadata"]:
                continue
            # Service and budget exist as long as a revision serves. A status that was read
            # incompletely must not delete them. Runs stay as the record of each attempt.
            if kind_name in (SERVICE.name, DISRUPTION_BUDGET.name, RETRAIN_JOB.name):
                continue
            kind = KIND_BY_NAME[kind_name]
            await self._api.delete(kind, child)
            self._cache.drop(kind, child)

    async def _write_status(
        self,
        world: World | RunWorld,
        status: ModelDeploymentStatus | RetrainJobStatus,
    ) -> bool:
        """Write the status if it differs from the recorded one; return if it does."""
        if status == world.status:
            return False
        written = await self._api.apply(
            world.kind,
            {
                "apiVersion": world.kind.api_version,
                "kind": world.kind.name,
                "metadata": {"name": world.name, "namespace": world.namespace, "uid": world.uid},
                "status": status.model_dump(exclude_none=True),
            },
            subresource="status",
        )
        self._cache.put(world.kind, written)
        return True

    async def _post_events(self, world: World | RunWorld, events: list[Event]) -> None:
        """Post each event once. An event that the API server rejects is lost."""
        for event in dict.fromkeys(events):
            try:
                await self._api.post_event(world.namespace, _event_object(world, event))
            except ApiError as error:
                logger.warning(
                    "Cannot post an event for %s/%s: %s", world.namespace, world.name, error
                )


class RefusedError(Exception):
    """A child that the API server rejects until the spec, a quota or a name changes."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(diagnosis.message)
        self.diagnosis = diagnosis


def _event_object(world: World | RunWorld, event: Event) -> Object:
    moment = to_text(datetime.now(UTC))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{world.name[:200]}.{secrets.token_hex(8)}",
            "namespace": world.namespace,
        },
        "involvedObject": {
            "apiVersion": world.kind.api_version,
            "kind": world.kind.name,
            "name": world.name,
            "namespace": world.namespace,
            "uid": world.uid,
        },
        "type": "Warning" if event.warning else "Normal",
        "reason": event.reason,
        "message": event.message[:1024],
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
