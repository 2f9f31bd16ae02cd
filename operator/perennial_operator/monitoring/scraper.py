"""Read the counters of pods over HTTP, when they are due."""

import asyncio
import logging
from datetime import UTC, datetime
from functools import partial

import aiohttp
from pydantic import ValidationError

from perennial_contracts.wire.counters import Counters
from perennial_contracts.wire.names import HTTP_PORT
from perennial_contracts.wire.profile import Profile

from .. import metrics
from ..cache import ObjectCache
from ..names import OWNER_ANNOTATION, REVISION_LABEL
from ..objects import POD, Key, Object, annotations_of, labels_of
from ..pods import container_statuses
from ..workqueue import WorkQueue
from .targets import Target, Targets

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0
IDLE_SECONDS = 0.5
CONCURRENCY = 32
"""Models that are read at the same time."""


class Scraper:
    """Reads the targets that are due, and queues each model that was read."""

    def __init__(self, cache: ObjectCache, queue: WorkQueue[Key], targets: Targets) -> None:
        self._cache = cache
        self._queue = queue
        self._targets = targets
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def run(self) -> None:
        """Read until cancelled."""
        loop = asyncio.get_running_loop()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            asyncio.TaskGroup() as readings,
        ):
            busy: set[Key] = set()
            while True:
                for key, target in self._targets.due(loop.time()):
                    if key not in busy:  # a slow pod is not read twice at a time
                        busy.add(key)
                        task = readings.create_task(self._read(session, key, target))
                        task.add_done_callback(partial(_done, busy, key))
                due = self._targets.next_due()
                pause = IDLE_SECONDS if due is None else due - loop.time()
                await asyncio.sleep(min(max(pause, 0.01), IDLE_SECONDS))

    async def _read(self, session: aiohttp.ClientSession, key: Key, target: Target) -> None:
        async with self._slots:
            readings: list[Counters] = []
            problem = ""
            for pod in self._pods(key, target):
                url = (
                    f"http://{host_of(pod['status']['podIP'])}:{HTTP_PORT}/v2/models/{target.name}"
                )
                try:
                    body = await _get(session, f"{url}/counters")
                    if body is None:
                        problem = (
                            f"pod {pod['metadata']['name']} has no counters, because its runtime "
                            "is too old. Set a newer runtime image in spec.serving.image"
                        )
                        continue
                    if not body:
                        continue
                    readings.append(Counters.model_validate_json(body))
                    await self._learn_profile(session, key, target, url)
                except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
                    metrics.READING_ERRORS.inc()
                    cause = str(error) or type(error).__name__
                    problem = f"cannot read pod {pod['metadata']['name']}: {cause[:200]}"
            if problem:
                logger.info("%s: %s", key, problem)
            now = datetime.now(UTC)
            if self._targets.record(key, target, readings, problem, now):
                self._queue.add(key)

    async def _learn_profile(
        self, session: aiohttp.ClientSession, key: Key, target: Target, url: str
    ) -> None:
        seen = self._targets.of(key)
        if not seen or seen.digest != target.digest or seen.has_profile is not None:
            return
        body = await _get(session, f"{url}/profile")
        profile = Profile.model_validate_json(body) if body else None
        self._targets.set_profile(key, target.digest, profile)

    def _pods(self, key: Key, target: Target) -> list[Object]:
        """Return the running pods of the revision. Pods that drain have counted, too."""
        return [
            pod
            for kind, pod in self._cache.about(key.namespace, key.name)
            if kind == POD.name
            and annotations_of(pod).get(OWNER_ANNOTATION) == key.name
            and labels_of(pod).get(REVISION_LABEL) == target.revision
            and pod.get("status", {}).get("podIP")
            and any(
                "running" in status.get("state", {})
                for status in container_statuses(pod, init=False)
            )
        ]


def _done(busy: set[Key], key: Key, _: object) -> None:
    busy.discard(key)


async def _get(session: aiohttp.ClientSession, url: str) -> bytes | None:
    """Return the body; None for status 404, no bytes while the pod loads its model."""
    # A redirect would send the operator to any address that the pod's image names.
    async with session.get(url, allow_redirects=False) as response:
        if response.status == 404:
            return None
        if response.status == 503:
            return b""
        response.raise_for_status()
        if response.status != 200:
            raise aiohttp.ClientError(f"expected status 200, got {response.status}")
        return await response.read()


def host_of(address: str) -> str:
    """Return an IP address in the form that a URL needs."""
    return f"[{address}]" if ":" in address else address
