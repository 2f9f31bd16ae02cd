"""One process: a front, the application behind it, the model, and an orderly end."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import socket
from typing import TYPE_CHECKING

from . import log, memory
from .app import App
from .banner import welcome
from .errors import LoadError
from .frontends import Frontend, Limits, create_frontend
from .frontends.listener import refuse_connections
from .load import load_service
from .metrics import Metrics
from .metrics_view import MetricsView
from .routers.router import Site
from .routers.server_state import Standing
from .settings import Settings
from .workers.single_process import SingleProcess

if TYPE_CHECKING:
    from .service import Service

QUIET_SECONDS = 0.25
"""From the last new connection until the sockets are closed: time for its request to arrive."""
MAX_CONNECTIONS = 16_384


@dataclass
class _Server:
    """What there is while a process serves."""

    settings: Settings
    process: SingleProcess
    listeners: list[socket]
    site: Site
    view: MetricsView
    app: App
    front: Frontend
    thread: threading.Thread
    events: "SimpleQueue[object]"
    """Signals (int), what came of loading (a Service or LoadError), and how the front ended."""
    service: "Service | None" = None


def serve(settings: Settings, process: SingleProcess | None = None) -> LoadError | int:
    """Serves until a signal comes; the exit code, or why the model did not load.

    ``process`` is this one, where it is not the only one.

    Raises:
        ListenError: where a port cannot be listened on.
        FrontendError: where what is to serve them is not installed.
        ValueError: where the TLS certificate or key cannot be used.
    """
    events: SimpleQueue[object] = SimpleQueue()
    process = process or SingleProcess()
    standing = Standing(settings.name)
    process.attend(events, standing.admit)
    server = _start(settings, process, standing, events)
    ports = [listener.getsockname()[1] for listener in server.listeners]
    process.live(settings.host, ports)
    _in_thread("load", lambda: _load(settings, process), events)
    event = events.get()
    if not isinstance(event, int | LoadError | BaseException) and event is not None:
        server.service = event  # type: ignore[assignment]
        _loaded(server, ports)
        event = events.get()
    if isinstance(event, LoadError):
        return event
    if not isinstance(event, int):
        raise RuntimeError("the front ended by itself") from (
            event if isinstance(event, BaseException) else None
        )
    return _drain(server, event)


def _start(
    settings: Settings, process: SingleProcess, standing: Standing, events: "SimpleQueue[object]"
) -> _Server:
    metrics = Metrics()
    view = process.view(metrics)
    site = Site(standing, view, settings.max_body_bytes)
    app = App(
        site.routes,
        site.unknown,
        metrics,
        settings.max_body_bytes,
        settings.max_in_flight,
        settings.log_requests,
    )
    listeners = process.listen(settings)
    front = create_frontend(
        settings.front,
        app,
        listeners,
        Limits(
            max_body_bytes=settings.max_body_bytes,
            max_connections=MAX_CONNECTIONS,
            pause_seconds=settings.pause_seconds,
            idle_seconds=settings.idle_seconds,
            request_seconds=settings.request_seconds or None,
            streams=site.streams,
            data_at_header=site.data_at_header,
            tls_files=settings.tls_files,
        ),
    )
    metrics.in_flight = lambda: front.in_flight
    memory.keep_small(metrics.in_flight)
    thread = _in_thread("front", front.run, events)
    return _Server(settings, process, listeners, site, view, app, front, thread, events)


def _in_thread(
    name: str, work: Callable[[], object], events: "SimpleQueue[object]"
) -> threading.Thread:
    """Runs something in a thread that does not hold up the process's end; its result is told."""

    def run() -> None:
        try:
            events.put(work())
        except BaseException as error:
            events.put(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def _load(settings: Settings, process: SingleProcess) -> "Service | LoadError":
    try:
        return load_service(settings, process.instance, process.number, process.fetched)
    except LoadError as error:
        return error


def _loaded(server: _Server, ports: list[int]) -> None:
    """From now on requests are answered with the model."""
    from .engine.engine import Engine
    from .engine.thread_pool import ThreadPool
    from .warm_up import warm_up

    settings, service = server.settings, server.service
    assert service is not None
    model, app = service.model, server.app
    engine = Engine(model, service.monitor, service.watched, app.metrics, settings.batch_max_size)
    workers = ThreadPool(
        app.process,
        model.runs_at_once,
        settings.batch_max_size if engine.batches else 1,
        lambda work: work[1].size,
        settings.batch_max_delay_microseconds * 1e-6,
        lambda: server.front.in_flight,
    )
    app.metrics.queued = lambda: workers.waiting
    service.announce(app.metrics, settings.uri)
    app.serve(engine, workers, lambda: model.seconds)
    server.site.serve(service)
    warm_up(service, server.site)
    server.process.loaded(
        model,
        {
            "model": settings.name,
            "digest": model.digest,
            "provider": model.provider,
            "threads": model.threads,
            "batches": engine.batches,
            "run_microseconds": round(model.seconds * 1e6),
            "seconds_since_start": round(_process_age(), 3),
        },
    )
    if sys.stdout.isatty() and server.process.number <= 1:
        print(welcome(settings, ports[0], model.inputs), flush=True)


def _drain(server: _Server, number: int) -> int:
    """Ends without dropping a request: the exit code, 1 if some were not answered in time.

    Not ready at once; then, while the cluster takes note, answers as before but asks each client
    to go away; then takes no new connection, and finishes what was started. A second signal
    skips the wait. What is captured is written meanwhile, and the last of it at the end.
    """
    settings, service = server.settings, server.service
    was_ready = server.site.standing.is_ready
    server.site.standing.drain()
    server.front.drain()
    log.info("draining", signal=signal.Signals(number).name)
    if service:
        service.flush()
    if was_ready and number == signal.SIGTERM:
        _wait_for_signal(server.events, settings.drain_seconds)
    for listener in server.listeners:
        refuse_connections(listener)
    time.sleep(QUIET_SECONDS)
    server.site.standing.end()
    server.front.close()
    for listener in server.listeners:
        listener.close()
    deadline = time.monotonic() + settings.grace_seconds
    server.thread.join(settings.grace_seconds)
    unanswered = server.front.in_flight if server.thread.is_alive() else 0
    if unanswered:
        log.warning("the grace period is over", unanswered=unanswered)
    if service:
        service.close(deadline - time.monotonic())
    server.view.close()
    log.info("stopped")
    return 1 if unanswered else 0


def _wait_for_signal(events: "SimpleQueue[object]", seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            if isinstance(events.get(timeout=left), int):
                return
        except Empty:
            return


def _process_age() -> float:
    """Seconds since this process was started, imports and all."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):
        return time.process_time()
