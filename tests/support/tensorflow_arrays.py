"""Array of every element type, with its least and greatest values."""

import numpy as np

ARRAYS = {
    "FP32": np.array([[0.1, np.nan], [-np.inf, 3e38]], np.float32),
    "FP64": np.array([[0.1, np.nan], [-np.inf, 1e300]], np.float64),
    "FP16": np.array([[0.5, np.nan], [-np.inf, 65504]], np.float16),
    "INT8": np.array([[-128, 127]], np.int8),
    "INT16": np.array([[-32768, 32767]], np.int16),
    "INT32": np.array([[-(2**31), 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**63), 2**63 - 1]], np.int64),
    "UINT8": np.array([[0, 255]], np.uint8),
    "UINT16": np.array([[0, 65535]], np.uint16),
    "UINT32": np.array([[0, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, 2**64 - 1]], np.uint64),
    "BOOL": np.array([[True, False]], np.bool_),
    "BYTES": np.array([["a", "né\0"]], object),
}
