"""Generate the CustomResourceDefinitions from the pydantic models.

``python -m perennial_contracts.api.crd crds`` writes them, ``--check`` only compares. A construct
without a structural counterpart raises an error, so that nothing is dropped silently.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from . import modeldeployment, retrainjob
from .common import GROUP, VERSION

Schema = dict[str, Any]
_RULES = "x-kubernetes-validations"

_COPIED = {
    "type", "enum", "format", "pattern", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "maxProperties", "default", "required",
}  # fmt: skip
_HANDLED = _COPIED | {
    "$ref", "anyOf", "properties", "items", "additionalProperties", "description", "title",
    "const", "propertyNames", "$defs",
}  # fmt: skip


def structural(schema: Schema, definitions: Schema, path: str = "") -> Schema:
    """Convert a pydantic JSON schema to a structural schema.

    References are inlined, and nulls are dropped. Descriptions get the default of their field,
    validation messages its path.

    Raises ``ValueError`` for constructs that a structural schema does not have, and for unbounded
    strings, lists and maps (their cost would make the API server reject the CEL rules).
    """
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[1]]
        extras = {key: value for key, value in schema.items() if key != "$ref"}
        checks = [*target.get(_RULES, []), *extras.get(_RULES, [])]
        schema = {**target, **extras, **({_RULES: checks} if checks else {})}
    if "anyOf" in schema:
        schema = _without_null(schema, definitions)
        if "$ref" in schema:
            return structural(schema, definitions, path)

    unknown = {key for key in schema if not key.startswith("x-kubernetes-")} - _HANDLED
    if unknown:
        raise ValueError(f"{path}: no structural counterpart for {', '.join(sorted(unknown))}")

    result = {
        key: value
        for key, value in schema.items()
        if (key in _COPIED or key.startswith("x-kubernetes-")) and value is not None
    }
    if "const" in schema:
        result["enum"] = [schema["const"]]
    if "description" in schema:
        result["description"] = _described(schema, path)
    if _RULES in result:
        field = path.removeprefix(".")
        result[_RULES] = [
            {**rule, "message": rule["message"].replace("{path}", field)} for rule in result[_RULES]
        ]
    if "properties" in schema:
        result["properties"] = {
            name: structural(child, definitions, f"{path}.{name}")
            for name, child in schema["properties"].items()
        }
    elif isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = structural(
            schema["additionalProperties"], definitions, f"{path}.*"
        )
    if "items" in schema:
        result["items"] = structural(schema["items"], definitions, f"{path}[]")
    _require_bounds(result, path)
    return result


def _described(schema: Schema, path: str) -> str:
    """Return the description on one line, with the default of a field of the spec."""
    text, default = " ".join(schema["description"].split()), schema.get("default")
    if isinstance(default, bool):
        default = str(default).lower()
    if path.startswith(".status") or not isinstance(default, int | str) or default == "":
        return text
    return f"{text} Defaults to {default}."


def _without_null(schema: Schema, definitions: Schema) -> Schema:
    """Convert ``X | None`` to X, and ``int | str`` to Kubernetes' int-or-string."""
    options = [option for option in schema["anyOf"] if option != {"type": "null"}]
    extras = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(options) == 1:
        return {**options[0], **extras}
    if {option.get("type") for option in options} == {"integer", "string"}:
        (text,) = (option for option in options if option["type"] == "string")
        bound = {key: value for key, value in text.items() if key != "type"}
        return {**extras, **bound, "x-kubernetes-int-or-string": True}
    raise ValueError(f"no structural counterpart for a union of {options}")


def _require_bounds(schema: Schema, path: str) -> None:
    kind = schema.get("type")
    bounded = (
        kind not in ("string", "array", "object")
        or (kind == "string" and ("maxLength" in schema or "enum" in schema))
        or (kind == "array" and "maxItems" in schema)
        or (
            kind == "object"
            and (
                "properties" in schema
                or "maxProperties" in schema
                or schema.get("x-kubernetes-preserve-unknown-fields", False)
            )
        )
    )
    if not bounded:
        raise ValueError(f"{path}: a {kind} needs an upper bound")


def openapi(model: type[BaseModel]) -> Schema:
    """Return the ``openAPIV3Schema`` of a kind."""
    schema = model.model_json_schema()
    return structural(schema, schema.get("$defs", {}))


def model_deployment_crd() -> Schema:
    """Return the CustomResourceDefinition of ModelDeployment."""
    return _crd(
        modeldeployment.KIND,
        modeldeployment.PLURAL,
        modeldeployment.SHORT_NAME,
        modeldeployment.ModelDeployment,
        {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        [
            _column("Ready", _condition("Ready", "status")),
            _column("Available", ".status.readyReplicas", type_="integer"),
            _column("Wanted", ".spec.replicas", type_="integer"),
            _column("Revision", ".status.stable.name"),
            _column("Candidate", ".status.candidate.name"),
            _column("Progress", _condition("Progressing", "reason")),
            _column("Drift", _condition("DriftDetected", "reason")),
            _column("Quality", _condition("QualityDropped", "reason")),
            _column("Retraining", _condition("Retraining", "reason")),
            _column("Age", ".metadata.creationTimestamp", type_="date"),
            _column("URL", ".status.url", wide=True),
            _column("Digest", ".status.stable.digest", wide=True),
            _column("Message", _condition("Progressing", "message"), wide=True),
        ],
    )


def retrain_job_crd() -> Schema:
    """Return the CustomResourceDefinition of RetrainJob."""
    return _crd(
        retrainjob.KIND,
        retrainjob.PLURAL,
        retrainjob.SHORT_NAME,
        retrainjob.RetrainJob,
        {"status": {}},
        [
            _column("Model", ".spec.modelRef.name"),
            _column("Trigger", ".spec.trigger.type"),
            _column("Succeeded", _condition("Succeeded", "status")),
            _column("Reason", _condition("Succeeded", "reason")),
            _column("Trials", ".status.progress.trialsDone", type_="integer"),
            _column("Candidate", ".status.challenger.candidate"),
            _column("Age", ".metadata.creationTimestamp", type_="date"),
            _column("Best", ".status.progress.best.value", wide=True),
            _column("Queue", ".spec.queueName", wide=True),
            _column("Message", _condition("Succeeded", "message"), wide=True),
        ],
    )


def _crd(
    kind: str,
    plural: str,
    short_name: str,
    model: type[BaseModel],
    subresources: Schema,
    columns: list[Schema],
) -> Schema:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short_name],
                "categories": ["all", "perennial"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": openapi(model)},
                    "subresources": subresources,
                    "additionalPrinterColumns": columns,
                }
            ],
        },
    }


def _condition(type_: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{type_}")].{field}'


def _column(name: str, path: str, *, type_: str = "string", wide: bool = False) -> Schema:
    return {"name": name, "type": type_, "jsonPath": path, **({"priority": 1} if wide else {})}


def crd_files() -> dict[str, str]:
    """Return the text of each file of ``crds/``, by name."""
    crds = [model_deployment_crd(), retrain_job_crd()]
    return {
        f"{crd['spec']['names']['plural']}.yaml": yaml.dump(
            crd, Dumper=_PlainDumper, sort_keys=False, width=100
        )
        for crd in crds
    }


class _PlainDumper(yaml.SafeDumper):
    """Dumper that writes repeated values in full, because anchors are hard to read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main(arguments: list[str] | None = None) -> int:
    """Write or check the files; return 1 if a checked file differs."""
    parser = argparse.ArgumentParser(prog="perennial_contracts.api.crd", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args(arguments)
    stale = []
    for name, text in crd_files().items():
        file = options.folder / name
        if not file.exists() or file.read_text() != text:
            stale.append(file)
            if not options.check:
                file.write_text(text)
    if stale and options.check:
        print(f"Out of date: {', '.join(map(str, stale))}. Run make crds.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
