"""Progress is read over real HTTP, from what a trainer answers."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

from aiohttp import web

from perennial_contracts.wire.run_plan import PROGRESS_PATH, Best, Progress
from perennial_operator.monitoring import training_progress as trainers
from perennial_operator.monitoring.training_progress import LARGEST_RESPONSE, ProgressPoller
from perennial_operator.objects import RETRAIN_JOB, Key
from perennial_operator.workqueue import WorkQueue

KEY = Key("default", "delays-1", RETRAIN_JOB.name)
BEST = Best(kind="Logistic", metric="roc_auc", value=0.7)


def progress(done: int) -> Progress:
    return Progress(phase="Searching", trialsDone=done, trialsTotal=10, best=BEST)


def heard(
    answer: Callable[[int], web.StreamResponse], monkeypatch: Any, asked: int
) -> tuple[list[Progress | None], int]:
    """What was known of the run each time that it was queued, and how often it was asked.

    ``answer`` gets the number of the request; after ``asked`` of them it is over.
    """
    requests = 0
    enough = asyncio.Event()

    async def serve(_: web.Request) -> web.StreamResponse:
        nonlocal requests
        requests += 1
        if requests > asked:
            enough.set()
        return answer(min(requests, asked))

    async def scenario() -> list[Progress | None]:
        app = web.Application()
        app.router.add_get(PROGRESS_PATH, serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        monkeypatch.setattr(trainers, "PROGRESS_PORT", runner.addresses[0][1])
        monkeypatch.setattr(trainers, "INTERVAL_SECONDS", 0.01)
        queue = WorkQueue[Key]()
        asking = ProgressPoller(queue)
        asking.watch(KEY, "127.0.0.1")
        known: list[Progress | None] = []

        async def look() -> None:
            while True:
                key = await queue.get()
                known.append(asking.progress_of(key))
                queue.done(key)

        tasks = [asyncio.ensure_future(asking.run()), asyncio.ensure_future(look())]
        try:
            await asyncio.wait_for(enough.wait(), 20)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await runner.cleanup()
        return known

    return asyncio.run(scenario()), requests


def body(said: Progress) -> web.Response:
    return web.Response(body=said.model_dump_json().encode())


def test_a_run_is_queued_when_its_trainer_says_something_new_and_only_then(
    monkeypatch: Any,
) -> None:
    known, requests = heard(lambda number: body(progress(number // 3)), monkeypatch, 7)
    assert known == [progress(0), progress(1), progress(2)]
    assert requests > 7


def test_an_answer_that_is_no_progress_changes_nothing(monkeypatch: Any) -> None:
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
    known, _ = heard(lambda number: answers[number - 1](), monkeypatch, len(answers))
    assert known == [progress(1)]


def test_what_another_pod_said_is_forgotten() -> None:
    asking = ProgressPoller(WorkQueue[Key]())
    asking.watch(KEY, "127.0.0.1")
    asking._progress[KEY] = progress(5)
    asking.watch(KEY, "127.0.0.1")
    assert asking.progress_of(KEY) == progress(5)
    asking.watch(KEY, "127.0.0.2")
    assert asking.progress_of(KEY) is None
