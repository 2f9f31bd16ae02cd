"""The reports of the year's runs, copied to where a browser opens them."""

import shutil
from pathlib import Path

from obstore.store import S3Store

from . import deployment, store
from .kubectl import Kubectl


def collect(kubectl: Kubectl, bucket: S3Store, folder: Path) -> list[Path]:
    """Copies the report of each run that has one, the oldest run first.

    Args:
        kubectl: the cluster.
        bucket: where the reports lie.
        folder: for the copies; what an earlier year left there is removed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    runs = kubectl.get("rjob", "-n", deployment.NAMESPACE)["items"]
    copies = []
    for run in sorted(runs, key=lambda run: run["metadata"]["creationTimestamp"]):
        if uri := run.get("status", {}).get("report"):
            copies.append(folder / f"{run['metadata']['name']}.html")
            store.download(bucket, uri, copies[-1])
    return copies
