"""BentoML, with one service and one worker."""

from ..works import Protocol
from .base import PROGRAMS, Command, Launch


class BentoML:
    """BentoML with default metrics, without a log line for each request."""

    key = "bentoml"
    title = "BentoML"
    requirements = ("bentoml==1.4.40",)

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json",)

    def command(self, launch: Launch) -> Command:
        arguments = [str(launch.python), "-m", "bentoml", "serve", "bentoml_service:Onnx"]
        arguments += ["--host", "127.0.0.1", "--port", str(launch.http_port)]
        arguments += ["--working-dir", str(PROGRAMS)]
        variables = {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(launch.folder)}
        return Command(arguments, launch.variables() | variables)
