"""The progress of a search over HTTP."""

import json
import socket
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from perennial_contracts.wire.run_plan import Progress
from perennial_trainer import progress_server


def test_progress_is_served_while_the_block_runs():
    with progress_server.serve(0) as server:
        server.show(Progress(trialsDone=2, trialsTotal=5))
        with urlopen(f"http://127.0.0.1:{server.port}/progress") as response:
            progress = json.load(response)
        assert Progress.model_validate(progress) == Progress(trialsDone=2, trialsTotal=5)
        assert progress["phase"] == "Training"
        with pytest.raises(HTTPError, match="404") as caught:
            urlopen(f"http://127.0.0.1:{server.port}/")
        caught.value.close()
        port = server.port
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("", port))


def test_a_port_in_use_does_not_stop_the_training(capsys):
    with socket.create_server(("", 0)) as taken:
        with progress_server.serve(taken.getsockname()[1]) as server:
            server.show(Progress(trialsDone=1))
        assert server.port is None
    assert "training continues" in capsys.readouterr().err
