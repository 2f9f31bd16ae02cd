"""Fetching an artifact that a framework saved, from every kind of store."""

import os
from pathlib import Path

import pytest
from support.hub import Hub
from support.ranged import RangedFile
from support.stores import STORES
from support.web import WebServer

from perennial_storage.errors import StorageError
from perennial_storage.folder import Folder
from perennial_trainer.steps.prepare import fetch


def open_folder(uri: str) -> Folder:
    return Folder(uri, "output.uri", 0, create=True)


def failing(call: object, *arguments: object) -> StorageError:
    assert callable(call)
    with pytest.raises(StorageError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("folder_uri", STORES, indirect=True)
@pytest.mark.parametrize("slash", ["", "/"])
def test_an_artifact_of_several_files_is_fetched(
    folder_uri: str, slash: str, tmp_path: Path
) -> None:
    for name in ("saved_model.pb", "variables/variables.index"):
        open_folder(f"{folder_uri}/saved").write(name, name.encode())
    found = fetch.fetch_artifact(f"{folder_uri}/saved{slash}", tmp_path / "got", 0)
    assert found.path == "."
    got = {
        path.relative_to(tmp_path / "got").as_posix()
        for path in (tmp_path / "got").rglob("*")
        if path.is_file()
    }
    assert got == {"saved_model.pb", "variables/variables.index"}


def test_a_query_and_a_password_are_sent_but_never_shown(
    web: WebServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = []

    def respond(handler) -> None:  # type: ignore[no-untyped-def]
        requests.append((handler.path, handler.headers["Authorization"]))
        handler.reply(200, b"a model")

    web.files["/raw/a%20b.skops"] = respond
    url = web.url.replace("://", "://me:p%40ss@")
    found = fetch.fetch_artifact(f"{url}/raw/a%20b.skops?sig=x/y%3D", tmp_path, 0)
    assert found.path == "a b.skops"
    assert requests == [("/raw/a%20b.skops?sig=x/y%3D", "Basic bWU6cEBzcw==")]
    error = failing(fetch.fetch_artifact, f"{url}/raw/none?sig=secret", tmp_path, 0)
    assert error.message.startswith(f"{web.url}/raw/none: not found (HTTP 404)")
    assert "secret" not in error.message
    assert "secret" not in capsys.readouterr().out


def test_a_folder_of_a_web_server_must_be_a_bundle(web: WebServer, tmp_path: Path) -> None:
    error = failing(fetch.fetch_artifact, f"{web.url}/saved/", tmp_path, 0)
    assert "a web server does not list its files. Expected a bundle, or" in error.message


@pytest.mark.parametrize("uri", ["hf://org/delays/saved", "hf://org/delays@v1/saved/"])
def test_a_folder_of_the_hub_is_fetched(hub: Hub, tmp_path: Path, uri: str) -> None:
    hub.files = {"saved/a": b"a", "saved/b/c": b"c", "README.md": b"me"}
    hub.large["saved/large"] = RangedFile(os.urandom(100_000))
    found = fetch.fetch_artifact(uri, tmp_path, 0)
    assert found.path == "."
    assert (tmp_path / "b/c").read_bytes() == b"c"
    assert (tmp_path / "large").read_bytes() == hub.large["saved/large"].data
    assert not (tmp_path / "README.md").exists()
