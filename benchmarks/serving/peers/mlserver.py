"""Seldon's MLServer with a custom runtime. It has no binary tensors over REST."""

import json

from ..works import MODEL_NAME, Protocol
from .base import Command, Launch


class MLServer:
    """MLServer in one process (``parallel_workers`` 0), its fastest for small models."""

    key = "mlserver"
    title = "MLServer"
    requirements = ("mlserver==1.7.1",)

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json", "grpc")

    def command(self, launch: Launch) -> Command:
        settings = {
            "debug": False,
            "host": "127.0.0.1",
            "http_port": launch.http_port,
            "grpc_port": launch.grpc_port,
            "metrics_port": launch.other_port,
            "parallel_workers": 0,
        }
        model = {"name": MODEL_NAME, "implementation": "mlserver_model.OnnxModel"}
        (launch.folder / "settings.json").write_text(json.dumps(settings))
        (launch.folder / "model-settings.json").write_text(json.dumps(model))
        mlserver = launch.python.with_name("mlserver")
        return Command(
            [str(launch.python), str(mlserver), "start", str(launch.folder)], launch.variables()
        )
