"""Which models and which definitions of the contract belong to a value."""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

Models = tuple[type[BaseModel], ...]

_OLDER_PLUGINS = {"semantic_cache": "response_cache"}


def plugin_name(value: object) -> str:
    """Return the name by which the contract knows a plugin's type."""
    name = str(value).replace("-", "_")
    return _OLDER_PLUGINS.get(name, name)


@cache
def fields(models: Models) -> Mapping[str, Models]:
    """Return the fields that models have, by the names of the file, each with the models of its values."""
    found: dict[str, Models] = {}
    for model in models:
        for name, field in model.model_fields.items():
            key = field.alias or name
            found[key] = (*found.get(key, ()), *_models_in(field.annotation))
    return found


@cache
def literals(models: Models, name: str) -> frozenset[str]:
    """Return the texts that a field of models may have."""
    found = (model.model_fields[name].annotation for model in models if name in model.model_fields)
    return frozenset(text for annotation in found for text in _texts(annotation))


def _models_in(annotation: Any) -> Models:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    if get_origin(annotation) is Annotated:
        return _models_in(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType, list, dict):
        return tuple(model for one in get_args(annotation) for model in _models_in(one))
    return ()


def _texts(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    return tuple(text for one in get_args(annotation) for text in ((one,) if isinstance(one, str) else _texts(one)))
