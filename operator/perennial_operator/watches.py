"""Turn events of kopf's watches into changes of the cache and keys in the queue.

kopf calls its index functions for every object that it lists before it calls any event handler. So
the cache is complete before the first key is queued, and no decision reads a partial world.
"""

from typing import Any

import kopf

from .cache import ObjectCache
from .names import MODEL_LABEL
from .objects import CHILD_KINDS, POD, RESOURCE_KINDS, Key, Kind
from .workqueue import WorkQueue

WATCHED = (*RESOURCE_KINDS, *CHILD_KINDS, POD)


def register(
    registry: kopf.OperatorRegistry, cache: ObjectCache, queue: WorkQueue[Key]
) -> kopf.OperatorSettings:
    """Register a watch for each kind, and return the settings of kopf."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    # To watch CRDs and namespaces needs rights that nothing else here needs.
    settings.scanning.disabled = True
    settings.watching.chunk_size = 500
    for kind in WATCHED:
        _watch(registry, settings, kind, cache, queue)

    kopf.on.login(registry=registry)(_login)
    return settings


def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)


def _watch(
    registry: kopf.OperatorRegistry,
    settings: kopf.OperatorSettings,
    kind: Kind,
    cache: ObjectCache,
    queue: WorkQueue[Key],
) -> None:
    selector = (kind.group, kind.version, kind.plural)
    if kind not in RESOURCE_KINDS:
        settings.watching.label_selectors[selector] = MODEL_LABEL

    # The registry identifies index functions by their id. Their results are not used.
    @kopf.index(*selector, registry=registry, id=f"remember-{kind.plural}")
    async def remember(body: kopf.Body, **_: Any) -> None:
        cache.put(kind, dict(body))

    @kopf.on.event(*selector, registry=registry, id=f"notice-{kind.plural}")
    async def notice(event: kopf.RawEvent, **_: Any) -> None:
        obj: Any = event["object"]
        if event["type"] == "DELETED":
            cache.drop(kind, obj)
        for key in cache.affected(kind, obj):
            queue.add(key)
