"""``perennial-operator``: runs until it is told to end, or until a part of it fails."""

import asyncio
import contextlib
import logging

import kopf
import prometheus_client
import uvloop

from . import resync, watches
from .api import Api
from .cache import Cache
from .monitoring.scraper import Reader
from .monitoring.targets import Observatory
from .monitoring.training_progress import Trainers
from .objects import Key
from .reconcile import Images, Reconciler
from .settings import Settings, parse
from .workqueue import WorkQueue

logger = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """The program."""
    settings = parse(arguments)
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # They log every event and every probe; the operator's own lines are what people look for.
    for chatty in ("kopf", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.root.level))
    if settings.metrics_port:
        prometheus_client.start_http_server(settings.metrics_port)
    uvloop.run(_run(settings))
    return 0


async def _run(settings: Settings) -> None:
    api = await Api.connect()
    cache = Cache()
    queue: WorkQueue[Key] = WorkQueue()
    observatory = Observatory()
    trainers = Trainers(queue)
    images = Images(
        settings.runtime_image,
        settings.trainer_image,
        tf=settings.trainer_tf_image,
        torch=settings.trainer_torch_image,
    )
    reconciler = Reconciler(api, cache, queue, observatory, trainers, images)
    registry = kopf.OperatorRegistry()
    where = ", ".join(settings.namespaces) or "the whole cluster"
    logger.info("Looking after %s; runtime image %s", where, settings.runtime_image)

    watching = asyncio.ensure_future(
        kopf.operator(
            registry=registry,
            settings=watches.register(registry, cache, queue),
            standalone=True,
            clusterwide=not settings.namespaces,
            namespaces=settings.namespaces,
            liveness_endpoint=f"http://0.0.0.0:{settings.health_port}/healthz",
        )
    )
    parts = [
        watching,
        asyncio.ensure_future(
            resync.run(api, cache, queue, settings.namespaces, settings.resync_seconds)
        ),
        asyncio.ensure_future(Reader(cache, queue, observatory).run()),
        asyncio.ensure_future(trainers.run()),
        *(asyncio.ensure_future(reconciler.work()) for _ in range(settings.workers)),
    ]
    # The first part that ends, ends the program: the kubelet starts it anew as a whole.
    done, pending = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*pending)
    await api.close()
    for task in done:
        task.result()
