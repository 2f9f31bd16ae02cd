"""kopf brings the news; here it becomes a change of the cache and a key in the queue.

kopf runs its index functions for every object that it lists before it calls any event handler, so
the cache is whole before the first key is queued: no decision sees a half-read world.
"""

from typing import Any

import kopf

from .cache import Cache
from .names import MODEL_LABEL
from .objects import CHILD_KINDS, POD, RESOURCE_KINDS, Key, Kind
from .workqueue import WorkQueue

WATCHED = (*RESOURCE_KINDS, *CHILD_KINDS, POD)


def register(
    registry: kopf.OperatorRegistry, cache: Cache, queue: WorkQueue[Key]
) -> kopf.OperatorSettings:
    """Registers a watch per kind; returns the settings that go with them."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    # No watch on CRDs and namespaces: it would need rights that nothing else here needs.
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
    cache: Cache,
    queue: WorkQueue[Key],
) -> None:
    selector = (kind.group, kind.version, kind.plural)
    if kind not in RESOURCE_KINDS:
        settings.watching.label_selectors[selector] = MODEL_LABEL

    # The registry tells index functions apart by their id; their own result is not used.
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
