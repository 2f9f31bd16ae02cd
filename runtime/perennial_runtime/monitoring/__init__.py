"""Count and capture the predictions of a model, and the labels for them.

``monitor.py`` receives every answered request. It adds the rows to the drift counters
(``drift_counters.py``), makes prediction ids, and passes rows to the capture (``capture.py``,
``parquet.py``) if there is one. Labels go into the feedback counts (``feedback_counts.py``) and the
capture. ``counter_metrics.py`` shows the counters in /metrics.
"""
