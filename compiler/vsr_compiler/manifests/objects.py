"""A Kubernetes object, the place in the policy that it came from, and the module that emitted it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.manifests.kinds import GroupKind, Wave

Body = dict[str, Any]
CLUSTER_FOLDER = "cluster"
MANAGED_BY = {"app.kubernetes.io/managed-by": "vsr-compile"}


@dataclass(frozen=True, slots=True)
class Object:
    """One object as it is applied.

    Attributes:
        body: The object as JSON.
        origin: The place in the policy that it came from; `explain` and findings on the output point there.
        emitter: The source file of the function that emitted it, such as
            `compiler/vsr_compiler/targets/common/router.py`. `emitted_by` sets it.
        wave: The sync wave, if it is not that of the kind.
    """

    body: Body
    origin: Span
    emitter: str = ""
    wave: Wave | None = None

    @property
    def kind(self) -> str:
        """The kind."""
        return str(self.body["kind"])

    @property
    def group_kind(self) -> GroupKind:
        """The API group, empty for the core API, and the kind."""
        group, slash, _ = str(self.body["apiVersion"]).rpartition("/")
        return (group if slash else "", self.kind)

    @property
    def name(self) -> str:
        """The name."""
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The namespace; empty for a cluster-scoped object."""
        return str(self.body["metadata"].get("namespace", ""))

    @property
    def identity(self) -> str:
        """``apiVersion/kind/namespace/name``; unique within one base or overlay."""
        return f"{self.body['apiVersion']}/{self.kind}/{self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """The path of its file below a base or overlay."""
        return f"{self.namespace or CLUSTER_FOLDER}/{self.kind.lower()}-{self.name}.yaml"


def emitted_by(emitter: Callable[..., object], objects: Iterable[Object]) -> Iterator[Object]:
    """Yield the objects, each with the source file of the function that emitted it."""
    path = source_of(emitter)
    return (replace(item, emitter=path) for item in objects)


def source_of(function: Callable[..., object]) -> str:
    """Return the source file of a function: relative to the repository for our own modules.

    >>> source_of(make)
    'compiler/vsr_compiler/manifests/objects.py'
    """
    while isinstance(function, functools.partial):
        function = function.func
    module = function.__module__
    folder = "compiler/" if module.split(".")[0] == "vsr_compiler" else ""
    return f"{folder}{module.replace('.', '/')}.py"


def make(
    api_version: str,
    kind: str,
    name: str,
    origin: Span,
    *,
    namespace: str = "",
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    wave: Wave | None = None,
    **fields: Any,  # noqa: ANN401 - JSON of any form
) -> Object:
    """Return an object with the metadata that all generated objects have."""
    metadata: Body = {"name": name, "labels": MANAGED_BY | (labels or {})}
    if namespace:
        metadata["namespace"] = namespace
    if annotations:
        metadata["annotations"] = annotations
    return Object({"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}, origin, wave=wave)
