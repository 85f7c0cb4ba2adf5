"""The Helm chart of the runtime, made of the objects that the targets emit, so that both run the same pods.

`python -m vsr_compiler.deploy.runtime_chart charts/vsr-runtime` writes it; a test compares it with this module, and its
templates, rendered, with the objects of compiled policies. Templates use few functions: a value as JSON, which is YAML,
and conditions and ranges on lines of their own.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vsr_compiler.link import link
from vsr_compiler.manifests.objects import Body, Object
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.syntax import load
from vsr_compiler.syntax.data import parse
from vsr_compiler.targets import TARGETS, profiles, render
from vsr_compiler.targets.common import candidate
from vsr_schemas.policy.v1alpha1 import PolicySpec
from vsr_schemas.version import VERSION

IMAGE, REPLICAS, NAMESPACE = "chart.example.com/value:1", 2, "value-of-namespace"
_POLICY = f"""\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: chart}}
router: {{image: "{IMAGE}", replicas: {REPLICAS}, namespace: {NAMESPACE}}}
endpoints: {{one: {{service: "one:8000"}}}}
models: {{one: {{endpoints: one}}}}
default: one
"""
_MARK = re.compile(r"""(['"]?)@\((?P<text>[^@]*)\)@\1""")
_RANGE = re.compile(r"^(?P<indent> *)- ['\"]?@each (?P<path>[\w.]+)@['\"]?$", re.MULTILINE)
_WHEN = re.compile(r"^(?P<indent> *)- ['\"]?@when (?P<path>[\w.]+) (?P<text>[^@]*)@['\"]?$", re.MULTILINE)
_OF_PODS = (
    *("affinity", "imagePullSecrets", "initContainers", "nodeSelector", "terminationGracePeriodSeconds", "tolerations"),
)
"""Values that are fields of the pods."""
_MANAGED = "app.kubernetes.io/managed-by"


def files() -> dict[str, str]:
    """Return the files of the chart by path."""
    policy = link(load(_POLICY, "chart"), parse(load(_POLICY, "chart"), PolicySpec), profiles())
    plain, headless = (
        {item.path: item for item in render(TARGETS[target], policy).objects if item.namespace == NAMESPACE}
        for target in ("istio", "envoy-gateway")
    )
    by_kind = {(item.kind, item.name): item for item in (*headless.values(), *plain.values())}
    router = policy.router
    return {
        "Chart.yaml": dump(_CHART),
        "values.yaml": dump(
            values(by_kind["Deployment", router.grpc.name].body, by_kind["NetworkPolicy", router.grpc.name].body)
        ),
        "values.schema.json": json.dumps(SCHEMA, indent=2) + "\n",
        "templates/serviceaccount.yaml": _template(by_kind["ServiceAccount", router.grpc.name]),
        "templates/service.yaml": _template(by_kind["Service", router.grpc.name], "not .Values.headless"),
        "templates/service-headless.yaml": _template(by_kind["Service", router.headless.name], ".Values.headless"),
        "templates/service-http.yaml": _template(by_kind["Service", router.http.name]),
        "templates/deployment.yaml": _template(_deployment(by_kind["Deployment", router.grpc.name])),
        "templates/poddisruptionbudget.yaml": _template(
            by_kind["PodDisruptionBudget", router.grpc.name], ".Values.podDisruptionBudget"
        ),
        "templates/networkpolicy.yaml": _template(
            _network_policy(by_kind["NetworkPolicy", router.grpc.name]), ".Values.networkPolicy.enabled"
        ),
    }


_CHART: Body = {
    "apiVersion": "v2",
    "name": "vsr-runtime",
    "description": "The runtime of vsr-compile: an Envoy external processor that routes requests for LLMs",
    "type": "application",
    "version": VERSION,
    "appVersion": VERSION,
}


def values(deployment: Body, network_policy: Body) -> Body:
    """Return the defaults: those of a policy without anything special. The configuration has none."""
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return {
        "configMap": "",
        "configSha256": "",
        "image": f"vsr-runtime:{VERSION}",
        "replicas": REPLICAS,
        "resources": container["resources"],
        "startupProbe": container["startupProbe"],
        "terminationGracePeriodSeconds": pod["terminationGracePeriodSeconds"],
        "args": [],
        "candidate": {"configMap": "", "share": 0},
        "initContainers": [],
        "headless": False,
        "podDisruptionBudget": True,
        "networkPolicy": {"enabled": True, "from": network_policy["spec"]["ingress"][0]["from"]},
        "env": [],
        "volumes": [],
        "volumeMounts": [],
        "nodeSelector": {},
        "tolerations": [],
        "affinity": {},
        "imagePullSecrets": [],
    }


def _schema(kind: str, **words: Any) -> Body:  # noqa: ANN401 - JSON of any form
    return {"type": kind, **words}


_OBJECTS = _schema("array", items={"type": "object"})
SCHEMA: Body = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": False,
    "required": ["configMap", "image"],
    "properties": {
        "configMap": _schema(
            "string", minLength=1, maxLength=253, description="ConfigMap with the files of out/<policy>/router."
        ),
        "configSha256": _schema("string", description="Text that changes with the files, so that pods are replaced."),
        "image": _schema("string", minLength=1),
        "replicas": _schema("integer", minimum=0, maximum=1000),
        "resources": _schema("object"),
        "startupProbe": _schema("object"),
        "terminationGracePeriodSeconds": _schema("integer", minimum=0),
        "args": _schema("array", items={"type": "string"}),
        "candidate": _schema(
            "object",
            additionalProperties=False,
            description="Another policy that decides requests as well, or a share of all conversations.",
            properties={
                "configMap": _schema("string", maxLength=253, description="ConfigMap with the files of its router."),
                "share": _schema("number", minimum=0, maximum=100, description="In percent."),
            },
            **{
                "if": {"properties": {"share": {"exclusiveMinimum": 0}}, "required": ["share"]},
                "then": {"properties": {"configMap": {"minLength": 1}}, "required": ["configMap"]},
            },
        ),
        "initContainers": _OBJECTS,
        "headless": _schema("boolean", description="For Envoy Gateway, which balances over the addresses of pods."),
        "podDisruptionBudget": _schema("boolean"),
        "networkPolicy": _schema(
            "object",
            additionalProperties=False,
            properties={"enabled": _schema("boolean"), "from": {**_OBJECTS, "minItems": 1}},
        ),
        "env": _OBJECTS,
        "volumes": _OBJECTS,
        "volumeMounts": _OBJECTS,
        "nodeSelector": _schema("object", additionalProperties={"type": "string"}),
        "tolerations": _OBJECTS,
        "affinity": _schema("object"),
        "imagePullSecrets": _OBJECTS,
        "global": _schema("object"),
    },
}
"""Helm adds `global` to the values of every chart."""


def _deployment(item: Object) -> Object:
    """Return the Deployment with the values of its pods."""
    body = json.loads(json.dumps(item.body))
    spec, pod = body["spec"], body["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    body["metadata"].pop("annotations", None)
    spec["replicas"] = _value("replicas")
    spec["template"]["metadata"]["annotations"] = {"vsr.dev/config-sha256": _value("configSha256")}
    container |= {name: _value(name) for name in ("image", "resources", "startupProbe")}
    container["args"].append(_each("args"))
    container["args"] += [
        _when("candidate.configMap", f"--shadow={candidate.PATH}/config.yaml"),
        _when("candidate.share", "--share={{ toJson .Values.candidate.share }}"),
    ]
    container["env"].append(_each("env"))
    container["volumeMounts"].append(_each("volumeMounts"))
    container["volumeMounts"].append(
        _when("candidate.configMap", f"{{mountPath: {candidate.PATH}, name: candidate, readOnly: true}}")
    )
    for volume in pod["volumes"]:
        if "configMap" in volume:
            volume["configMap"]["name"] = _value("configMap")
    pod["volumes"].append(_each("volumes"))
    source = "{name: {{ toJson .Values.candidate.configMap }}, defaultMode: 292}"
    pod["volumes"].append(_when("candidate.configMap", f"{{name: candidate, configMap: {source}}}"))
    pod |= {name: _value(name) for name in _OF_PODS}
    return Object(body, item.origin)


def _network_policy(item: Object) -> Object:
    body = json.loads(json.dumps(item.body))
    body["spec"]["ingress"][0]["from"] = _value("networkPolicy.from")
    return Object(body, item.origin)


def _value(path: str) -> str:
    return f"@(toJson .Values.{path})@"


def _each(path: str) -> str:
    return f"@each .Values.{path}@"


def _when(path: str, text: str) -> str:
    """Return an item of a list, as text of the template, that is there if a value is set."""
    return f"@when .Values.{path} {text}@"


def _conditional(mark: re.Match[str]) -> str:
    """Return the item of a mark between its condition and the end, in one line."""
    indent, item = mark["indent"], " ".join(mark["text"].split())
    return f"{indent}{{{{- if {mark['path']} }}}}\n{indent}- {item}\n{indent}{{{{- end }}}}"


def _template(item: Object, condition: str = "") -> str:
    """Return an object as a template, in the namespace of the release and without marks of other controllers."""
    metadata = {key: value for key, value in item.body["metadata"].items() if key != "annotations"}
    metadata["namespace"] = "@(toJson .Release.Namespace)@"
    labels = {key: value for key, value in metadata["labels"].items() if not key.startswith("vsr.dev/")}
    metadata["labels"] = {**labels, _MANAGED: "@(.Release.Service)@"}
    text = dump({**item.body, "metadata": metadata})
    text = _RANGE.sub(r"\g<indent>{{- range \g<path> }}\n\g<indent>- {{ toJson . }}\n\g<indent>{{- end }}", text)
    text = _WHEN.sub(_conditional, text)
    text = _MARK.sub(r"{{ \g<text> }}", text)
    return f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n" if condition else text


def write(folder: Path, content: Mapping[str, str]) -> None:
    """Write the files of the chart."""
    for path, text in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), files())
