"""Compare the cache with the API server to find changes that a watch has missed.

After a long interruption a watch starts over with a list, which does not contain the objects that
were deleted in between.
"""

import asyncio
import logging

from .api import Api, ApiError
from .cache import ObjectCache
from .names import MODEL_LABEL
from .objects import RESOURCE_KINDS, Key, Kind
from .watches import WATCHED
from .workqueue import WorkQueue

logger = logging.getLogger(__name__)


async def run(
    api: Api,
    cache: ObjectCache,
    queue: WorkQueue[Key],
    namespaces: tuple[str, ...],
    seconds: float,
) -> None:
    """Compare each kind with the API server at regular intervals, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        for kind in WATCHED:
            for namespace in namespaces or (None,):
                try:
                    await _compare(api, cache, queue, kind, namespace)
                except ApiError as error:
                    logger.warning(
                        "Cannot compare the cached %s with the API server: %s", kind.plural, error
                    )


async def _compare(
    api: Api, cache: ObjectCache, queue: WorkQueue[Key], kind: Kind, namespace: str | None
) -> None:
    held = [
        obj
        for obj in cache.all_of(kind)
        if namespace is None or obj["metadata"]["namespace"] == namespace
    ]
    selector = "" if kind in RESOURCE_KINDS else MODEL_LABEL
    live = await api.list(kind, namespace, selector)
    uids = {obj["metadata"]["uid"] for obj in live}
    for obj in held:
        if obj["metadata"]["uid"] not in uids:
            logger.info(
                "%s %s was deleted, and no watch event reported it",
                kind.name,
                obj["metadata"]["name"],
            )
            cache.drop(kind, obj)
            for key in cache.affected(kind, obj):
                queue.add(key)
    for obj in live:
        cache.put(kind, obj)
        if kind in RESOURCE_KINDS:
            queue.add(Key(obj["metadata"]["namespace"], obj["metadata"]["name"], kind.name))
