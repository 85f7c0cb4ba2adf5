"""Schemas of Kubernetes' own kinds, made from the models of its Python client: fields, types, what must be there."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from vsr_compiler.verify.manifest import Body
from vsr_compiler.verify.schema import core_tables as tables
from vsr_compiler.verify.schema.node import Node, Ref

_CONTAINER = re.compile(r"(?i)(list|dict)[\[(](?:str, ?)?(.+)[\])]")
_PLAIN: Mapping[str, Body] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "bytes": {"type": "string", "format": "byte"},
    "bytearray": {"type": "string", "format": "byte"},
}
_ANY: Body = {"x-kubernetes-preserve-unknown-fields": True}


def available() -> bool:
    """Whether the client is installed."""
    return importlib.util.find_spec("kubernetes") is not None


@lru_cache(maxsize=64)
def kind(group: str, version: str, name: str) -> Node | None:
    """The schema of a kind of ours; None where there is no such kind in that version."""
    if not version.isalnum() or not name.isalnum() or not served(group, version):
        return None
    start = f"{version[:1].upper()}{version[1:]}"
    models = (f"{prefix}{start}{name}" for prefix in ("", "Core", group.partition(".")[0].capitalize()))
    found = next((each for each in models if "kind" in getattr(_model(each), "attribute_map", {})), None)
    return None if found is None else Node(_schema(found))


def served(group: str, version: str) -> bool:
    """Whether the client knows a version of an API group."""
    part = group.removesuffix(".k8s.io").replace(".", "_") or "core"
    # Its modules are many and large: that the file is there says enough.
    return (_folder() / "client" / "api" / f"{part}_{version}_api.py").is_file()


@lru_cache(maxsize=1)
def _folder() -> Path:
    found = importlib.util.find_spec("kubernetes")
    assert found is not None  # noqa: S101 - whoever asks has asked ``available`` before
    assert found.origin is not None  # noqa: S101 - a package's own file
    return Path(found.origin).parent


def alike(version: str) -> list[str]:
    """The kinds that there are in a version, of whatever group."""
    from kubernetes.client import models  # noqa: PLC0415 - large; needed where core kinds are checked

    start = f"{version[:1].upper()}{version[1:]}"
    return [name.removeprefix(start) for name in dir(models) if name.startswith(start)]


def _model(name: str) -> Any:  # noqa: ANN401 - the client carries no types
    from kubernetes.client import models  # noqa: PLC0415 - as above

    return getattr(models, name, None)


@lru_cache(maxsize=1024)
def _schema(name: str) -> Body:
    """A model as a structural schema; what it holds is made later."""
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


def _field(model: str, attribute: str, kind: str) -> Body:
    found = _typed(kind)
    if (model, attribute) in tables.QUANTITIES:
        return {"format": "quantity"}
    if attribute in tables.AMOUNTS and kind.lower().startswith("dict"):
        return {"type": "object", "additionalProperties": {"format": "quantity"}}
    if kind == "object" and attribute in tables.INT_OR_STRING:
        found = {"x-kubernetes-int-or-string": True}
    if (model, attribute) in tables.CHOICES:
        return {"type": "string", "enum": tables.CHOICES[model, attribute]}
    if (model, attribute) in tables.KEYS:
        keys = tables.KEYS[model, attribute]
        return {**found, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
    if (model, attribute) in tables.PORTS:
        return {"type": "integer", "minimum": 1, "maximum": 65535}
    return found


def _typed(kind: str) -> Body:
    match = _CONTAINER.fullmatch(kind)
    if match is not None:
        inner = _typed(match[2])
        lists = match[1].lower() == "list"
        return {"type": "array", "items": inner} if lists else {"type": "object", "additionalProperties": inner}
    if kind in _PLAIN:
        return _PLAIN[kind]
    return _ANY if kind == "object" else Ref(lambda: _schema(kind))


def _required(model: Any) -> list[str]:  # noqa: ANN401 - as above
    """The attributes that must be given: newer clients declare them, older ones refuse None when one is set."""
    fields = getattr(model, "model_fields", None)
    if fields is not None:
        return [name for name, field in fields.items() if field.is_required()]
    found = []
    stand_in = SimpleNamespace(local_vars_configuration=SimpleNamespace(client_side_validation=True))
    for name in model.attribute_map:
        try:
            getattr(model, name).fset(stand_in, None)
        except ValueError:
            found.append(name)
    return found
