"""Settings of the operator: flags, and PERENNIAL_* variables for each; a flag wins."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What the operator is told at its start."""

    runtime_image: str
    """Image of the pods of models whose spec names none."""
    trainer_image: str
    """Image of the pods of RetrainJobs, and of those that make bundles of tabular models."""
    trainer_tf_image: str
    """Makes bundles of what Keras and TensorFlow saved; empty where there is none."""
    trainer_torch_image: str
    """Makes bundles of what PyTorch saved; empty where there is none."""
    namespaces: tuple[str, ...]
    """Namespaces to look after; empty for the whole cluster."""
    workers: int
    health_port: int
    metrics_port: int
    resync_seconds: float
    log_level: str


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads flags and variables; ends the program with a usage message where they are wrong."""
    parser = argparse.ArgumentParser(
        prog="perennial-operator",
        description="Keeps the ModelDeployments of a cluster as their specs say.",
        epilog="Each flag can be given as a variable too: --runtime-image as "
        "PERENNIAL_RUNTIME_IMAGE, and so on.",
    )

    def add(flag: str, default: str | None, help_: str, **kwargs: object) -> None:
        variable = "PERENNIAL_" + flag.removeprefix("--").replace("-", "_").upper()
        value = environment.get(variable, default)
        parser.add_argument(
            flag,
            default=value,
            required=value is None,
            help=f"{help_} [{variable}{f', default {default}' if default else ''}]",
            **kwargs,  # type: ignore[arg-type]
        )

    add("--runtime-image", None, "image that serves models whose spec names none")
    add("--trainer-image", None, "image of the steps of RetrainJobs")
    add("--trainer-tf-image", "", "image that converts Keras and TensorFlow; none where empty")
    add("--trainer-torch-image", "", "image that converts PyTorch; none where empty")
    add("--namespaces", "", "namespaces to look after, by commas; all where empty")
    add("--workers", "8", "resources that are worked on at a time", type=int)
    add("--health-port", "8080", "port of /healthz", type=int)
    add("--metrics-port", "9090", "port of /metrics; 0 for none", type=int)
    add("--resync-seconds", "600", "time between second looks at everything", type=float)
    add("--log-level", "INFO", "DEBUG, INFO, WARNING or ERROR")
    options = parser.parse_args(arguments)
    if options.workers < 1:
        parser.error(f"--workers: expected 1 or more, got {options.workers}")
    return Settings(
        runtime_image=options.runtime_image,
        trainer_image=options.trainer_image,
        trainer_tf_image=options.trainer_tf_image,
        trainer_torch_image=options.trainer_torch_image,
        namespaces=tuple(name.strip() for name in options.namespaces.split(",") if name.strip()),
        workers=options.workers,
        health_port=options.health_port,
        metrics_port=options.metrics_port,
        resync_seconds=options.resync_seconds,
        log_level=options.log_level.upper(),
    )
