"""Threads take waiting items together."""

import threading

from perennial_runtime.engine.thread_pool import ThreadPool


def test_a_thread_takes_all_waiting_items_up_to_the_maximum():
    started, release = threading.Event(), threading.Event()
    done, taken = threading.Event(), []

    def work(items):
        taken.append(list(items))
        started.set()
        release.wait(60)
        if sum(map(len, taken)) == 6:
            done.set()

    pool = ThreadPool(work, 1, 3, lambda item: 1, 0.0, lambda: 0)
    pool.put([0])
    assert started.wait(60)
    pool.put([1, 2, 3, 4, 5])
    assert pool.waiting == 5
    release.set()
    assert done.wait(60)
    assert taken == [[0], [1, 2, 3], [4, 5]]


def test_large_items_are_taken_one_by_one():
    release, done, taken = threading.Event(), threading.Event(), []

    def work(items):
        release.wait(60)
        taken.append(list(items))
        if sum(map(len, taken)) == 4:
            done.set()

    pool = ThreadPool(work, 1, 8, lambda item: item, 0.0, lambda: 0)
    pool.put([10_000_000, 9_000_000, 1, 2])
    release.set()
    assert done.wait(60)
    assert taken == [[10_000_000], [9_000_000], [1, 2]]


def test_a_single_item_does_not_wait_for_others():
    done, taken = threading.Event(), []

    def work(items):
        taken.append(list(items))
        done.set()

    pool = ThreadPool(work, 1, 8, lambda item: 1, 3600.0, lambda: 1)
    pool.put([1])
    assert done.wait(60)


def test_items_wait_while_more_are_expected():
    done, taken = threading.Event(), []

    def work(items):
        taken.append(list(items))
        done.set()

    pool = ThreadPool(work, 1, 8, lambda item: 1, 3600.0, lambda: 3)
    for item in (1, 2, 3):
        pool.put([item])
    assert done.wait(60)
    assert taken == [[1, 2, 3]]
