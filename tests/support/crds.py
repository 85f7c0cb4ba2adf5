"""Custom resources held against their CustomResourceDefinitions: strict structure, and the defaults they would get."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from vsr_compiler.releases.known import by_number
from vsr_compiler.verify.schema.downloads import read_lock

Schema = dict[str, Any]


def load(folder: Path) -> dict[tuple[str, str], Schema]:
    """Schemas by apiVersion and kind, from a folder of CRDs."""
    found: dict[tuple[str, str], Schema] = {}
    for path in sorted(folder.rglob("*.yaml")):
        crd = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        spec = crd["spec"]
        for version in spec["versions"]:
            key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            found[key] = version["schema"]["openAPIV3Schema"]
    return found


def problems(schema: Schema, body: dict[str, Any]) -> list[str]:
    """What the API server would refuse: wrong types, values, and fields that it does not know."""
    return [f"{error.json_path}: {error.message}" for error in _validator(schema).iter_errors(body)]


def _validator(schema: Schema) -> Draft202012Validator:
    """The validator of a schema. Schemas are unhashable and live as long as the cache, which holds them."""
    if id(schema) not in _VALIDATORS:
        _VALIDATORS[id(schema)] = schema, Draft202012Validator(strict(schema, top=True))
    return _VALIDATORS[id(schema)][1]


_VALIDATORS: dict[int, tuple[Schema, Draft202012Validator]] = {}


def strict(schema: Any, *, top: bool = False) -> Any:
    """A structural schema as plain JSON Schema, with unknown fields refused."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: strict(value) for key, value in schema.items() if key not in {"properties", "default", "format"}}
    if "properties" in schema:
        out["properties"] = {name: strict(child) for name, child in schema["properties"].items()}
        if top:
            out["properties"] |= {"apiVersion": True, "kind": True, "metadata": True}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            out.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        out.pop("type", None)
    if schema.get("nullable") and "type" in out:
        out["type"] = [out["type"], "null"]
    return out


def defaulted(schema: Schema, body: Any) -> Any:
    """What the API server stores: the object with its schema's defaults filled in."""
    body = copy.deepcopy(body)
    # The status is a subresource: what a manifest would say of it is dropped.
    properties = {name: child for name, child in schema["properties"].items() if name != "status"}
    _fill({**schema, "properties": properties}, body)
    return body


def _fill(schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name not in value and "default" in child:
                value[name] = copy.deepcopy(child["default"])
            if name in value:
                _fill(child, value[name])
        if isinstance(schema.get("additionalProperties"), dict):
            for child in value.values():
                _fill(schema["additionalProperties"], child)
    elif isinstance(value, list):
        for item in value:
            _fill(schema.get("items", {}), item)


def profile(reference: Path, *projects: str) -> dict[tuple[str, str], Schema]:
    """The schemas of several projects' folders, below `crds` or `crds-newer` of the reference data."""
    found: dict[tuple[str, str], Schema] = {}
    for project in projects:
        places = (reference / "crds" / project, reference / "crds-newer" / project)
        found |= load(next(place for place in places if place.is_dir()))
    return found


def folders(versions: Mapping[str, str]) -> tuple[str, ...]:
    """The folders of the releases of a policy.

    A release whose definitions are not at hand has those of the newest earlier patch or minor release of its project.
    """
    found: list[str] = []
    for project, release in versions.items():
        known = [item for item in read_lock() if item.project == project and by_number(item.release)]
        before = [item for item in known if by_number(item.release) <= by_number(release)]
        if not before or project not in PROJECTS:
            continue
        name = max(before, key=lambda item: by_number(item.release)).name
        if project == "inference-extension":
            name = f"gateway-api-{name}"
        if project == "gateway-api":
            # Its 1.2.0 has BackendTLSPolicy in the experimental channel only.
            found += [f"{name}/experimental"] if release == "1.2.0" else []
            name = f"{name}/standard"
        found.append(name)
    return tuple(found)


PROJECTS = frozenset(
    {
        "agentgateway",
        "envoy-ai-gateway",
        "envoy-gateway",
        "gateway-api",
        "inference-extension",
        "istio",
        "llm-d-router",
    },
)
"""Projects whose definitions apply to objects of targets."""


def custom(
    bodies: Iterator[dict[str, Any]], schemas: dict[tuple[str, str], Schema]
) -> Iterator[tuple[dict[str, Any], Schema]]:
    """Those objects that have a CRD, each with its schema."""
    for body in bodies:
        schema = schemas.get((body["apiVersion"], body["kind"]))
        if schema is not None:
            yield body, schema
