"""The trainer: programs that train, judge and prepare models, each in a Job.

Begin with ``cli``, whose docstring follows a run through the packages. A module in ``steps`` shows
the stages of its step; ``data``, ``selection``, ``evaluation`` and ``bundle`` contain the details.
``tests/trainer/test_first_run.py`` is the same way as a test.
"""

import os

# ONNX Runtime must not report to its vendor unless the user sets this.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
