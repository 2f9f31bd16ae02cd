"""The settings of both commands, as flags and as environment variables; a flag wins."""

import argparse
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from perennial_contracts.buckets import find
from perennial_contracts.wire.digest import is_digest

from .engine.providers import ACCELERATORS

TERMINATION_LOG = Path("/dev/termination-log")
MOST_WORKERS = 256


@dataclass(frozen=True)
class Settings:
    """What one run of the program is to do."""

    command: str
    """``serve`` or ``resolve``."""
    uri: str
    digest: str | None
    cache_dir: Path
    retry_seconds: float
    threads: int | None
    termination_message_path: Path | None
    log_format: str
    accelerator: str = "auto"
    name: str = "model"
    host: str = "0.0.0.0"
    http_port: int = 8080
    grpc_port: int | None = None
    """None: gRPC is spoken on the HTTP port only."""
    drain_seconds: float = 5.0
    grace_seconds: float = 30.0
    max_body_bytes: int = 64 * 1024 * 1024
    max_in_flight: int = 1024
    pause_seconds: float = 20.0
    idle_seconds: float = 75.0
    request_seconds: float = 0.0
    """0: as long as it takes."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    batch_max_size: int = 32
    batch_max_delay_microseconds: int = 0
    log_requests: bool = False
    front: str = "auto"
    capture: str | None = None
    capture_permille: int = 1000
    capture_flush_seconds: float = 60.0
    capture_queue_rows: int = 50_000
    workers: int | None = 1
    """None: as many as pay."""

    @property
    def tls_files(self) -> tuple[Path, Path] | None:
        return (self.tls_cert, self.tls_key) if self.tls_cert and self.tls_key else None


@dataclass(frozen=True)
class _Option:
    """One setting: ``--flag-name``, or ``PERENNIAL_FLAG_NAME``."""

    flag: str
    parse: Callable[[str], Any]
    default: Any
    help: str

    @property
    def key(self) -> str:
        return self.flag.replace("-", "_")

    @property
    def variable(self) -> str:
        return f"PERENNIAL_{self.key.upper()}"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        # Kubernetes sets such variables itself, for a Service of an unlucky name.
        raise ValueError(f"expected a port number from 0 to 65535, got {text!r}")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"expected a whole number from 1 up, got {text!r}")
    return int(text)


def _workers(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise ValueError(f"expected a number from 1 to {MOST_WORKERS}, or auto, got {text!r}")
    return int(text)


def _front(text: str) -> str:
    if text not in ("auto", "native", "portable"):
        raise ValueError(f"expected auto, native or portable, got {text!r}")
    return text


def _accelerator(text: str) -> str:
    if text not in ACCELERATORS:
        raise ValueError(f"expected one of {', '.join(ACCELERATORS)}, got {text!r}")
    return text


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"expected a whole number from 0 up, got {text!r}")
    return int(text)


def _yes_or_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"expected true or false, got {text!r}")
    return text == "true"


def _permille(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise ValueError(f"expected a whole number from 1 to 1000 (all), got {text!r}")
    return int(text)


def _capture(text: str) -> str:
    if "://" not in text or text.startswith("file://"):
        return text
    with suppress(ValueError):
        if find(text):
            return text
    raise ValueError(
        "expected s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH, "
        "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, file:// or a path, "
        f"got {text!r}"
    )


def _seconds(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise ValueError(f"expected seconds such as 5 or 0.5, got {text!r}")
    return float(text)


def _digest(text: str) -> str:
    if not is_digest(text):
        raise ValueError(f"expected sha256: and 64 hexadecimal digits, got {text!r}")
    return text


def _name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", text) is None:
        raise ValueError(f"expected letters, digits, '-', '_' and '.', got {text!r}")
    return text


def _log_format(text: str) -> str:
    if text not in ("auto", "json", "text"):
        raise ValueError(f"expected auto, json or text, got {text!r}")
    return text


def _default_cache() -> Path:
    return Path(tempfile.gettempdir()) / f"perennial-{os.getuid()}"


_COMMON = (
    _Option("digest", _digest, None, "what the model's digest must be; sha256:..."),
    _Option("cache-dir", Path, None, "where fetched models are kept, the only place written to"),
    _Option("retry-seconds", _seconds, 60.0, "how long an unreachable store is tried again"),
    _Option("threads", _positive, None, "most threads of one run (default: the CPU limit)"),
    _Option("accelerator", _accelerator, "auto", f"{', '.join(ACCELERATORS)}; auto: a GPU if any"),
    _Option("termination-message-path", Path, None, "where the outcome is written as JSON"),
    _Option("log-format", _log_format, "auto", "json, text, or auto: text on a terminal"),
)
_SERVE = (
    _Option("name", _name, None, "the model's name in URLs (default: from the URI)"),
    _Option("host", str, "0.0.0.0", "address to listen on"),
    _Option("http-port", _port, 8080, "port to listen on; 0 picks a free one"),
    _Option("grpc-port", _port, None, "one more port; both speak HTTP and gRPC"),
    _Option("drain-seconds", _seconds, 5.0, "after SIGTERM, how long to go on as not ready"),
    _Option("grace-seconds", _seconds, 30.0, "after that, how long started requests may take"),
    _Option("max-body-bytes", _positive, 64 * 1024 * 1024, "largest request body"),
    _Option("max-in-flight", _positive, 1024, "requests that may wait; more are answered 429"),
    _Option("pause-seconds", _seconds, 20.0, "how long a client may pause in a request"),
    _Option("idle-seconds", _seconds, 75.0, "how long a connection may stay unused"),
    _Option("request-seconds", _seconds, 0.0, "after which 503 is answered; 0: never"),
    _Option("tls-cert", Path, None, "certificate chain, PEM; both ports then speak TLS"),
    _Option("tls-key", Path, None, "the certificate's private key, PEM"),
    _Option("workers", _workers, 1, "processes; auto: one for each CPU where runs are quick"),
    _Option("batch-max-size", _positive, 32, "rows that are run together at most; 1: none"),
    _Option("batch-max-delay-microseconds", _whole, 0, "how long a batch waits for more rows"),
    _Option("front", _front, "auto", "native (Rust), portable (Python), or auto: what there is"),
    _Option("log-requests", _yes_or_no, False, "whether each request is logged; true or false"),
    _Option("capture", _capture, None, "where predictions and labels are kept; s3://... or a path"),
    _Option("capture-permille", _permille, 1000, "how many of 1000 predictions are kept"),
    _Option("capture-flush-seconds", _seconds, 60.0, "how often a file is written"),
    _Option("capture-queue-rows", _positive, 50_000, "rows that may wait; more are dropped"),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="perennial-runtime",
        description="Serves one ONNX model over the Open Inference Protocol v2, REST and gRPC.",
        epilog="Every flag can be given as a variable PERENNIAL_FLAG_NAME instead; the flag wins. "
        "Stores are set up by their usual variables: AWS_*, GOOGLE_*, AZURE_*, HF_*. "
        "Exit codes: 0 done, 1 the model does not load, "
        "2 wrong usage, 3 the store is unreachable (another attempt can help).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command, options, text in (
        ("serve", _COMMON + _SERVE, "fetch a model and serve it"),
        ("resolve", _COMMON, "fetch a model, load it once, and print its digest"),
    ):
        sub = commands.add_parser(command, help=text, description=text.capitalize() + ".")
        sub.add_argument(
            "uri",
            nargs="?",
            metavar="URI",
            help="s3://, gs://, az://, http(s)://, hf:// or a path: a bundle's directory, "
            "a directory with model.onnx, or an .onnx file [PERENNIAL_URI]",
        )
        for option in options:
            default = "" if option.default is None else f" (default: {option.default})"
            sub.add_argument(
                f"--{option.flag}",
                metavar=option.key.upper().rpartition("_")[2],
                help=f"{option.help}{default} [{option.variable}]",
            )
    return parser


def name_from_uri(uri: str) -> str:
    """A model name for a person who gave none: the last telling part of the URI.

    >>> name_from_uri("s3://models/delays/1/")
    'delays'
    """
    for part in reversed(PurePosixPath(urlsplit(uri).path).parts):
        stem = re.sub(r"[^A-Za-z0-9._-]", "-", part.removesuffix(".onnx")).strip("-._")
        if stem and stem != "model" and not stem.isdecimal():
            return stem[:253].rstrip("-._")
    return "model"


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings for some arguments; exits with 2 and a message where they are wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    values: dict[str, Any] = {"command": given.command}
    values["uri"] = given.uri or environment.get("PERENNIAL_URI")
    if not values["uri"]:
        parser.error("URI: expected the model's location, got none (or set PERENNIAL_URI)")
    for option in _COMMON + (_SERVE if given.command == "serve" else ()):
        source, text = f"--{option.flag}", getattr(given, option.key)
        if text is None:
            source, text = option.variable, environment.get(option.variable) or None
        try:
            values[option.key] = option.default if text is None else option.parse(text)
        except ValueError as error:
            parser.error(f"{source}: {error}")
    values["cache_dir"] = values["cache_dir"] or _default_cache()
    if values["termination_message_path"] is None and TERMINATION_LOG.exists():
        values["termination_message_path"] = TERMINATION_LOG
    if bool(values.get("tls_cert")) != bool(values.get("tls_key")):
        parser.error("--tls-cert, --tls-key: expected both or none, got one")
    if given.command == "serve" and values["name"] is None:
        values["name"] = name_from_uri(values["uri"])
    return Settings(**values)
