"""Settings of ``serve`` and ``resolve``, from flags and environment variables."""

import argparse
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from perennial_contracts.settings import (
    Setting,
    add_settings,
    boolean,
    non_negative_integer,
    one_of,
    port,
    positive_integer,
    read_settings,
    seconds,
)
from perennial_contracts.wire.digest import is_digest
from perennial_contracts.wire.names import HTTP_PORT
from perennial_storage.buckets import parse_bucket

from .engine.providers import ACCELERATORS

TERMINATION_LOG = Path("/dev/termination-log")
MAX_WORKERS = 256


@dataclass(frozen=True)
class RuntimeSettings:
    """Settings of one run, described by :data:`COMMON` and :data:`SERVE`."""

    command: str
    """``serve`` or ``resolve``."""
    uri: str
    digest: str | None
    cache_dir: Path
    retry_seconds: float
    threads: int | None
    accelerator: str
    termination_message_path: Path | None
    log_format: str
    name: str
    host: str
    http_port: int
    grpc_port: int | None
    """None if gRPC has no port of its own; the HTTP port accepts it too."""
    drain_seconds: float
    grace_seconds: float
    max_body_bytes: int
    max_in_flight: int
    pause_seconds: float
    idle_seconds: float
    request_seconds: float
    """0 for no limit."""
    tls_cert: Path | None
    tls_key: Path | None
    workers: int | None
    """None for as many as are useful."""
    batch_max_size: int
    batch_max_delay_microseconds: int
    front: str
    log_requests: bool
    capture: str | None
    capture_permille: int
    capture_flush_seconds: float
    capture_queue_rows: int

    @property
    def tls_files(self) -> tuple[Path, Path] | None:
        """Paths of the certificate and its key."""
        return (self.tls_cert, self.tls_key) if self.tls_cert and self.tls_key else None


def _workers(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_WORKERS:
        raise ValueError(f"expected a number from 1 to {MAX_WORKERS}, or auto, got {text!r}")
    return int(text)


def _permille(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise ValueError(f"expected a whole number from 1 to 1000 (all), got {text!r}")
    return int(text)


def _capture(text: str) -> str:
    if "://" not in text or text.startswith("file://"):
        return text
    with suppress(ValueError):
        if parse_bucket(text):
            return text
    raise ValueError(
        "expected s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH, "
        "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, file:// or a path, "
        f"got {text!r}"
    )


def _digest(text: str) -> str:
    if not is_digest(text):
        raise ValueError(f"expected sha256: and 64 hexadecimal digits, got {text!r}")
    return text


def _name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", text) is None:
        raise ValueError(f"expected letters, digits, '-', '_' and '.', got {text!r}")
    return text


COMMON = (
    Setting("digest", _digest, None, "expected digest of the model, sha256:..."),
    Setting(
        "cache-dir",
        Path,
        None,
        "folder for fetched models; the only folder that is written to",
        shown_default="perennial-UID in the folder for temporary files",
    ),
    Setting("retry-seconds", seconds, 60.0, "time to retry if the store is unreachable"),
    Setting(
        "threads",
        positive_integer,
        None,
        "maximum number of threads of one run",
        shown_default="the CPU limit",
    ),
    Setting(
        "accelerator",
        one_of(*ACCELERATORS),
        "auto",
        f"{', '.join(ACCELERATORS)}; auto: a GPU if there is one",
    ),
    Setting(
        "termination-message-path",
        Path,
        None,
        "file for the outcome, as JSON",
        shown_default=f"{TERMINATION_LOG}, if it exists",
    ),
    Setting(
        "log-format", one_of("auto", "json", "text"), "auto", "json, text; auto: text on a terminal"
    ),
)
"""Settings of both commands."""

SERVE = (
    Setting("name", _name, None, "name of the model in paths", shown_default="from the URI"),
    Setting("host", str, "0.0.0.0", "address to listen on"),
    Setting("http-port", port, HTTP_PORT, "port to listen on; 0: any free port"),
    Setting("grpc-port", port, None, "a second port; both accept HTTP and gRPC"),
    Setting("drain-seconds", seconds, 5.0, "time to serve as not ready after SIGTERM"),
    Setting("grace-seconds", seconds, 30.0, "time for requests in flight after that"),
    Setting("max-body-bytes", positive_integer, 64 * 1024 * 1024, "maximum size of a request body"),
    Setting("max-in-flight", positive_integer, 1024, "maximum number of waiting requests"),
    Setting("pause-seconds", seconds, 20.0, "maximum pause of a client within a request"),
    Setting("idle-seconds", seconds, 75.0, "time until an unused connection is closed"),
    Setting("request-seconds", seconds, 0.0, "time until a request gets 503; 0: no limit"),
    Setting("tls-cert", Path, None, "certificate chain in PEM; both ports then use TLS"),
    Setting("tls-key", Path, None, "private key of the certificate, in PEM"),
    Setting(
        "workers", _workers, 1, "number of processes; auto: one for each CPU if runs are short"
    ),
    Setting("batch-max-size", positive_integer, 32, "maximum rows of a batch; 1: no batches"),
    Setting(
        "batch-max-delay-microseconds",
        non_negative_integer,
        0,
        "maximum time that a batch waits for more rows",
    ),
    Setting(
        "front",
        one_of("auto", "native", "portable"),
        "auto",
        "frontend: native (Rust), portable (Python); auto: native if it is installed",
    ),
    Setting("log-requests", boolean, False, "log each request: true or false"),
    Setting("capture", _capture, None, "target of predictions and labels, s3://... or a path"),
    Setting("capture-permille", _permille, 1000, "predictions to capture, of 1000"),
    Setting("capture-flush-seconds", seconds, 60.0, "time between two captured files"),
    Setting("capture-queue-rows", positive_integer, 50_000, "maximum number of waiting rows"),
)
"""Settings of ``serve`` only."""


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="perennial-runtime",
        description="Serve one ONNX model over the Open Inference Protocol v2, REST and gRPC.",
        epilog="Every flag is an environment variable too: --http-port is PERENNIAL_HTTP_PORT. "
        "A flag wins over its variable. The usual variables configure stores: AWS_*, GOOGLE_*, "
        "AZURE_*, HF_*. Exit codes: 0 success, 1 the model does not load, 2 invalid usage, "
        "3 the store is unreachable (a retry can help).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command, settings, text in (
        ("serve", COMMON + SERVE, "fetch a model and serve it"),
        ("resolve", COMMON, "fetch a model, load it once, and print its digest"),
    ):
        sub = commands.add_parser(command, help=text, description=text.capitalize() + ".")
        sub.add_argument(
            "uri",
            nargs="?",
            metavar="URI",
            help="s3://, gs://, az://, http(s)://, hf:// or a path: the directory of a bundle, "
            "a directory with model.onnx, or an .onnx file [PERENNIAL_URI]",
        )
        add_settings(sub, settings, environment)
    return parser


def name_from_uri(uri: str) -> str:
    """Return a name for a model: the last part of its URI that can identify it.

    >>> name_from_uri("s3://models/delays/1/")
    'delays'
    """
    for part in reversed(PurePosixPath(urlsplit(uri).path).parts):
        stem = re.sub(r"[^A-Za-z0-9._-]", "-", part.removesuffix(".onnx")).strip("-._")
        if stem and stem != "model" and not stem.isdecimal():
            return stem[:253].rstrip("-._")
    return "model"


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> RuntimeSettings:
    """Return the settings. Exits with 2 and a message if one is invalid."""
    parser = _parser(environment)
    given = parser.parse_args(arguments)
    is_serve = given.command == "serve"
    values: dict[str, Any] = {"command": given.command}
    values["uri"] = given.uri or environment.get("PERENNIAL_URI")
    if not values["uri"]:
        parser.error("URI: expected the location of the model, got none (or set PERENNIAL_URI)")
    values |= read_settings(parser, given, COMMON, environment)
    if is_serve:
        values |= read_settings(parser, given, SERVE, environment)
    else:
        values |= {setting.key: setting.default for setting in SERVE}
    if values["cache_dir"] is None:
        values["cache_dir"] = Path(tempfile.gettempdir()) / f"perennial-{os.getuid()}"
    if values["termination_message_path"] is None and TERMINATION_LOG.exists():
        values["termination_message_path"] = TERMINATION_LOG
    if bool(values["tls_cert"]) != bool(values["tls_key"]):
        parser.error("--tls-cert, --tls-key: expected both or none, got one")
    if values["name"] is None:
        values["name"] = name_from_uri(values["uri"]) if is_serve else "model"
    return RuntimeSettings(**values)
