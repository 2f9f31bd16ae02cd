"""A monitored and retrained model on the real cluster, and its runs."""

from typing import Any

from . import tabular
from .cluster import Namespace, Object, wait_until
from .tabular import TRUTH, traffic


def succeeded(run: Object) -> Object:
    """Return the condition Succeeded of a RetrainJob; empty if it has none yet."""
    conditions: list[Object] = run.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Succeeded"), {})


class Loop:
    """Monitored model in a namespace of the test."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.made = tabular.bundle()
        self.uri = namespace.cluster.put_model(f"loop/{namespace.name}/1", self.made.files)
        self.capture = f"s3://models/capture/{namespace.name}/"

    def template(self, **changes: Any) -> Object:
        template: Object = {
            "data": {
                "label": "buys",
                "positive": "1",
                "window": "1h",
                "minRows": 200,
                "maxRows": 3000,
            },
            "search": {"candidates": ["Logistic"], "metric": "roc_auc", "maxTrials": 1},
            "gate": {"metric": "roc_auc"},
            "output": {"uri": f"s3://models/loop/{self.namespace.name}/"},
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
            "activeDeadlineSeconds": 300,
        }
        return {**template, **changes}

    def deploy(self, **changes: Any) -> None:
        """Serve the model with windows of seconds."""
        spec: Object = {
            "monitoring": {
                "window": "3s",
                "drift": {"minSamples": 1000, "consecutive": 2},
                "quality": {"metric": "roc_auc", "minLabels": 1000, "consecutive": 2},
                "capture": {"uri": self.capture, "flushSeconds": 1},
            },
            "retraining": {
                "policy": {"cooldown": "1h", "minLabels": 500},
                "template": self.template(),
            },
        }
        self.namespace.deploy("shop", self.uri, **{**spec, **changes})
        self.namespace.wait_complete("shop", 90)

    @property
    def address(self) -> str:
        return self.namespace.address("shop")

    def status(self) -> Object:
        found: Object = self.namespace.get("mdep", "shop")["status"]
        return found

    def runs(self) -> list[Object]:
        return self.namespace.list("rjob")

    def wait(self, type_: str, reason: str, seconds: float = 90) -> Object:
        return self.namespace.wait_for("shop", type_, reason, seconds=seconds)

    def wait_for_run(
        self, name: str, reason: str, seconds: float = 180, *, ended: bool = True
    ) -> Object:
        """Wait until a RetrainJob has a reason, ended or not; return it."""

        def look() -> Object | None:
            run = self.namespace.get("rjob", name)
            condition = succeeded(run)
            has_ended = condition.get("status", "Unknown") != "Unknown"
            if condition.get("reason") == reason and has_ended == ended:
                return run
            assert not has_ended, condition
            return None

        return wait_until(look, seconds, lambda: self.namespace.get("rjob", name).get("status"))

    def wait_for_decision(self, name: str, seconds: float = 240) -> Object:
        """Wait until a RetrainJob has any decision; return it."""

        def look() -> Object | None:
            run = self.namespace.get("rjob", name)
            ended = succeeded(run)
            assert ended.get("status") != "False", ended
            return run if run.get("status", {}).get("decision") else None

        return wait_until(look, seconds, lambda: self.namespace.get("rjob", name).get("status"))

    def run_by_hand(self, name: str, **changes: Any) -> None:
        self.namespace.apply(
            {
                "apiVersion": "perennial.dev/v1alpha1",
                "kind": "RetrainJob",
                "metadata": {"name": name},
                "spec": {"modelRef": {"name": "shop"}, **self.template(**changes)},
            }
        )

    def deploy_quietly(self) -> None:
        """Serve the model without automatic retraining."""
        self.deploy(retraining={"when": [], "template": self.template()})

    def capture_rows(self) -> None:
        """Send some thousand rows with their labels."""
        with traffic(self.address, "shop", lambda: TRUTH) as report:
            wait_until(lambda: report.sent > 40)
