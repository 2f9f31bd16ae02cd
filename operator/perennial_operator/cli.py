"""Run ``perennial-operator`` until it is stopped or a part of it fails."""

import asyncio
import contextlib
import logging

import kopf
import prometheus_client
import uvloop

from . import resync, watches
from .api import Api
from .cache import ObjectCache
from .images import Images
from .monitoring.scraper import Scraper
from .monitoring.targets import Targets
from .monitoring.training_progress import ProgressPoller
from .objects import Key
from .reconcile import Reconciler
from .settings import OperatorSettings, parse
from .workqueue import WorkQueue

logger = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the operator and return its exit code."""
    settings = parse(arguments)
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # They log every event and every probe, and would bury the lines of the operator.
    for verbose in ("kopf", "aiohttp.access"):
        logging.getLogger(verbose).setLevel(max(logging.WARNING, logging.root.level))
    if settings.metrics_port:
        prometheus_client.start_http_server(settings.metrics_port)
    uvloop.run(_run(settings))
    return 0


async def _run(settings: OperatorSettings) -> None:
    api = await Api.connect()
    cache = ObjectCache()
    queue: WorkQueue[Key] = WorkQueue()
    targets = Targets()
    poller = ProgressPoller(queue)
    images = Images(
        runtime=settings.runtime_image,
        trainer=settings.trainer_image,
        tf=settings.trainer_tf_image,
        torch=settings.trainer_torch_image,
    )
    reconciler = Reconciler(api, cache, queue, targets, poller, images)
    registry = kopf.OperatorRegistry()
    scope = ", ".join(settings.namespaces) or "the whole cluster"
    logger.info("Managing %s with runtime image %s", scope, settings.runtime_image)

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
        asyncio.ensure_future(Scraper(cache, queue, targets).run()),
        asyncio.ensure_future(poller.run()),
        *(asyncio.ensure_future(reconciler.work()) for _ in range(settings.workers)),
    ]
    # If one part ends, the program ends, and the kubelet restarts it as a whole.
    done, pending = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*pending)
    await api.close()
    for task in done:
        task.result()
