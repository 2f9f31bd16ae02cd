"""Messages over gRPC, right and wrong, by model: path and bytes."""

from golden.wire import floats, message, packed

OIP = "/inference.GRPCInferenceService"
HEALTH = "/grpc.health.v1.Health"
TFS = "/tensorflow.serving.PredictionService"
STATUS = "/tensorflow.serving.ModelService/GetModelStatus"
Case = tuple[str, bytes]

ROWS = floats(1, 2, 3, 4.5)
X = message((1, "X"), (2, "FP32"), (3, packed(2, 2)))
TYPED = X + message((5, message((6, ROWS))))
NAMED = message((1, "double"))


def predict(name: str, tensor: bytes, *more: tuple[int, "bytes | str | int"]) -> bytes:
    """Return a PredictRequest of one input."""
    spec = message((1, name))
    entry = message((1, "X"), (2, tensor))
    return message((1, spec), (2, entry), *more)


def tensor(datatype: int, extents: list[int], *values: tuple[int, "bytes | str | int"]) -> bytes:
    """Return a TensorProto."""
    extent = message(*((2, message((1, each))) for each in extents))
    return message((1, datatype), (2, extent), *values)


def example(**features: tuple[int, "bytes | str"]) -> bytes:
    """Return an Example: by feature the kind of its list, and its values packed."""
    found = []
    for name, (kind, values) in features.items():
        inner = message((1, values))
        found.append((1, message((1, name), (2, message((kind, inner))))))
    return message((1, message(*found)))


DOUBLE: dict[str, Case] = {
    "live": (f"{OIP}/ServerLive", b""),
    "ready": (f"{OIP}/ServerReady", b""),
    "model ready": (f"{OIP}/ModelReady", NAMED),
    "other model": (f"{OIP}/ModelReady", message((1, "other"))),
    "metadata": (f"{OIP}/ModelMetadata", NAMED),
    "index": (f"{OIP}/RepositoryIndex", b""),
    "infer raw": (f"{OIP}/ModelInfer", NAMED + message((3, "7"), (5, X), (7, ROWS))),
    "infer typed": (f"{OIP}/ModelInfer", NAMED + message((5, TYPED))),
    "infer output": (f"{OIP}/ModelInfer", NAMED + message((5, TYPED), (6, message((1, "Y"))))),
    "infer unknown output": (
        f"{OIP}/ModelInfer",
        NAMED + message((5, TYPED), (6, message((1, "Q")))),
    ),
    "infer other": (f"{OIP}/ModelInfer", message((1, "other"), (5, TYPED))),
    "infer version": (f"{OIP}/ModelInfer", NAMED + message((2, "2"), (5, TYPED))),
    "infer nothing": (f"{OIP}/ModelInfer", NAMED),
    "infer short": (f"{OIP}/ModelInfer", NAMED + message((5, X), (7, ROWS[:9]))),
    "infer bytes": (f"{OIP}/ModelInfer", b"\xff" * 9),
    "unknown method": (f"{OIP}/Nothing", b""),
    "health": (f"{HEALTH}/Check", b""),
    "health service": (f"{HEALTH}/Check", message((1, "inference.GRPCInferenceService"))),
    "health unknown": (f"{HEALTH}/Check", message((1, "other"))),
    "health list": (f"{HEALTH}/List", b""),
    "tfs predict": (f"{TFS}/Predict", predict("double", tensor(1, [2, 2], (5, ROWS)))),
    "tfs content": (f"{TFS}/Predict", predict("double", tensor(1, [2, 2], (4, ROWS)))),
    "tfs filter": (f"{TFS}/Predict", predict("double", tensor(1, [2, 2], (5, ROWS)), (3, "Y"))),
    "tfs type": (f"{TFS}/Predict", predict("double", tensor(2, [2, 2], (5, ROWS)))),
    "tfs shape": (f"{TFS}/Predict", predict("double", tensor(1, [4], (5, ROWS)))),
    "tfs other": (f"{TFS}/Predict", predict("other", tensor(1, [2, 2], (5, ROWS)))),
    "tfs classify": (f"{TFS}/Classify", message((1, NAMED))),
    "tfs metadata": (
        f"{TFS}/GetModelMetadata",
        message((1, NAMED), (2, "signature_def")),
    ),
    "tfs status": (STATUS, message((1, NAMED))),
    "tfs status of another": (STATUS, message((1, message((1, "other"))))),
}

# The chances are exactly one half, whichever kernel computes them.
FIRST = example(
    amount=(2, floats(-1)), carrier=(1, "AA"), seats=(3, packed(150)), weekend=(3, packed(0))
)
SECOND = example(
    amount=(2, floats(0)), carrier=(1, "BB"), seats=(3, packed(9)), weekend=(3, packed(1))
)
EXAMPLES = message((1, message((1, FIRST), (1, SECOND))))
FLIGHTS: dict[str, Case] = {
    "metadata": (f"{OIP}/ModelMetadata", message((1, "flights"))),
    "infer": (
        f"{OIP}/ModelInfer",
        message(
            (1, "flights"),
            (5, message((1, "amount"), (2, "FP32"), (3, packed(1, 1)))),
            (5, message((1, "carrier"), (2, "BYTES"), (3, packed(1, 1)))),
            (5, message((1, "seats"), (2, "INT64"), (3, packed(1, 1)))),
            (5, message((1, "weekend"), (2, "BOOL"), (3, packed(1)))),
            (7, floats(-1)),
            (7, b"\x02\x00\x00\x00AA"),
            (7, (150).to_bytes(8, "little")),
            (7, b"\x01"),
        ),
    ),
    "tfs classify": (f"{TFS}/Classify", message((1, message((1, "flights"))), (2, EXAMPLES))),
    "tfs regress": (f"{TFS}/Regress", message((1, message((1, "flights"))), (2, EXAMPLES))),
    "tfs no examples": (f"{TFS}/Classify", message((1, message((1, "flights"))))),
}
FARES: dict[str, Case] = {
    "tfs regress": (
        f"{TFS}/Regress",
        message(
            (1, message((1, "fares"))),
            (2, message((1, message((1, example(miles=(2, floats(5)))))))),
        ),
    ),
}
MAPS = ("metadata", "health list", "tfs predict", "tfs content", "tfs filter")
"""Cases whose answers hold a map, which protobuf writes in any order."""
