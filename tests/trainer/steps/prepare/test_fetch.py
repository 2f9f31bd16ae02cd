"""The first stage of prepare: artifacts from every kind of store."""

import os
import subprocess
from pathlib import Path

import pytest
from support.hub import Hub
from support.preparing import plan, run_stage, settings
from support.ranged import RangedFile
from support.stores import STORES
from support.web import WebServer

from perennial_contracts.wire.digest import digest_of, digest_of_files
from perennial_contracts.wire.prepare_plan import Fetched
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


def test_a_file_is_fetched_with_its_own_digest(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(b"a model")
    fetch.run(plan(tmp_path, tmp_path / "model.skops"), settings(tmp_path))
    found = Fetched.model_validate_json((tmp_path / "input" / "fetched.json").read_bytes())
    assert found == Fetched(digest=digest_of(b"a model"), path="model.skops")
    assert (tmp_path / "input" / "artifact" / "model.skops").read_bytes() == b"a model"


def test_the_digest_of_a_directory_matches_sha256sum(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    for name in ("saved_model.pb", "variables/variables.index", "variables/a b.data"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    fetch.run(plan(tmp_path, f"{folder}/"), settings(tmp_path))
    found = Fetched.model_validate_json((tmp_path / "input" / "fetched.json").read_bytes())
    command = "find . -type f | sed s:^./:: | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert found.digest == f"sha256:{done.stdout.split()[0]}"
    assert found.path == "."
    assert digest_of_files({"a": digest_of(b"a")}) != digest_of_files({"b": digest_of(b"a")})


def test_bytes_with_another_digest_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(b"a model")
    pinned = plan(tmp_path, tmp_path / "model.skops", digest="sha256:" + "0" * 64)
    with pytest.raises(StorageError, match=r"spec\.model\.digest"):
        fetch.run(pinned, settings(tmp_path))


def test_a_missing_artifact_names_the_field(tmp_path: Path) -> None:
    code, outcome, _ = run_stage(tmp_path, plan(tmp_path, tmp_path / "none.skops"), "fetch")
    assert code == 1
    assert outcome
    assert outcome.reason == "ModelNotFound"
    assert "spec.model.uri" in outcome.message
