"""Several worker processes that serve the same ports as one server.

``supervisor.py`` starts the processes and ends them together; each runs ``worker.py``, which is
:func:`perennial_runtime.server.serve` with shared ports. They exchange ``messages.py`` with the
supervisor. For metrics, ``peer_metrics.py`` adds up the counters of all of them.
"""
