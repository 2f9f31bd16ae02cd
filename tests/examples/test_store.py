import obstore
from obstore.store import MemoryStore

from flights_demo.bundle import Packed
from flights_demo.store import upload

ONE = Packed({"bundle.json": b"one", "model.onnx": b"1"})
TWO = Packed({"bundle.json": b"two", "model.onnx": b"2"})


def content(store, path):
    return bytes(obstore.get(store, path).bytes())


def test_a_bundle_is_put_under_its_prefix_and_again_without_harm():
    store = MemoryStore()
    uris = [upload(store, "flights/1", ONE) for _ in range(2)]
    assert uris == ["s3://models/flights/1/"] * 2
    assert content(store, "flights/1/model.onnx") == b"1"


def test_another_bundle_goes_beside_the_one_that_has_the_prefix_already():
    store = MemoryStore()
    upload(store, "flights/1", ONE)
    uri = upload(store, "flights/1", TWO)
    beside = f"flights/1-{TWO.digest[7:19]}"
    assert uri == f"s3://models/{beside}/"
    assert content(store, "flights/1/bundle.json") == b"one"
    assert content(store, f"{beside}/bundle.json") == b"two"
