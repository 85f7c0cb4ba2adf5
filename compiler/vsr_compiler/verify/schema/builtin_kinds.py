"""Schemas of Kubernetes' built-in kinds, derived from the models of its Python client."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from vsr_compiler.verify.manifest import Body
from vsr_compiler.verify.schema import builtin_tables as tables
from vsr_compiler.verify.schema.node import Node, Ref

_CONTAINER = re.compile(r"(?i)(list|dict)[\[(](?:str, ?)?(.+)[\])]")
_PLAIN: Mapping[str, Body] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "bytes": {"type": "string", "format": "base64"},
    "bytearray": {"type": "string", "format": "base64"},
}
_ANY: Body = {"x-kubernetes-preserve-unknown-fields": True}


def available() -> bool:
    """Whether the client is installed."""
    return importlib.util.find_spec("kubernetes") is not None


@lru_cache(maxsize=64)
def schema_of(group: str, version: str, name: str) -> Node | None:
    """Return the schema of a built-in kind; None if the version does not have it."""
    if not version.isalnum() or not name.isalnum() or not is_served(group, version):
        return None
    start = f"{version[:1].upper()}{version[1:]}"
    models = (f"{prefix}{start}{name}" for prefix in ("", "Core", group.partition(".")[0].capitalize()))
    schema = next((each for each in models if "kind" in getattr(_model(each), "attribute_map", {})), None)
    return None if schema is None else Node(_model_schema(schema))


def is_served(group: str, version: str) -> bool:
    """Whether the client has a version of an API group."""
    part = group.removesuffix(".k8s.io").replace(".", "_") or "core"
    # Importing the module is slow; the existence of its file is sufficient.
    return (_folder() / "client" / "api" / f"{part}_{version}_api.py").is_file()


@lru_cache(maxsize=1)
def _folder() -> Path:
    schema = importlib.util.find_spec("kubernetes")
    assert schema is not None  # noqa: S101 - callers check ``available`` first
    assert schema.origin is not None  # noqa: S101 - the package has a file
    return Path(schema.origin).parent


def kinds_of(version: str) -> list[str]:
    """Return the kinds of a version, in any API group."""
    from kubernetes.client import models  # noqa: PLC0415 - large, and needed for built-in kinds only

    start = f"{version[:1].upper()}{version[1:]}"
    return [name.removeprefix(start) for name in dir(models) if name.startswith(start)]


def _model(name: str) -> Any:  # noqa: ANN401 - the client has no types
    from kubernetes.client import models  # noqa: PLC0415 - as above

    return getattr(models, name, None)


@lru_cache(maxsize=1024)
def _model_schema(name: str) -> Body:
    """Return a model as a structural schema; nested models are resolved later."""
    if name == "V1ObjectMeta":
        return tables.METADATA
    model = _model(name)
    if model is None:
        return _ANY
    properties: Body = {}
    for attribute, field in model.attribute_map.items():
        properties[field] = _field(name, attribute, model.openapi_types[attribute])
    required = [model.attribute_map[attribute] for attribute in _required(model)]
    if name in tables.OPEN:
        return {"type": "object", "properties": properties, **_ANY}
    return {"type": "object", "properties": properties, "required": required}


def _field(model: str, attribute: str, type_name: str) -> Body:
    schema = _typed(type_name)
    if (model, attribute) in tables.QUANTITIES:
        return {"format": "quantity"}
    if attribute in tables.AMOUNTS and type_name.lower().startswith("dict"):
        return {"type": "object", "additionalProperties": {"format": "quantity"}}
    if type_name == "object" and attribute in tables.INT_OR_STRING:
        schema = {"x-kubernetes-int-or-string": True}
    if (model, attribute) in tables.CHOICES:
        return {"type": "string", "enum": tables.CHOICES[model, attribute]}
    if (model, attribute) in tables.KEYS:
        keys = tables.KEYS[model, attribute]
        return {**schema, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
    if (model, attribute) in tables.PORTS:
        return {"type": "integer", "minimum": 1, "maximum": 65535}
    return schema


def _typed(type_name: str) -> Body:
    match = _CONTAINER.fullmatch(type_name)
    if match is not None:
        inner = _typed(match[2])
        lists = match[1].lower() == "list"
        return {"type": "array", "items": inner} if lists else {"type": "object", "additionalProperties": inner}
    if type_name in _PLAIN:
        return _PLAIN[type_name]
    return _ANY if type_name == "object" else Ref(lambda: _model_schema(type_name))


def _required(model: Any) -> list[str]:  # noqa: ANN401 - as above
    """Return the required attributes. Newer clients declare them; setters of older ones reject None."""
    fields = getattr(model, "model_fields", None)
    if fields is not None:
        return [name for name, field in fields.items() if field.is_required()]
    schema = []
    stub = SimpleNamespace(local_vars_configuration=SimpleNamespace(client_side_validation=True))
    for name in model.attribute_map:
        try:
            getattr(model, name).fset(stub, None)
        except ValueError:
            schema.append(name)
    return schema
