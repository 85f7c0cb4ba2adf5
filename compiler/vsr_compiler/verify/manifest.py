"""One Kubernetes object as it is checked: its body, and the place of each part in its file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.verify.scopes import CLUSTER_SCOPED, is_cluster_scoped

Path = tuple[str | int, ...]
"""Keys and indices from an object's root."""
Body = dict[str, Any]
Identity = tuple[str, str, str, str]
"""API group, kind, namespace and name: the key of an object in an API server, whatever its version."""


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """An object that has an apiVersion, a kind and a name. Everything else about it may be wrong.

    Attributes:
        body: The object. Checks never change it.
        locate: Returns the place of a path; with True as the second argument, the place of its key.
        default_namespace: The namespace in which it lands if it is namespaced and does not say in which.
    """

    body: Body
    locate: Callable[[Path, bool], Span]
    default_namespace: str = ""

    @classmethod
    def generated(cls, body: Body, origin: Span) -> Manifest:
        """Return a generated object, all of whose parts have one place: its origin in the policy."""
        return cls(body, lambda _path, _key: origin)

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return str(self.body["apiVersion"]).rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return str(self.body["apiVersion"]).rpartition("/")[2]

    @property
    def kind(self) -> str:
        """The kind."""
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        """The name; empty if the API server generates it (`generateName`)."""
        return as_string(self.body["metadata"].get("name"))

    @property
    def namespace(self) -> str:
        """The namespace in which it lands; empty for a cluster-scoped object, and if it is unknown."""
        written = as_string(self.body["metadata"].get("namespace"))
        if written:
            # kubectl drops the namespace of a cluster-scoped object.
            return "" if (self.group, self.kind) in CLUSTER_SCOPED else written
        return "" if not self.default_namespace or is_cluster_scoped(self.group, self.kind) else self.default_namespace

    @property
    def writes_namespace(self) -> bool:
        """Whether the object itself says in which namespace it lands."""
        return bool(self.body["metadata"].get("namespace"))

    @property
    def identity(self) -> Identity:
        """The key of the object in an API server."""
        return (self.group, self.kind, self.namespace, self.name)

    @property
    def canonical_json(self) -> str:
        """The object as JSON with sorted keys: equal for equal objects."""
        return json.dumps(self.body, sort_keys=True, default=str)

    @property
    def title(self) -> str:
        """The object in messages, such as ``Service `prod/router` ``."""
        return title(self.kind, self.namespace, self.name)

    @property
    def spec(self) -> Body:
        """Its spec; empty if it has none."""
        return as_mapping(self.body.get("spec"))

    def span(self, *path: str | int, key: bool = False) -> Span:
        """Return the place of a part; for a part that does not exist, the place of its nearest parent."""
        return self.locate(path, key)

    def at(self, *path: str | int) -> Any:  # noqa: ANN401 - JSON of any form
        """Return the value at a path; None if there is none."""
        return value_at(self.body, *path)

    def entries(self, *path: str | int) -> Iterator[tuple[Path, Body]]:
        """Return the mappings in the list at a path, each with its own path."""
        items = value_at(self.body, *path)
        if not isinstance(items, list):
            return iter(())
        return iter([((*path, number), item) for number, item in enumerate(items) if isinstance(item, dict)])


def title(kind: str, namespace: str, name: str) -> str:
    """Return an object's name as messages write it."""
    return f"{kind} `{namespace}/{name}`" if namespace else f"{kind} `{name}`"


def value_at(value: object, *path: str | int) -> Any:  # noqa: ANN401 - JSON of any form
    """Return the value at a path below a value; None if there is none."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


# Link rules read objects of any shape. A value of a wrong type counts as empty: the schema check reports it once.


def as_mapping(value: object) -> Body:
    """Return the value if it is a mapping, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def as_mappings(value: object) -> list[Body]:
    """Return the mappings of a list; empty if the value is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_strings(value: object) -> list[str]:
    """Return the strings of a list; empty if the value is not a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def as_string(value: object) -> str:
    """Return the value if it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def as_string_map(value: object) -> dict[str, str]:
    """Return the entries of a mapping whose values are strings."""
    return {name: item for name, item in as_mapping(value).items() if isinstance(item, str)}
