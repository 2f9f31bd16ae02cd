"""Contracts between Perennial's programs. Begin with ``api/modeldeployment.py``.

``api/`` has the custom resources: users write them, the operator acts on them, and ``api/crd.py``
makes the CRDs from them. ``wire/`` has the formats that one program writes and another reads: a
bundle, its drift profile, a pod's counters, captured rows, the plan of a run, the outcome of a pod.
``stats/`` has the arithmetic of drift and quality on those counts. Everything here is values,
checks and arithmetic; nothing reads or writes a file or a socket.
"""
