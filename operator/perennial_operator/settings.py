"""Settings of the operator, from flags and PERENNIAL_* variables. A flag wins."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perennial_contracts.settings import (
    Setting,
    add_settings,
    integer,
    read_settings,
)


@dataclass(frozen=True)
class OperatorSettings:
    """Settings of the operator, described by :data:`SETTINGS`."""

    runtime_image: str
    trainer_image: str
    trainer_tf_image: str
    trainer_torch_image: str
    namespaces: tuple[str, ...]
    """Empty for the whole cluster."""
    workers: int
    health_port: int
    metrics_port: int
    resync_seconds: float
    log_level: str


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _workers(text: str) -> int:
    number = integer(text)
    if number < 1:
        raise ValueError(f"expected a whole number from 1 up, got {text!r}")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number of seconds, got {text!r}") from None


SETTINGS = (
    Setting(
        "runtime-image",
        str,
        None,
        "image that serves models whose spec.serving.image is not set",
        required=True,
    ),
    Setting(
        "trainer-image",
        str,
        None,
        "image of the steps of RetrainJobs; also prepares tabular models",
        required=True,
    ),
    Setting(
        "trainer-tf-image",
        str,
        "",
        "image that prepares Keras, SavedModel and TFLite models",
        shown_default="none: these formats are not converted",
    ),
    Setting(
        "trainer-torch-image",
        str,
        "",
        "image that prepares PyTorch models",
        shown_default="none: PyTorch is not converted",
    ),
    Setting(
        "namespaces",
        _names,
        (),
        "namespaces to manage, separated by commas",
        shown_default="the whole cluster",
    ),
    Setting("workers", _workers, 8, "number of resources reconciled at the same time"),
    Setting("health-port", integer, 8080, "port of /healthz"),
    Setting("metrics-port", integer, 9090, "port of /metrics; 0 disables it"),
    Setting(
        "resync-seconds",
        _number,
        600.0,
        "time between comparisons of the cache with the API server",
    ),
    Setting("log-level", str.upper, "INFO", "DEBUG, INFO, WARNING or ERROR"),
)


def parse(
    arguments: Sequence[str] | None, environment: Mapping[str, str] = os.environ
) -> OperatorSettings:
    """Return the settings. Exit with 2 and a message if one is invalid or missing."""
    parser = argparse.ArgumentParser(
        prog="perennial-operator",
        description="Serve, monitor and retrain the ModelDeployments of a cluster.",
        epilog="Each flag can also be set by the variable in brackets.",
    )
    add_settings(parser, SETTINGS, environment)
    options = parser.parse_args(arguments)
    return OperatorSettings(**read_settings(parser, options, SETTINGS, environment))
