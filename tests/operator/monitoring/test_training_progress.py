"""Progress is read over real HTTP from the responses of a trainer."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

from aiohttp import web

from perennial_contracts.wire.run_plan import PROGRESS_PATH, Best, Progress
from perennial_operator.monitoring import training_progress
from perennial_operator.monitoring.training_progress import LARGEST_RESPONSE, ProgressPoller
from perennial_operator.objects import RETRAIN_JOB, Key
from perennial_operator.workqueue import WorkQueue

KEY = Key("default", "delays-1", RETRAIN_JOB.name)


BEST = Best(kind="Logistic", metric="roc_auc", value=0.7)


def progress(done: int) -> Progress:
    return Progress(phase="Searching", trialsDone=done, trialsTotal=10, best=BEST)


def queued(
    answer: Callable[[int], web.StreamResponse], monkeypatch: Any, count: int
) -> tuple[list[Progress | None], int]:
    """Return the progress each time the run was queued, and the number of requests.

    Args:
        answer: returns the response to a request by number.
        monkeypatch: the fixture.
        count: the number of requests after which the test ends.
    """
    requests = 0
    enough = asyncio.Event()

    async def serve(_: web.Request) -> web.StreamResponse:
        nonlocal requests
        requests += 1
        if requests > count:
            enough.set()
        return answer(min(requests, count))

    async def scenario() -> list[Progress | None]:
        app = web.Application()
        app.router.add_get(PROGRESS_PATH, serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        monkeypatch.setattr(training_progress, "PROGRESS_PORT", runner.addresses[0][1])
        monkeypatch.setattr(training_progress, "INTERVAL_SECONDS", 0.01)
        queue = WorkQueue[Key]()
        poller = ProgressPoller(queue)
        poller.watch(KEY, "127.0.0.1")
        reports: list[Progress | None] = []

        async def look() -> None:
            while True:
                key = await queue.get()
                reports.append(poller.progress_of(key))
                queue.done(key)

        tasks = [asyncio.ensure_future(poller.run()), asyncio.ensure_future(look())]
        try:
            await asyncio.wait_for(enough.wait(), 20)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await runner.cleanup()
        return reports

    return asyncio.run(scenario()), requests


def body(progress: Progress) -> web.Response:
    return web.Response(body=progress.model_dump_json().encode())


def test_a_run_is_queued_only_when_its_progress_has_changed(
    monkeypatch: Any,
) -> None:
    reports, requests = queued(lambda number: body(progress(number // 3)), monkeypatch, 7)
    assert reports == [progress(0), progress(1), progress(2)]
    assert requests > 7


def test_an_invalid_response_changes_nothing(monkeypatch: Any) -> None:
    answers: list[Callable[[], web.StreamResponse]] = [
        lambda: web.Response(status=404),
        lambda: web.Response(body=b"{"),
        lambda: web.Response(body=b'{"phase": "x", "trialsDone": "many"}'),
        lambda: web.Response(
            body=b" " * (LARGEST_RESPONSE + 1) + progress(9).model_dump_json().encode()
        ),
        lambda: web.HTTPFound(PROGRESS_PATH),
        lambda: web.Response(
            body=gzip.compress(progress(9).model_dump_json().encode()),
            headers={"Content-Encoding": "gzip"},
        ),
        lambda: body(progress(1)),
    ]
    reports, _ = queued(lambda number: answers[number - 1](), monkeypatch, len(answers))
    assert reports == [progress(1)]


def test_the_progress_of_another_pod_is_dropped() -> None:
    poller = ProgressPoller(WorkQueue[Key]())
    poller.watch(KEY, "127.0.0.1")
    poller._progress[KEY] = progress(5)
    poller.watch(KEY, "127.0.0.1")
    assert poller.progress_of(KEY) == progress(5)
    poller.watch(KEY, "127.0.0.2")
    assert poller.progress_of(KEY) is None
