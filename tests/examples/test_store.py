import duckdb
import obstore
from obstore.store import MemoryStore

from flights_demo.store import clear, upload, upload_table
from perennial_contracts.wire.digest import digest_of

ONE = {"bundle.json": b"one", "model.onnx": b"1"}
TWO = {"bundle.json": b"two", "model.onnx": b"2"}


def content(store, path):
    return bytes(obstore.get(store, path).bytes())


def test_a_bundle_can_be_uploaded_twice():
    store = MemoryStore()
    uris = [upload(store, "flights/1", ONE) for _ in range(2)]
    assert uris == ["s3://models/flights/1/"] * 2
    assert content(store, "flights/1/model.onnx") == b"1"


def test_another_bundle_with_the_same_prefix_gets_a_prefix_of_its_own():
    store = MemoryStore()
    upload(store, "flights/1", ONE)
    uri = upload(store, "flights/1", TWO)
    beside = f"flights/1-{digest_of(b'two')[7:19]}"
    assert uri == f"s3://models/{beside}/"
    assert content(store, "flights/1/bundle.json") == b"one"
    assert content(store, f"{beside}/bundle.json") == b"two"


def test_a_table_is_uploaded_as_parquet(tmp_path, rows):
    store = MemoryStore()
    table = rows[:500].table()
    assert upload_table(store, "flights/january.parquet", table) == (
        "s3://models/flights/january.parquet"
    )
    file = tmp_path / "table.parquet"
    file.write_bytes(content(store, "flights/january.parquet"))
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM '{file}'").df()
    assert list(found) == list(table)
    assert found["late"].tolist() == table["late"].tolist()
    assert found["dest"].tolist() == table["dest"].tolist()


def test_only_objects_below_the_prefix_are_deleted():
    store = MemoryStore()
    for name in ("capture/model=delays/a", "capture/model=delays/b/c", "capture/model=delays2/a"):
        obstore.put(store, name, b"x")
    assert clear(store, "capture/model=delays") == 2
    assert clear(store, "capture/model=delays") == 0
    assert content(store, "capture/model=delays2/a") == b"x"
