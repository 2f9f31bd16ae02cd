"""What runs in the Jobs: rows are assembled, a model is trained and judged.

The pure core is below: ``candidates`` and ``search`` find a model, ``convert`` and ``parity`` make
ONNX of it, ``compare`` and ``gate`` judge it, ``profile`` and ``bundle`` pack it. The edges are
``cli``, ``store``, ``tables`` and the three steps.
"""

import os

# A trainer reports nothing to anybody unless its owner says so.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
