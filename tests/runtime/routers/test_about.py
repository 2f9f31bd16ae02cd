"""The first page is rendered in another thread, because it imports Jinja2."""

import threading
from types import SimpleNamespace
from typing import Any

from perennial_runtime.routers.about import ALIVE, About
from perennial_runtime.signature import TensorSpec


class FakeService:
    """The parts of a service that the page describes."""

    name = "m"
    model = SimpleNamespace(
        version="0",
        inputs=[TensorSpec("x", "FP32", (-1, 1))],
        outputs=[TensorSpec("y", "FP32", (-1, 1))],
        classes=None,
        bundle=None,
        profiled=None,
    )

    def properties(self) -> dict[str, str]:
        return {}


def test_only_requests_before_the_first_page_are_answered_in_another_thread() -> None:
    service: Any = FakeService()
    about = About(service)
    threads: list[threading.Thread] = []
    answered = threading.Event()

    def answer() -> None:
        threads.append(threading.current_thread())
        call: Any = SimpleNamespace(header={"accept": "text/html"}.get)
        assert about.page(call).body.startswith(b"<!doctype html>")
        answered.set()

    about.submit(answer)
    assert answered.wait(60)
    about.submit(answer)
    assert [thread is threading.main_thread() for thread in threads] == [False, True]


def test_clients_that_never_accept_html_share_one_thread() -> None:
    service: Any = FakeService()
    about = About(service)
    call: Any = SimpleNamespace(header={}.get)
    threads: list[threading.Thread] = []
    answered = threading.Semaphore(0)

    def answer() -> None:
        assert about.page(call) is ALIVE
        threads.append(threading.current_thread())
        answered.release()

    for _ in range(20):
        about.submit(answer)
    assert all(answered.acquire(timeout=60) for _ in range(20))
    assert len(set(threads)) == 1
