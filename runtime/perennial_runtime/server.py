"""One serving process: frontend, application and model, from start to shutdown.

:func:`serve` listens first, so that probes get an answer at once, and loads the model in a thread.
The main thread waits for events: the model is loaded, a signal arrives, or the frontend fails.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from socket import socket
from typing import TYPE_CHECKING

from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.uris import without_secrets

from . import log, memory
from .app import App
from .banner import startup_banner
from .errors import LoadError
from .events import Events, FrontendEnded, LoadFailed, ModelLoaded, SignalReceived
from .frontends import Frontend, Limits, create_frontend
from .frontends.listener import refuse_connections
from .load import load_service
from .metrics import Metrics
from .metrics_view import MetricsView
from .routers.router import Router
from .routers.server_state import ServerState
from .settings import RuntimeSettings
from .workers.single_process import SingleProcess

if TYPE_CHECKING:
    from .service import Service

QUIET_SECONDS = 0.25
"""Time between the last new connection and the close of the sockets, for its request to arrive."""
MAX_CONNECTIONS = 16_384


@dataclass
class _Server:
    """The parts of a running server."""

    settings: RuntimeSettings
    process: SingleProcess
    listeners: list[socket]
    router: Router
    metrics_view: MetricsView
    app: App
    frontend: Frontend
    frontend_thread: threading.Thread
    events: Events
    service: "Service | None" = None


def serve(settings: RuntimeSettings, process: SingleProcess | None = None) -> LoadError | int:
    """Serve until a signal arrives.

    Args:
        settings: settings of ``perennial-runtime serve``.
        process: this process, if it is one of several workers.

    Returns:
        The exit code, or the error if the model does not load.

    Raises:
        ListenError: if a port cannot be listened on.
        FrontendError: if the frontend is not installed.
        ValueError: if the TLS certificate or its key is invalid.
    """
    events: Events = Events()
    process = process or SingleProcess()
    state = ServerState(settings.name)
    process.connect(events, state.admit)
    server = _start(settings, process, state, events)
    ports = [listener.getsockname()[1] for listener in server.listeners]
    process.report_live(settings.host, ports)
    _start_thread("load", _load, settings, process, events)
    while True:
        match events.get():
            case LoadFailed(error):
                return error
            case ModelLoaded(service):
                server.service = service
                _serve_model(server, service, ports)
            case SignalReceived(number):
                return _drain(server, number)
            case FrontendEnded(cause):
                raise RuntimeError("the frontend stopped unexpectedly") from cause


def _start(
    settings: RuntimeSettings, process: SingleProcess, state: ServerState, events: Events
) -> _Server:
    metrics = Metrics()
    view = process.metrics_view(metrics)
    router = Router(state, view, settings.max_body_bytes)
    app = App(
        router.routes,
        router.not_found,
        metrics,
        settings.max_body_bytes,
        settings.max_in_flight,
        settings.log_requests,
    )
    listeners = process.listen(settings)
    frontend = create_frontend(
        settings.front,
        app,
        listeners,
        Limits(
            max_body_bytes=settings.max_body_bytes,
            max_connections=MAX_CONNECTIONS,
            pause_seconds=settings.pause_seconds,
            idle_seconds=settings.idle_seconds,
            request_seconds=settings.request_seconds or None,
            streams=router.streams,
            data_at_header=router.data_at_header,
            tls_files=settings.tls_files,
        ),
    )
    metrics.in_flight = lambda: frontend.in_flight
    memory.return_free_memory(metrics.in_flight)
    thread = _start_thread("front", _run_frontend, frontend, events)
    return _Server(settings, process, listeners, router, view, app, frontend, thread, events)


def _start_thread(name: str, target: Callable[..., None], *arguments: object) -> threading.Thread:
    """Start a thread that does not delay the end of the process."""
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    thread.start()
    return thread


def _run_frontend(frontend: Frontend, events: Events) -> None:
    try:
        frontend.run()
    except BaseException as error:
        events.put(FrontendEnded(error))
    else:
        events.put(FrontendEnded())


def _load(settings: RuntimeSettings, process: SingleProcess, events: Events) -> None:
    try:
        service = load_service(settings, process.instance, process.number, process.report_fetched)
    except LoadError as error:
        events.put(LoadFailed(error))
    except BaseException as error:
        # Without an event, the process would stay live and never become ready.
        uri = without_secrets(settings.uri)
        problem = f"{uri}: {type(error).__name__}: {error}"
        events.put(LoadFailed(LoadError(LoadFailure.INTERNAL_ERROR, problem)))
    else:
        events.put(ModelLoaded(service))


def _serve_model(server: _Server, service: "Service", ports: list[int]) -> None:
    """Connect the loaded model to the application, warm it up, and report it."""
    from .engine.engine import Engine
    from .engine.thread_pool import ThreadPool
    from .warm_up import warm_up

    settings, model, app = server.settings, service.model, server.app
    engine = Engine(model, service.monitor, service.watched, app.metrics, settings.batch_max_size)
    threads = ThreadPool(
        app.process,
        model.runs_at_once,
        settings.batch_max_size if engine.batches else 1,
        lambda work: work[1].size,
        settings.batch_max_delay_microseconds * 1e-6,
        lambda: server.frontend.in_flight,
    )
    app.metrics.queued = lambda: threads.waiting
    service.announce(app.metrics, settings.uri)
    app.serve(engine, threads, lambda: model.seconds)
    server.router.serve(service)
    warm_up(service, server.router)
    server.process.report_loaded(
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
        print(startup_banner(settings, ports[0], model.inputs), flush=True)


def _drain(server: _Server, number: int) -> int:
    """Shut down without dropping a request.

    1. The server becomes unready at once. After SIGTERM it continues to serve for
       ``--drain-seconds``, while Kubernetes removes it from the endpoints, and asks each client to
       reconnect elsewhere. A second signal ends this wait.
    2. It accepts no more connections, and finishes the requests in flight within
       ``--grace-seconds``.
    3. It writes the captured rows that still wait.

    Returns:
        The exit code: 1 if requests were not answered in time.
    """
    settings, service = server.settings, server.service
    was_ready = server.router.state.is_ready
    server.router.state.drain()
    server.frontend.drain()
    log.info("draining", signal=signal.Signals(number).name)
    if service:
        service.flush()
    if was_ready and number == signal.SIGTERM:
        _wait_for_signal(server.events, settings.drain_seconds)
    for listener in server.listeners:
        refuse_connections(listener)
    time.sleep(QUIET_SECONDS)
    server.router.state.end()
    server.frontend.close()
    for listener in server.listeners:
        listener.close()
    deadline = time.monotonic() + settings.grace_seconds
    server.frontend_thread.join(settings.grace_seconds)
    unanswered = server.frontend.in_flight if server.frontend_thread.is_alive() else 0
    if unanswered:
        log.warning("the grace period is over", unanswered=unanswered)
    if service:
        service.close(deadline - time.monotonic())
    server.metrics_view.close()
    log.info("stopped")
    return 1 if unanswered else 0


def _wait_for_signal(events: Events, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (remaining := deadline - time.monotonic()) > 0:
        try:
            if isinstance(events.get(timeout=remaining), SignalReceived):
                return
        except Empty:
            return


def _process_age() -> float:
    """Return the seconds since this process was started, with its imports."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):
        return time.process_time()
