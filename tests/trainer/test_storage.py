"""Folders in every kind of store: real servers of their protocols where they can be had here."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.azure import ACCOUNT, KEY, AzureServer, needs_azurite
from support.gcs_xml import GcsXmlServer
from support.hub import COMMIT, Hub
from support.ranged import RangedFile
from support.s3 import KEYS, S3Server, needs_s3
from support.web import WebServer

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_trainer.bundle.publish import publish_bundle
from perennial_trainer.errors import StepError
from perennial_trainer.steps.prepare import fetch
from perennial_trainer.storage import Folder, split, without_secrets
from perennial_trainer.storage import web as web_store

STORES = [
    pytest.param("s3://models", marks=needs_s3),
    "gs://models",
    pytest.param("az://models", marks=needs_azurite),
    pytest.param(f"abfss://models@{ACCOUNT}.dfs.core.windows.net", marks=needs_azurite),
    "path",
]
BUCKETS = [one for one in STORES if one != "path"]


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The environment without what could steer a client."""
    steering = ("AWS", "AZURE", "AZURITE", "GOOGLE", "GCE_", "STORAGE_", "HF_", "HUGGING")
    for name in [name for name in os.environ if name.startswith(steering)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    return monkeypatch


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gcs_server() -> Iterator[GcsXmlServer]:
    server = GcsXmlServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureServer]:
    server = AzureServer(tmp_path_factory.mktemp("azure"))
    server.start()
    try:
        server.make_container("models")
        yield server
    finally:
        server.stop()


@pytest.fixture
def place(request: pytest.FixtureRequest, variables: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A folder of the test's own in the kind of store that it asks for."""
    kind = request.param.partition("://")[0]
    if kind == "path":
        (tmp_path / "here").mkdir()
        return str(tmp_path / "here")
    if kind == "s3":
        server = request.getfixturevalue("s3_server")
        settings = {"AWS_ENDPOINT_URL": server.url, **KEYS}
    elif kind == "gs":
        settings = {"STORAGE_EMULATOR_HOST": request.getfixturevalue("gcs_server").host}
    else:
        settings = {
            "AZURE_STORAGE_ENDPOINT": request.getfixturevalue("azure_server").url,
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        }
    for name, value in settings.items():
        variables.setenv(name, value)
    return f"{request.param}/{tmp_path.name}"


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def hub(web: WebServer, variables: pytest.MonkeyPatch) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub", reason="the extra hf is not installed")
    server = Hub(web)
    variables.setenv("HF_ENDPOINT", server.url)
    yield server
    server.close()


def open_folder(uri: str, *, create: bool = True) -> Folder:
    return Folder(uri, "output.uri", 0, create=create)


def failing(call: object, *arguments: object) -> StepError:
    assert callable(call)
    with pytest.raises(StepError) as caught:
        call(*arguments)
    return caught.value


# --- every store that is read and written ---


@pytest.mark.parametrize("place", STORES, indirect=True)
def test_what_is_written_is_read_downloaded_and_listed(place: str, tmp_path: Path) -> None:
    folder = open_folder(f"{place}/")
    names = ["a/model=x/one file.bin", "a/model=xy/two", "ü#?.txt"]
    for name in names:
        folder.write(name, name.encode())
        assert folder.read(name) == name.encode()
    folder.write(names[0], b"anew")
    folder.download(names[0], tmp_path / "deep/er")
    assert (tmp_path / "deep/er").read_bytes() == b"anew"
    assert folder.list("") == sorted(names)
    # By whole parts of a path.
    assert folder.list("a/model=x") == [names[0]]
    assert folder.list("none") == []
    assert folder.read_if_there("a/none") is None
    assert folder.describe(names[1]) == f"{place}/{names[1]}"


@pytest.mark.parametrize("place", STORES, indirect=True)
def test_large_files_and_empty_ones_arrive_whole(place: str, tmp_path: Path) -> None:
    folder, data = open_folder(place), os.urandom(7_000_001)
    for name, content in (("large", data), ("empty", b"")):
        folder.write_new(name, content)
        folder.download(name, tmp_path / name)
        assert (tmp_path / name).read_bytes() == content
    assert folder.list("") == ["empty", "large"]


@pytest.mark.parametrize("place", STORES, indirect=True)
def test_what_lies_there_is_not_overwritten_and_the_same_bytes_are_no_harm(place: str) -> None:
    folder = open_folder(place)
    folder.write_new("x/model.onnx", b"first")
    folder.write_new("x/model.onnx", b"first")
    error = failing(folder.write_new, "x/model.onnx", b"second")
    assert error.reason is TrainingFailure.PUBLISH_FAILED
    assert f"{place}/x/model.onnx: something else lies there" in error.message
    assert "output.uri" in error.message
    assert folder.read("x/model.onnx") == b"first"


@pytest.mark.parametrize("place", STORES, indirect=True)
def test_of_many_who_write_at_once_one_is_told_that_it_did(place: str) -> None:
    backend = open_folder(place)._backend
    start, won = threading.Barrier(8), []

    def create(number: int) -> None:
        start.wait()
        if backend.create("x", b"%d" % number):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [b"%d" % number for number in won] == [open_folder(place).read("x")]


@pytest.mark.parametrize("place", STORES, indirect=True)
def test_a_bundle_is_published_once_and_another_in_its_place_is_left(place: str) -> None:
    files = {"model.onnx": b"a model", "bundle.json": b"{}"}
    uri = publish_bundle(place, files, {"report.html": b"at nine"}, 0)
    assert uri == f"{place}/{digest_of(b'{}')[7:19]}/"
    assert publish_bundle(place, files, {"report.html": b"at ten"}, 0) == uri
    folder = open_folder(uri)
    assert folder.list("") == ["bundle.json", "model.onnx", "report.html"]
    assert folder.read("report.html") == b"at nine"
    folder.write("bundle.json", b"{ }")
    error = failing(publish_bundle, place, files, {}, 0)
    assert error.reason is TrainingFailure.PUBLISH_FAILED
    assert folder.read("bundle.json") == b"{ }"


@pytest.mark.parametrize("place", STORES, indirect=True)
def test_what_an_attempt_that_broke_off_has_left_is_made_whole(place: str) -> None:
    files = {"model.onnx": b"a model", "bundle.json": b"{}"}
    folder = open_folder(f"{place}/{digest_of(b'{}')[7:19]}")
    folder.write("report.html", b"of before")
    folder.write("model.onnx", b"a model")
    publish_bundle(place, files, {"report.html": b"of now"}, 0)
    assert folder.list("") == ["bundle.json", "model.onnx", "report.html"]
    assert folder.read("report.html") == b"of now"


@pytest.mark.parametrize("place", BUCKETS, indirect=True)
def test_objects_that_only_mark_folders_are_no_files(place: str) -> None:
    folder = open_folder(place)
    for name, data in {"saved": b"", "saved/model.bin": b"x", "saved/empty": b""}.items():
        if name != "saved" or not place.startswith("s3"):  # a directory there is no file
            folder.write(name, data)
    assert folder.list("") == ["saved/empty", "saved/model.bin"]


@pytest.mark.parametrize("place", STORES, indirect=True)
@pytest.mark.parametrize("slash", ["", "/"])
def test_an_artifact_of_several_files_is_fetched(place: str, slash: str, tmp_path: Path) -> None:
    for name in ("saved_model.pb", "variables/variables.index"):
        open_folder(f"{place}/saved").write(name, name.encode())
    found = fetch._artifact(f"{place}/saved{slash}", tmp_path / "got", 0)
    assert found.path == "."
    got = {
        path.relative_to(tmp_path / "got").as_posix()
        for path in (tmp_path / "got").rglob("*")
        if path.is_file()
    }
    assert got == {"saved_model.pb", "variables/variables.index"}


# --- refusals ---


@pytest.mark.parametrize("place", BUCKETS, indirect=True)
def test_a_bucket_or_an_object_that_is_not_there_is_named(place: str) -> None:
    error = failing(open_folder(place).read, "none.parquet")
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert error.message == f"{place}/none.parquet: no such object. Check output.uri"
    gone = open_folder(place.replace("://models", "://nothing"))
    for error in (failing(gone.read, "x"), failing(gone.write, "x", b"x")):
        assert error.reason is LoadFailure.MODEL_NOT_FOUND
        assert gone.describe("x") in error.message
        assert "Check output.uri" in error.message


@needs_azurite
@pytest.mark.parametrize("place", ["az://models"], indirect=True)
def test_a_wrong_key_is_access_denied(place: str, variables: pytest.MonkeyPatch) -> None:
    variables.setenv("AZURE_STORAGE_ACCOUNT_KEY", f"{KEY[:-8]}AAAAAA==")
    error = failing(open_folder(place).write, "x", b"x")
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert "their permission to write" in error.message


@pytest.mark.parametrize("uri", ["s3://models/x", "gs://models/x", "az://models/x"])
def test_a_store_that_cannot_be_reached_is_worth_another_attempt(
    variables: pytest.MonkeyPatch, uri: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    variables.setenv("AWS_ENDPOINT_URL", url)
    variables.setenv("STORAGE_EMULATOR_HOST", url)
    variables.setenv("AZURE_STORAGE_ENDPOINT", url)
    variables.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    for call, arguments in ((open_folder(uri).read, ("x",)), (open_folder(uri).write, ("x", b""))):
        error = failing(call, *arguments)
        assert (error.reason, error.exit_code) == (LoadFailure.STORE_UNREACHABLE, 3)
        assert f"{uri}/x: connection refused. Check " in error.message


@pytest.mark.parametrize(
    ("name", "uri"),
    [("GOOGLE_SERVICE_ACCOUNT_KEY", "gs://models/x"), ("AZURE_STORAGE_ACCOUNT_KEY", "az://m/x")],
)
def test_credentials_that_cannot_be_used_are_access_denied(
    variables: pytest.MonkeyPatch, name: str, uri: str
) -> None:
    variables.setenv(name, "{}")
    error = failing(open_folder, uri)
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert f"Check the credentials: {name.partition('_')[0]}" in error.message


@pytest.mark.parametrize("uri", ["ftp://host/x", "pvc://claim/x", "gs:///x", "abfss://models/x"])
def test_a_uri_of_no_known_store_is_refused_with_what_is_expected(uri: str) -> None:
    for create in (True, False):
        with pytest.raises(StepError, match=r"^output\.uri: .*expected ") as caught:
            open_folder(uri, create=create)
        assert caught.value.reason is LoadFailure.MODEL_NOT_FOUND
        assert uri in caught.value.message


@pytest.mark.parametrize("uri", ["https://host/x", "hf://org/delays/x"])
def test_where_nothing_can_be_put_is_refused_before_anything_is_made(uri: str) -> None:
    error = failing(publish_bundle, uri, {"bundle.json": b"{}"}, {}, 0)
    assert error.reason is TrainingFailure.PUBLISH_FAILED
    assert "expected s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH" in error.message


# --- web servers ---


def test_a_query_and_a_password_go_along_and_are_told_to_nobody(
    web: WebServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def answer(handler) -> None:  # type: ignore[no-untyped-def]
        asked.append((handler.path, handler.headers["Authorization"]))
        handler.reply(200, b"a model")

    web.files["/raw/a%20b.skops"] = answer
    url = web.url.replace("://", "://me:p%40ss@")
    found = fetch._artifact(f"{url}/raw/a%20b.skops?sig=x/y%3D", tmp_path, 0)
    assert found.path == "a b.skops"
    assert asked == [("/raw/a%20b.skops?sig=x/y%3D", "Basic bWU6cEBzcw==")]
    error = failing(fetch._artifact, f"{url}/raw/none?sig=secret", tmp_path, 0)
    assert error.message.startswith(f"{web.url}/raw/none: not there (HTTP 404)")
    assert "secret" not in error.message
    assert "secret" not in capsys.readouterr().out


def test_an_answer_that_breaks_off_is_worth_another_attempt(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perennial_trainer.storage.patience.FIRST_PAUSE", 0.01)
    served = RangedFile(os.urandom(100_000))
    served.cuts = [50_000]

    def answer(handler) -> None:  # type: ignore[no-untyped-def]
        handler.close_connection = True
        served(handler)

    web.files["/x.bin"] = answer
    folder = Folder(web.url, "spec.model.uri", 10)
    folder.download("x.bin", tmp_path / "x.bin")
    assert (tmp_path / "x.bin").read_bytes() == served.data
    served.cuts = [50_000]
    error = failing(Folder(web.url, "spec.model.uri", 0).read, "x.bin")
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "broke off, 50000 bytes before its end" in error.message


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *((401, LoadFailure.ACCESS_DENIED), (403, LoadFailure.ACCESS_DENIED)),
        *((404, LoadFailure.MODEL_NOT_FOUND), (503, LoadFailure.STORE_UNREACHABLE)),
    ],
)
def test_the_status_of_a_web_server_gives_the_reason(
    web: WebServer, status: int, reason: LoadFailure
) -> None:
    web.files["/x"] = lambda handler: handler.reply(status, b"")  # type: ignore[attr-defined]
    assert failing(Folder(web.url, "spec.model.uri", 0).read, "x").reason is reason


def test_a_web_server_does_not_list_its_files(web: WebServer, tmp_path: Path) -> None:
    error = failing(fetch._artifact, f"{web.url}/saved/", tmp_path, 0)
    assert "a web server does not list its files. Expected a bundle, or" in error.message


def test_a_certificate_or_a_host_that_is_wrong_is_told() -> None:
    error = web_store.failure("https://no", socket.gaierror(), "spec.model.uri")
    assert error.message == "https://no: the host name is not known. Check spec.model.uri"


# --- the hub ---


@pytest.mark.parametrize("uri", ["hf://org/delays/saved", "hf://org/delays@v1/saved/"])
def test_a_folder_of_the_hub_is_fetched_as_of_one_commit(
    hub: Hub, tmp_path: Path, uri: str
) -> None:
    hub.files = {"saved/a": b"a", "saved/b/c": b"c", "README.md": b"me"}
    hub.large["saved/large"] = RangedFile(os.urandom(100_000))
    found = fetch._artifact(uri, tmp_path, 0)
    assert found.path == "."
    assert (tmp_path / "b/c").read_bytes() == b"c"
    assert (tmp_path / "large").read_bytes() == hub.large["saved/large"].data
    assert not (tmp_path / "README.md").exists()
    folder = open_folder(uri, create=False)
    assert folder.list("b") == ["b/c"]
    assert folder.describe("a") == f"hf://org/delays@{COMMIT}/saved/a"


def test_a_table_is_read_from_a_repository_of_data(hub: Hub, tmp_path: Path) -> None:
    hub.kind, hub.files = "dataset", {"2013.parquet": b"rows"}
    where, name = split("hf://datasets/org/delays/2013.parquet")
    assert open_folder(where, create=False).read(name) == b"rows"


def test_the_token_is_for_the_hub_and_not_for_where_its_large_files_lie(
    hub: Hub, variables: pytest.MonkeyPatch
) -> None:
    hub.token = "secret"
    hub.large["model.bin"] = RangedFile(b"x" * 1000)
    folder = open_folder("hf://org/delays/", create=False)
    assert failing(folder.read, "model.bin").reason is LoadFailure.MODEL_NOT_FOUND
    variables.setenv("HF_TOKEN", "secret")
    assert folder.read("model.bin") == b"x" * 1000
    assert hub.large["model.bin"].tokens == [None]


def test_what_the_hub_refuses_is_told_with_what_to_do(hub: Hub) -> None:
    hub.files["a"] = b"a"

    def error(uri: str) -> StepError:
        return failing(open_folder(uri, create=False).read, "none")

    assert "no such file" in error("hf://org/delays/").message
    assert "no such revision" in error("hf://org/delays@v9/").message
    assert "no such repository" in error("hf://org/others/").message
    hub.gated = True
    assert error("hf://org/delays/").reason is LoadFailure.ACCESS_DENIED
    hub.gated, hub.status = False, 503
    assert error("hf://org/delays/").reason is LoadFailure.STORE_UNREACHABLE


def test_hf_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    error = failing(lambda: open_folder("hf://org/delays/", create=False))
    assert error.reason is LoadFailure.UNSUPPORTED_MODEL
    assert "Install perennial[hf]" in error.message


# --- URIs ---


_NAMES = st.text("abcäß %?#=.-", min_size=1).filter(lambda name: name.strip("."))


@given(st.lists(_NAMES, min_size=1), _NAMES)
def test_a_file_of_a_bucket_is_split_from_its_folder(folders: list[str], name: str) -> None:
    folder = "gs://bucket/" + "/".join(folders)
    assert split(f"{folder}/{name}") == (folder, name)


@pytest.mark.parametrize(
    ("uri", "folder", "name"),
    [
        ("/model.skops", "/", "model.skops"),
        ("model.skops", ".", "model.skops"),
        ("https://host/model.skops", "https://host", "model.skops"),
    ],
)
def test_a_file_is_split_from_its_folder(uri: str, folder: str, name: str) -> None:
    assert split(uri) == (folder, name)


def test_a_key_with_a_question_mark_is_no_secret() -> None:
    assert without_secrets("s3://bucket/a?b") == "s3://bucket/a?b"
