"""Reads the counters of pods, over HTTP, when they are due."""

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
from ..cache import Cache
from ..names import OWNER_ANNOTATION, REVISION_LABEL
from ..objects import POD, Key, Object, annotations_of, labels_of
from ..workqueue import WorkQueue
from .targets import Observatory, Target

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0
IDLE_SECONDS = 0.5
AT_ONCE = 32
"""Models that are read side by side."""


class Reader:
    """Reads what the observatory says is due, and queues each model that has news."""

    def __init__(self, cache: Cache, queue: WorkQueue[Key], observatory: Observatory) -> None:
        self._cache = cache
        self._queue = queue
        self._observatory = observatory
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Reads until it is cancelled."""
        loop = asyncio.get_running_loop()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            asyncio.TaskGroup() as readings,
        ):
            busy: set[Key] = set()
            while True:
                for key, target in self._observatory.due(loop.time()):
                    if key not in busy:  # a slow pod is not asked twice at a time
                        busy.add(key)
                        task = readings.create_task(self._read(session, key, target))
                        task.add_done_callback(partial(_done, busy, key))
                due = self._observatory.next_due()
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
                        problem = f"pod {pod['metadata']['name']} has no counters: an older runtime"
                        continue
                    if not body:
                        continue
                    readings.append(Counters.model_validate_json(body))
                    await self._learn_profile(session, key, target, url)
                except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
                    metrics.READING_ERRORS.inc()
                    said = str(error) or type(error).__name__
                    problem = f"pod {pod['metadata']['name']} cannot be read: {said[:200]}"
            if problem:
                logger.info("%s: %s", key, problem)
            now = datetime.now(UTC)
            if self._observatory.record(key, target, readings, problem, now):
                self._queue.add(key)

    async def _learn_profile(
        self, session: aiohttp.ClientSession, key: Key, target: Target, url: str
    ) -> None:
        known = self._observatory.of(key)
        if not known or known.digest != target.digest or known.has_profile is not None:
            return
        body = await _get(session, f"{url}/profile")
        profile = Profile.model_validate_json(body) if body else None
        self._observatory.know_profile(key, target.digest, profile)

    def _pods(self, key: Key, target: Target) -> list[Object]:
        """The running pods of the revision, also those that drain: they have counted, too."""
        return [
            pod
            for kind, pod in self._cache.about(key.namespace, key.name)
            if kind == POD.name
            and annotations_of(pod).get(OWNER_ANNOTATION) == key.name
            and labels_of(pod).get(REVISION_LABEL) == target.revision
            and pod.get("status", {}).get("podIP")
            and any(
                "running" in status.get("state", {})
                for status in pod["status"].get("containerStatuses") or ()
            )
        ]


def _done(busy: set[Key], key: Key, _: object) -> None:
    busy.discard(key)


async def _get(session: aiohttp.ClientSession, url: str) -> bytes | None:
    """The body; None for 404, and nothing while the pod's model is being loaded."""
    # A redirect would make the operator ask whomever the pod's image names.
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
    """An IP address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address
