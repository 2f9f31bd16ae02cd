"""``reconcile(key)``: gather, decide, apply. The only place where the operator changes anything."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from perennial_contracts.api.conditions import ProgressingReason
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob_status import RetrainJobStatus
from perennial_contracts.wire.formats import Variant

from . import matching, metrics, unwatched
from .api import FIELD_MANAGER, Api, ApiError
from .cache import Cache
from .clock import to_text
from .conditions import Event
from .diagnosis import Diagnosis
from .gather import gather, gather_training
from .modeldeployment import plan as model
from .monitoring.targets import Observatory
from .monitoring.training_progress import Trainers
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
from .retrainjob import plan as training
from .retrainjob import trainjob as staged
from .workqueue import WorkQueue
from .world import TrainingWorld, World

logger = logging.getLogger(__name__)

_MESSAGE_LIMIT = 600
"""Characters of an answer of the API server; it may repeat a whole pod template."""
_USERS_FAULT = frozenset({400, 403, 422})
"""Codes of refusals that only a change of the spec, a quota or a policy can mend."""


@dataclass(frozen=True)
class Images:
    """The images of pods whose spec names none."""

    runtime: str
    trainer: str
    tf: str = ""
    torch: str = ""

    def trainers(self) -> dict[Variant, str]:
        """The trainer's images, by what they convert; those that there are."""
        variants: dict[Variant, str] = {"tabular": self.trainer, "tf": self.tf, "torch": self.torch}
        return {variant: image for variant, image in variants.items() if image}


class Reconciler:
    """Brings the cluster to what each resource asks for."""

    def __init__(
        self,
        api: Api,
        cache: Cache,
        queue: WorkQueue[Key],
        observatory: Observatory,
        trainers: Trainers,
        images: Images,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = api
        self._cache = cache
        self._queue = queue
        self._observatory = observatory
        self._trainers = trainers
        self._images = images
        self._clock = clock

    async def work(self) -> None:
        """One worker: takes keys until it is cancelled. An error costs its key a backoff only."""
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
                logger.warning("%s: %s Next try in %.1f s", key, error, delay)
            except ApiError as error:
                # Somebody else was faster: the resource went, or a later version of it came.
                delay = self._queue.add_failed(key)
                logger.info("%s: %s; next try in %.1f s", key, error, delay)
            except Exception:
                metrics.RECONCILE_ERRORS.labels(key.kind).inc()
                delay = self._queue.add_failed(key)
                logger.exception("%s failed; next try in %.1f s", key, delay)
            finally:
                self._queue.done(key)
                elapsed = time.perf_counter() - started
                metrics.RECONCILE_SECONDS.labels(key.kind).observe(elapsed)

    async def reconcile(self, key: Key) -> float | None:
        """Decide about one resource and apply the plan; return the seconds until the next look.

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
        world = gather(self._cache, key, self._observatory.of(key))
        if world is None:
            self._observatory.watch(key, None, loop.time())
            return None
        plan = model.decide(world, self._images.runtime, now, self._images.trainers())
        refusal = await self._apply(world, plan.children)
        if refusal:
            plan = model.refused(world, plan, refusal, now)
        changed = await self._write_status(world, plan.status)
        # A window is closed as soon as its result is recorded: whatever fails from here on, the
        # next attempt does not count it a second time.
        self._observatory.close(key, now, plan.judged)
        self._observatory.watch(key, plan.target, loop.time())
        if changed:
            await self._post_events(world, plan.events)
        if refusal:
            raise RefusedError(refusal)
        return plan.look_again

    async def _reconcile_retrain_job(self, key: Key, now: datetime) -> float | None:
        world = gather_training(self._cache, key, self._trainers.progress_of(key))
        if world is None:
            self._trainers.watch(key, None)
            return None
        world = await unwatched.look(self._api, world, staged.asks_for(world, now))
        plan = training.decide(world, self._images.trainer, now)
        refusal = await self._apply(world, plan.children)
        if refusal:
            plan = training.refused(world, refusal, now)
        changed = await self._write_status(world, plan.status)
        self._trainers.watch(key, plan.progress_from)
        if changed:
            await self._post_events(world, plan.events)
        if refusal:
            raise RefusedError(refusal)
        return plan.look_again

    async def _apply(
        self, world: World | TrainingWorld, children: list[Object]
    ) -> Diagnosis | None:
        """Create and update the children, then delete all others; stop at the first refusal."""
        try:
            for child in children:
                await self._ensure(world, child)
        except RefusedError as refused:
            return refused.diagnosis
        await self._delete_surplus(world, children)
        return None

    async def _ensure(self, world: World | TrainingWorld, child: Object) -> None:
        kind = KIND_BY_NAME[child["kind"]]
        live = world.child(kind, name_of(child))
        # A Job's pod template cannot be changed, nor can a RetrainJob; one that runs is let finish.
        if live and (kind in (JOB, RETRAIN_JOB, *UNWATCHED_KINDS) or matching.has(live, child)):
            return
        try:
            if live:
                written = await self._api.apply(kind, child)
            else:
                written = await self._create(world, child)
        except ApiError as error:
            if error.code in _USERS_FAULT:
                message = (
                    f"The API server refuses the {kind.name} {name_of(child)}: "
                    f"{error.message[:_MESSAGE_LIMIT].rstrip('.')}."
                )
                refusal = Diagnosis(ProgressingReason.APPLY_REFUSED, message)
                raise RefusedError(refusal) from error
            raise
        if kind not in UNWATCHED_KINDS:
            self._cache.put(kind, written)

    async def _create(self, world: World | TrainingWorld, child: Object) -> Object:
        """Creates and never takes over: what bears the name already may be somebody else's."""
        kind = KIND_BY_NAME[child["kind"]]
        try:
            return await self._api.create(kind, child)
        except ApiError as error:
            if error.code != 409:
                raise
        existing = await self._api.get(kind, world.namespace, name_of(child))
        if not is_owned_by(existing, world.uid):
            message = (
                f"There is a {kind.name} {name_of(child)} already that was not made for this "
                f"{world.kind.name}. Rename one of the two, or delete the {kind.name}."
            )
            raise RefusedError(Diagnosis(ProgressingReason.NAME_TAKEN, message))
        return existing

    async def _delete_surplus(self, world: World | TrainingWorld, wanted: list[Object]) -> None:
        names = {(child["kind"], name_of(child)) for child in wanted}
        for (kind_name, name), child in world.children.items():
            if (kind_name, name) in names or "deletionTimestamp" in child["metadata"]:
                continue
            # They never depend on a step of the rollout: where they are not wanted there is
            # nothing that serves, which a half-read status must not bring about.
            # Runs are kept as the record of what was tried.
            if kind_name in (SERVICE.name, DISRUPTION_BUDGET.name, RETRAIN_JOB.name):
                continue
            kind = KIND_BY_NAME[kind_name]
            await self._api.delete(kind, child)
            self._cache.drop(kind, child)

    async def _write_status(
        self,
        world: World | TrainingWorld,
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

    async def _post_events(self, world: World | TrainingWorld, events: list[Event]) -> None:
        """Post each event once. An event that the API server rejects is lost."""
        for event in dict.fromkeys(events):
            try:
                await self._api.post_event(world.namespace, _event_object(world, event))
            except ApiError as error:
                logger.warning("%s/%s: no event: %s", world.namespace, world.name, error)


class RefusedError(Exception):
    """A child that cannot be applied until the spec, a quota, a policy or a name changes."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(diagnosis.message)
        self.diagnosis = diagnosis


def _event_object(world: World | TrainingWorld, event: Event) -> Object:
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
