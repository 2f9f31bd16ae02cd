"""Generate load with wrk and h2load, and read their output.

Both run one thread and keep one request in flight on each connection. They use a part of the
machine; a server that answers 30,000 requests a second shares it with them.
"""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .works import GRPC_PATH, HTTP_PATH

SCRIPT = Path(__file__).with_name("post.lua")


class LoadError(Exception):
    """Error: a run is not a measurement; with the cause."""


@dataclass(frozen=True)
class Load:
    """Results of a run."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    bytes_each: float
    """Bytes received for each request: HTTP's head and body, or the data of HTTP/2."""
    failed: dict[str, int]
    """Number of failures by kind."""

    @property
    def rps(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    def verify(self, bytes_each: int, tolerance: float) -> None:
        """Compare the length of the responses with that of a correct one.

        Raises:
            LoadError: requests failed, or responses had another length.
        """
        if self.failed:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self.failed.items())
            raise LoadError(f"{kinds} of {self.requests} requests failed")
        if self.requests == 0:
            raise LoadError("no request was answered")
        if abs(self.bytes_each - bytes_each) > tolerance * bytes_each:
            raise LoadError(
                f"answers had {self.bytes_each:.0f} bytes, a right one has {bytes_each}"
            )


def wrk(port: int, body: Path, headers: dict[str, str], connections: int, seconds: int) -> Load:
    """Post one body over HTTP/1.1 in a loop."""
    output = _run(
        *("wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"),
        *("--timeout", "10s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}{HTTP_PATH}"),
        *("--", str(body)),
        *(part for header in headers.items() for part in header),
        seconds=seconds,
    )
    return parse_wrk(output)


def parse_wrk(output: str) -> Load:
    """Parse the summary of the script.

    Raises:
        LoadError: there is no summary.
    """
    found = re.search(r"^summary: (\{.*\})$", output, re.MULTILINE)
    if found is None:
        raise LoadError(f"wrk gave no summary: {output.strip()[-300:]!r}")
    summary = json.loads(found[1])
    kinds = ("connect", "read", "write", "status", "timeout")
    return Load(
        requests=summary["requests"],
        seconds=summary["microseconds"] / 1e6,
        p50_ms=summary["p50"] / 1e3,
        p99_ms=summary["p99"] / 1e3,
        bytes_each=summary["bytes"] / max(summary["requests"], 1),
        failed={kind: summary[kind] for kind in kinds if summary[kind]},
    )


def h2load(port: int, frame: Path, connections: int, seconds: int) -> Load:
    """Call ModelInfer with one framed message in a loop; one stream per connection."""
    log = frame.with_suffix(".log")
    log.unlink(missing_ok=True)
    output = _run(
        *("h2load", "--threads=1", f"--clients={connections}", "--max-concurrent-streams=1"),
        *(f"--duration={seconds}", f"--data={frame}", f"--log-file={log}"),
        *("--header=content-type: application/grpc", "--header=te: trailers"),
        f"http://127.0.0.1:{port}{GRPC_PATH}",
        seconds=seconds,
    )
    return parse_h2load(output, log.read_text())


def h2load_some(port: int, frame: Path, connections: int, requests: int) -> None:
    """Call ModelInfer with one framed message a number of times.

    Raises:
        LoadError: not all of them succeed.
    """
    output = _run(
        *("h2load", "--threads=1", f"--clients={connections}", "--max-concurrent-streams=1"),
        *(f"--requests={requests}", f"--data={frame}"),
        *("--header=content-type: application/grpc", "--header=te: trailers"),
        f"http://127.0.0.1:{port}{GRPC_PATH}",
        seconds=60,
    )
    if f" {requests} succeeded," not in output:
        raise LoadError(f"h2load: not all succeeded: {output.strip()[-300:]!r}")


def parse_h2load(output: str, log: str) -> Load:
    """Parse h2load's summary and log (start in us, status, duration in us by line).

    A gRPC call that fails has the HTTP status 200 and no data: ``bytes_each`` shows it.

    Raises:
        LoadError: h2load could not run.
    """
    finished = re.search(r"^finished in ([\d.]+)(us|ms|s|m),", output, re.MULTILINE)
    counts = re.search(
        r"^requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, "
        r"(\d+) failed, (\d+) errored, (\d+) timeout",
        output,
        re.MULTILINE,
    )
    traffic = re.search(r"^traffic: .*\((\d+)\) data$", output, re.MULTILINE)
    if finished is None or counts is None or traffic is None:
        raise LoadError(f"h2load gave no summary: {output.strip()[-300:]!r}")
    done, succeeded, failed, errored, timeout = map(int, counts.groups())
    lines: Sequence[list[str]] = [line.split("\t") for line in log.splitlines()]
    # At its end h2load aborts streams in flight; these have no status.
    times = np.array([int(line[2]) for line in lines if line[1] == "200"] or [0], float)
    seconds = float(finished[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}[finished[2]]
    kinds = {"failed": failed, "errored": errored, "timeout": timeout, "lost": done - succeeded}
    return Load(
        requests=succeeded,
        seconds=seconds,
        p50_ms=float(np.percentile(times, 50)) / 1e3,
        p99_ms=float(np.percentile(times, 99)) / 1e3,
        bytes_each=int(traffic[1]) / max(succeeded, 1),
        failed={kind: count for kind, count in kinds.items() if count},
    )


def _run(*command: str, seconds: int) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + 60
        )
    except subprocess.TimeoutExpired:
        raise LoadError(f"{command[0]} did not end") from None
    if done.returncode:
        raise LoadError(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout
