"""``reconcile(key)``: gather, decide, apply. The only place where the operator changes anything."""

import logging
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from perennial_contracts.modeldeployment import ModelDeploymentStatus, ProgressingReason

from . import matching, metrics
from .api import FIELD_MANAGER, Api, ApiError
from .cache import Cache
from .clock import to_text
from .decisions.diagnosis import Diagnosis
from .decisions.status import Event, events
from .gather import gather
from .objects import (
    DISRUPTION_BUDGET,
    JOB,
    KIND_BY_NAME,
    MODEL_DEPLOYMENT,
    SERVICE,
    Key,
    Object,
    is_owned_by,
    name_of,
)
from .plan import decide
from .workqueue import WorkQueue
from .world import World

logger = logging.getLogger(__name__)

_MESSAGE_LIMIT = 600
"""Characters of an answer of the API server; it may repeat a whole pod template."""
_USERS_FAULT = frozenset({400, 403, 422})
"""Codes of refusals that only a change of the spec, a quota or a policy can mend."""


class Reconciler:
    """Brings the cluster to what each ModelDeployment asks for."""

    def __init__(self, api: Api, cache: Cache, queue: WorkQueue[Key], default_image: str) -> None:
        self._api = api
        self._cache = cache
        self._queue = queue
        self._default_image = default_image

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
            except _RefusalError as error:
                delay = self._queue.add_failed(key)
                logger.warning("%s/%s: %s Next try in %.1f s", *key, error, delay)
            except ApiError as error:
                # Somebody else was faster: the resource went, or a later version of it came.
                delay = self._queue.add_failed(key)
                logger.info("%s/%s: %s; next try in %.1f s", *key, error, delay)
            except Exception:
                metrics.RECONCILE_ERRORS.labels(MODEL_DEPLOYMENT.name).inc()
                delay = self._queue.add_failed(key)
                logger.exception("%s/%s failed; next try in %.1f s", *key, delay)
            finally:
                self._queue.done(key)
                elapsed = time.perf_counter() - started
                metrics.RECONCILE_SECONDS.labels(MODEL_DEPLOYMENT.name).observe(elapsed)

    async def reconcile(self, key: Key) -> float | None:
        """Does what is to be done for one key; returns the seconds until it wants another look.

        Raises what the API server says no with, after a refusal has been told in the status.
        """
        world = gather(self._cache, key)
        if world is None:
            return None
        now = datetime.now(UTC)
        plan = decide(world, self._default_image, now)
        try:
            for child in plan.children:
                await self._ensure(world, child)
        except _RefusalError as refused:
            plan = decide(world, self._default_image, now, refused.diagnosis)
            await self._report(world, _as_before(plan.status, world.status))
            raise
        await self._delete_surplus(world, plan.children)
        await self._report(world, plan.status)
        return plan.look_again

    async def _ensure(self, world: World, child: Object) -> None:
        kind = KIND_BY_NAME[child["kind"]]
        live = world.child(kind, name_of(child))
        # A Job's pod template cannot be changed; one that runs already is let finish.
        if live and (kind is JOB or matching.has(live, child)):
            return
        try:
            if live:
                written = await self._api.apply(kind, child)
            else:
                written = await self._create(world, child)
        except ApiError as error:
            if error.code in _USERS_FAULT:
                raise _RefusalError(
                    ProgressingReason.APPLY_REFUSED,
                    f"The API server refuses the {kind.name} {name_of(child)}: "
                    f"{error.message[:_MESSAGE_LIMIT].rstrip('.')}.",
                ) from error
            raise
        self._cache.put(kind, written)

    async def _create(self, world: World, child: Object) -> Object:
        """Creates and never takes over: what bears the name already may be somebody else's."""
        kind = KIND_BY_NAME[child["kind"]]
        try:
            return await self._api.create(kind, child)
        except ApiError as error:
            if error.code != 409:
                raise
        existing = await self._api.get(kind, world.namespace, name_of(child))
        if not is_owned_by(existing, world.uid):
            raise _RefusalError(
                ProgressingReason.NAME_TAKEN,
                f"There is a {kind.name} {name_of(child)} already that was not made for this "
                f"{MODEL_DEPLOYMENT.name}. Rename one of the two, or delete the {kind.name}.",
            )
        return existing

    async def _delete_surplus(self, world: World, wanted: list[Object]) -> None:
        names = {(child["kind"], name_of(child)) for child in wanted}
        for (kind_name, name), child in world.children.items():
            if (kind_name, name) in names or "deletionTimestamp" in child["metadata"]:
                continue
            # They never depend on a step of the rollout: where they are not wanted there is
            # nothing that serves, which a half-read status must not bring about.
            if kind_name in (SERVICE.name, DISRUPTION_BUDGET.name):
                continue
            kind = KIND_BY_NAME[kind_name]
            await self._api.delete(kind, child)
            self._cache.drop(kind, child)

    async def _report(self, world: World, status: ModelDeploymentStatus) -> None:
        """Writes the status where it changed, and tells the transitions as events."""
        if status == world.status:
            return
        written = await self._api.apply(
            MODEL_DEPLOYMENT,
            {
                "apiVersion": MODEL_DEPLOYMENT.api_version,
                "kind": MODEL_DEPLOYMENT.name,
                "metadata": {"name": world.name, "namespace": world.namespace, "uid": world.uid},
                "status": status.model_dump(exclude_none=True),
            },
            subresource="status",
        )
        self._cache.put(MODEL_DEPLOYMENT, written)
        for event in events(world.status, status):
            try:
                await self._api.post_event(world.namespace, _event_object(world, event))
            except ApiError as error:
                logger.warning("%s/%s: no event: %s", world.namespace, world.name, error)


class _RefusalError(Exception):
    """The API server, or a name that is taken, stands against the plan."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.diagnosis = Diagnosis(reason, message)


def _as_before(
    status: ModelDeploymentStatus, before: ModelDeploymentStatus
) -> ModelDeploymentStatus:
    """The new conditions over the old revisions: a plan that was refused has changed nothing."""
    kept: dict[str, Any] = {
        field: getattr(before, field) for field in ("stable", "candidate", "previous", "url")
    }
    return status.model_copy(update=kept)


def _event_object(world: World, event: Event) -> Object:
    moment = to_text(datetime.now(UTC))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{world.name[:200]}.{secrets.token_hex(8)}",
            "namespace": world.namespace,
        },
        "involvedObject": {
            "apiVersion": MODEL_DEPLOYMENT.api_version,
            "kind": MODEL_DEPLOYMENT.name,
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
