"""One process: Granian in front, the model behind it, and an orderly end."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.embed import Server

from . import log
from .errors import LoadError
from .http import App
from .listener import listen, refuse_connections
from .load import load_service
from .settings import Settings
from .welcome import welcome

if TYPE_CHECKING:
    from .service import Service

QUIET_SECONDS = 0.25
"""From the last new connection until the socket is closed: time for its request to arrive."""


class _Front(Server):
    """Granian on a socket that is opened here: for port 0, clear errors, and its closing."""

    def __init__(self, app: App, listener: socket.socket) -> None:
        super().__init__(app, log_enabled=False, http=HTTPModes.http1, websockets=False)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder  # its constructor is missing from the stubs
        self._shd = holder(os.dup(self._listener.fileno()), False, 1024)


async def serve(settings: Settings) -> LoadError | int:
    """Serves until a signal comes; the exit code, or why the model did not load."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()
    hurry = asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.done():
            hurry.set()
        else:
            stop.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)

    listener = listen(settings.host, settings.http_port)
    app = App(settings.name, settings.uri, settings.max_body_bytes)
    front = _Front(app, listener)
    serving = asyncio.ensure_future(front.serve())
    log.info("live", host=settings.host, port=listener.getsockname()[1])

    loading = _in_thread(loop, settings)
    service: Service | None = None
    await asyncio.wait((stop, loading, serving), return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        outcome = loading.result()
        if isinstance(outcome, LoadError):
            front.stop()  # type: ignore[no-untyped-call]
            await serving
            return outcome
        service = outcome
        model = service.model
        app.serve(service)
        log.info(
            "ready",
            model=settings.name,
            digest=model.digest,
            provider=model.provider,
            threads=model.threads,
            run_microseconds=round(model.seconds * 1e6),
            seconds_since_start=round(_process_age(), 3),
        )
        if sys.stdout.isatty():
            print(welcome(settings, listener.getsockname()[1], model.inputs), flush=True)
        await asyncio.wait((stop, serving), return_when=asyncio.FIRST_COMPLETED)
    if not stop.done():
        raise RuntimeError("the HTTP server ended by itself")
    return await _drain(app, service, front, listener, serving, settings, stop.result(), hurry)


async def _drain(
    app: App,
    service: "Service | None",
    front: _Front,
    listener: socket.socket,
    serving: "asyncio.Future[None]",
    settings: Settings,
    number: int,
    hurry: asyncio.Event,
) -> int:
    """Ends without dropping a request: the exit code, 1 if some were not answered in time.

    Not ready at once; then, while the cluster takes note, answers as before but asks each client
    to go away; then takes no new connection, and finishes what was started. A second signal
    skips the wait. What is captured is written meanwhile, and the last of it at the end.
    """
    was_ready = app.ready
    app.drain()
    log.info("draining", signal=signal.Signals(number).name)
    if service:
        service.flush()
    if was_ready and number == signal.SIGTERM:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), settings.drain_seconds)
    if refuse_connections(listener):
        await asyncio.sleep(QUIET_SECONDS)
    listener.close()
    front.stop()  # type: ignore[no-untyped-call]
    deadline = time.monotonic() + settings.grace_seconds
    unanswered = 0
    try:
        await asyncio.wait_for(serving, settings.grace_seconds)
    except TimeoutError:
        unanswered = app.in_flight
        log.warning("the grace period is over", unanswered=unanswered)
    if service:
        await asyncio.to_thread(service.close, deadline - time.monotonic())
    log.info("stopped")
    return 1 if unanswered else 0


def _in_thread(loop: asyncio.AbstractEventLoop, settings: Settings) -> "asyncio.Future[Any]":
    """Loads in a thread that does not hold up the process's end; the Service, or LoadError."""
    result: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any) -> None:
        if not result.done():
            result.set_result(value)

    def work() -> None:
        value: Any
        try:
            value = load_service(settings)
        except LoadError as error:
            value = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, value)

    threading.Thread(target=work, name="load", daemon=True).start()
    return result


def _process_age() -> float:
    """Seconds since this process was started, imports and all."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):
        return time.process_time()
