"""Copy the reports of the runs, for a browser."""

import shutil
from pathlib import Path

from obstore.store import S3Store

from . import deployment, store
from .kubectl import Kubectl


def collect(kubectl: Kubectl, bucket: S3Store, folder: Path) -> list[Path]:
    """Copy the report of each run that has one, the oldest run first.

    Args:
        kubectl: the cluster.
        bucket: bucket with the reports.
        folder: folder for the copies; earlier copies are removed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    runs = kubectl.get("rjob", "-n", deployment.NAMESPACE)["items"]
    copies = []
    for run in sorted(runs, key=lambda run: run["metadata"]["creationTimestamp"]):
        if uri := run.get("status", {}).get("report"):
            copies.append(folder / f"{run['metadata']['name']}.html")
            store.download(bucket, uri, copies[-1])
    return copies
