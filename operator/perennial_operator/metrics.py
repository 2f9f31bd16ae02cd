"""Prometheus metrics of the operator."""

from prometheus_client import Counter, Gauge, Histogram

QUEUE_DEPTH = Gauge(
    "perennial_operator_queue_depth",
    "ModelDeployments and RetrainJobs that wait for a worker.",
)
RECONCILE_SECONDS = Histogram(
    "perennial_operator_reconcile_seconds",
    "Duration of one reconciliation in seconds.",
    ["kind"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
RECONCILE_ERRORS = Counter(
    "perennial_operator_reconcile_errors_total", "Reconciliations that failed.", ["kind"]
)
API_REQUESTS = Counter(
    "perennial_operator_api_requests_total",
    "Requests to the API server, without watches.",
    ["verb", "kind", "code"],
)
READING_ERRORS = Counter(
    "perennial_operator_counter_reading_errors_total",
    "Failed attempts to read the counters of a pod.",
)
