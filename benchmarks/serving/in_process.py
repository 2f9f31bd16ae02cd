"""Measure the upper limit: the model in a loop in one process, without a server.

    python -m benchmarks.serving.in_process MODEL.onnx INPUT ROWS SHAPE THREADS CALLERS SECONDS

runs one session from several threads at once, and prints one JSON object: runs per second, the 50th
and 99th percentile in ms, memory, the seconds to create the session, and the CPU time of one run in
us.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from . import processes
from .models import Model

WARM_UP_SECONDS = 0.5


def main() -> None:
    path, name, rows, shape, threads, callers, seconds = sys.argv[1:]
    model = Model(Path(path), name, tuple(map(int, shape.split("x"))))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    begun = time.perf_counter()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    start_s = time.perf_counter() - begun
    feed = {name: model.batch(int(rows))}
    outputs = [output.name for output in session.get_outputs()]

    def call(seconds: float) -> list[float]:
        return _loop(session, outputs, feed, seconds)

    call(WARM_UP_SECONDS)
    with ThreadPoolExecutor(int(callers)) as pool:
        begun, before = time.perf_counter(), time.process_time()
        loops = pool.map(call, [float(seconds)] * int(callers))
        times = [one for loop in loops for one in loop]
    elapsed, spent = time.perf_counter() - begun, time.process_time() - before
    p50, p99 = np.percentile(times, (50, 99)) * 1e3
    print(
        json.dumps(
            {
                "rps": len(times) / elapsed,
                "p50_ms": p50,
                "p99_ms": p99,
                "rss_mb": processes.pss_mb(os.getpid()),
                "start_s": start_s,
                "cpu_us": spent / len(times) * 1e6,
            }
        )
    )


def _loop(
    session: onnxruntime.InferenceSession,
    outputs: list[str],
    feed: dict[str, np.ndarray],
    seconds: float,
) -> list[float]:
    times = []
    now = time.perf_counter()
    end = now + seconds
    while now < end:
        session.run(outputs, feed)
        times.append(-now + (now := time.perf_counter()))
    return times


if __name__ == "__main__":
    main()
