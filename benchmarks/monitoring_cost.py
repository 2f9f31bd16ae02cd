"""Measure the cost of counting and capturing, for a small model of a table.

    .venv/bin/python benchmarks/monitoring_cost.py

starts three servers of one model (ten features, two of them texts): without a profile, with one,
and with one while every row is captured to a folder. Rounds of requests of one row go to each in
turn, over several connections of another process, so that other load on the machine affects all
alike. Prints the requests per second of each and the ratios to the first, of the median round.
Writes build/benchmarks/monitoring_cost.json.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from perennial_contracts.wire.bundle import Bundle, describe_files
from perennial_contracts.wire.profile import Profile, fit_categories, fit_numbers

ROOT = Path(__file__).parents[1]
NUMBERS = [f"n{i}" for i in range(8)]
TEXTS = ["carrier", "origin"]
CASES = ("nothing", "counted", "captured")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="number of rounds")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds of one round")
    parser.add_argument("--connections", type=int, default=4, help="connections of the client")
    parser.add_argument("--path", choices=("infer", "predict"), nargs="+", default=None)
    options = parser.parse_args()
    results = {
        path: measure(path, options.rounds, options.seconds, options.connections)
        for path in options.path or ("infer", "predict")
    }
    target = ROOT / "build" / "benchmarks" / "monitoring_cost.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=1) + "\n")


def measure(path: str, rounds: int, seconds: float, connections: int) -> dict[str, object]:
    """Measure and print the requests per second of each case, and their ratios."""
    frame = table(5000)
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as servers:
        folder = Path(scratch)
        for name, files in (
            ("bare", bundle(frame, None)),
            ("known", bundle(frame, profile(frame))),
        ):
            (folder / name).mkdir()
            for file, data in files.items():
                (folder / name / file).write_bytes(data)
        capture = ("--capture", str(folder / "captured"))
        ports = {
            "nothing": servers.enter_context(serve(folder / "bare")),
            "counted": servers.enter_context(serve(folder / "known")),
            "captured": servers.enter_context(serve(folder / "known", *capture)),
        }
        requests = [request(path, row) for row in frame.head(500).to_dict("records")]
        rates: dict[str, list[float]] = {case: [] for case in CASES}
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            for case in CASES:  # warm
                pool.apply(load, (ports[case], requests, seconds / 2, connections))
            for turn in range(rounds):
                order = CASES[turn % 3 :] + CASES[: turn % 3]
                for case in order:
                    args = (ports[case], requests, seconds, connections)
                    rates[case].append(pool.apply(load, args))
        counts = captured_rows(ports["captured"])
    summary: dict[str, object] = {"rounds": rounds, "seconds_a_round": seconds, **counts}
    print(f"/{path}, one row of 10 features, {connections} connections, {rounds} rounds")
    for case in CASES:
        ratios = [a / b for a, b in zip(rates[case], rates["nothing"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        rate = statistics.median(rates[case])
        summary[case] = {
            "requests_per_second": round(rate),
            "ratio": round(middle, 3),
            "ratio_quartiles": [round(low, 3), round(high, 3)],
        }
        print(f"  {case:9} {rate:7.0f} requests/s   ratio {middle:.3f} ({low:.3f} to {high:.3f})")
    print(f"  captured rows: {counts}")
    return summary


def table(rows: int) -> pd.DataFrame:
    random_ = np.random.default_rng(0)
    frame = pd.DataFrame({name: random_.normal(size=rows).astype("f4") for name in NUMBERS})
    frame["carrier"] = random_.choice(["AA", "BB", "CC", "DD"], rows)
    frame["origin"] = random_.choice(["EWR", "JFK", "LGA"], rows)
    return frame


def profile(frame: pd.DataFrame) -> bytes:
    chance = np.random.default_rng(1).random(len(frame))
    return Profile(
        rows=len(frame),
        features=[
            *(fit_numbers(name, frame[name].to_numpy()) for name in NUMBERS),
            *(fit_categories(name, frame[name].to_numpy(object)) for name in TEXTS),
        ],
        score=fit_numbers("score", chance),
        label=fit_categories("label", (chance > 0.5).astype(int), keep=["0", "1"]),
        positive="1",
    ).to_bytes()


def bundle(frame: pd.DataFrame, known: bytes | None) -> dict[str, bytes]:
    """Build a bundle of a logistic regression, with or without a profile."""
    columns = ColumnTransformer(
        [("texts", OneHotEncoder(handle_unknown="ignore"), TEXTS)], remainder="passthrough"
    )
    pipeline = make_pipeline(columns, LogisticRegression())
    pipeline.fit(frame, (frame["n0"] + (frame["carrier"] == "AA") > 0).astype(int))
    types = [
        (name, (StringTensorType if name in TEXTS else FloatTensorType)([None, 1]))
        for name in frame.columns
    ]
    model = to_onnx(pipeline, initial_types=types, options={"zipmap": False}, target_opset=18)
    files = {"model.onnx": model.SerializeToString()}
    if known:
        files["profile.json"] = known
    manifest = Bundle(files=describe_files(files), labels=["0", "1"], positive="1")
    return {**files, "bundle.json": manifest.to_bytes()}


@contextlib.contextmanager
def serve(folder: Path, *arguments: str) -> Iterator[int]:
    """Run a server as another process, and yield its port."""
    command = [sys.executable, "-m", "perennial_runtime", "serve", str(folder), "--name", "m"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--http-port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PERENNIAL_LOG_FORMAT": "json"},
    )
    assert process.stderr is not None
    port = 0
    for line in process.stderr:
        said = json.loads(line)
        port = said.get("port", port)
        if said["message"] == "ready":
            break
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def request(path: str, row: dict[str, object]) -> bytes:
    if path == "predict":
        body: dict[str, object] = {"instances": [row]}
    else:
        body = {
            "inputs": [
                {
                    "name": name,
                    "datatype": "BYTES" if name in TEXTS else "FP32",
                    "shape": [1, 1],
                    "data": [value],
                }
                for name, value in row.items()
            ]
        }
    data = json.dumps(body).encode()
    head = f"POST /v2/models/m/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def load(port: int, requests: list[bytes], seconds: float, connections: int) -> float:
    """Return the requests per second; each connection has one request in flight."""
    choose = random.Random(0)
    done = 0
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as sockets:
        for _ in range(connections):
            client = sockets.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(choose.choice(requests))
            selector.register(client, selectors.EVENT_READ, client)
        begun = time.perf_counter()
        end = begun + seconds
        while (now := time.perf_counter()) < end:
            for key, _ in selector.select(1.0):
                client = key.data
                answer = client.recv(65536)  # a response of one row is one packet
                assert answer.startswith(b"HTTP/1.1 200"), answer
                done += 1
                client.sendall(choose.choice(requests))
    return done / (now - begun)


def captured_rows(port: int) -> dict[str, int]:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(
            b"GET /v2/models/m/counters HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    counters = json.loads(answer.partition(b"\r\n\r\n")[2])
    capture = counters["capture"]
    return {"rows": counters["rows"], "written": capture["written"], "dropped": capture["dropped"]}


if __name__ == "__main__":
    main()
