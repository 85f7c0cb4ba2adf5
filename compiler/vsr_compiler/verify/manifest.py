"""One Kubernetes object as it is checked: its body, and where each part of it stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import Span

Path = tuple[str | int, ...]
"""Keys and indices from an object's root."""
Body = dict[str, Any]
Identity = tuple[str, str, str, str]
"""API group, kind, namespace and name: what an API server stores an object under, whatever its version."""


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """An object that has an apiVersion, a kind and a name; everything else about it may be wrong.

    Attributes:
        body: The object. The checks never change it.
        where: Gives the place of a path; with True as the second argument, the place of its key.
    """

    body: Body
    where: Callable[[Path, bool], Span]

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
        """The name; empty where the API server makes one (`generateName`)."""
        return text(self.body["metadata"].get("name"))

    @property
    def namespace(self) -> str:
        """The namespace; empty for a cluster-scoped object, and for one that does not say."""
        return text(self.body["metadata"].get("namespace"))

    @property
    def identity(self) -> Identity:
        """What the API server stores it under."""
        return (self.group, self.kind, self.namespace, self.name)

    @property
    def content(self) -> str:
        """Itself as text: two of the same say the same."""
        return json.dumps(self.body, sort_keys=True, default=str)

    @property
    def title(self) -> str:
        """How messages call it."""
        return title(self.kind, self.namespace, self.name)

    @property
    def spec(self) -> Body:
        """Its spec; empty where it has none."""
        return table(self.body.get("spec"))

    def span(self, *path: str | int, key: bool = False) -> Span:
        """Where a part stands; a part that is not there gets the place of what should hold it."""
        return self.where(path, key)

    def at(self, *path: str | int) -> Any:  # noqa: ANN401 - JSON of any form
        """The value at a path; None where there is none."""
        return dig(self.body, *path)

    def each(self, *path: str | int) -> Iterator[tuple[Path, Body]]:
        """The mappings in the list at a path, each with its own path."""
        found = dig(self.body, *path)
        if not isinstance(found, list):
            return iter(())
        return iter([((*path, number), item) for number, item in enumerate(found) if isinstance(item, dict)])


def title(kind: str, namespace: str, name: str) -> str:
    """How messages call an object."""
    return f"{kind} `{namespace}/{name}`" if namespace else f"{kind} `{name}`"


def dig(value: object, *path: str | int) -> Any:  # noqa: ANN401 - JSON of any form
    """The value at a path below a value; None where there is none."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def table(value: object) -> Body:
    """The value if it is a mapping, else an empty one: a wrong type is the schema's finding, not every rule's."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Body]:
    """The mappings of a list, likewise."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """The texts of a list, likewise."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def labels(value: object) -> dict[str, str]:
    """A mapping of texts; other entries are left out."""
    return {name: item for name, item in table(value).items() if isinstance(item, str)}
