"""A Kubernetes object and the place in the policy that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import Span

Body = dict[str, Any]
CLUSTER_FOLDER = "cluster"
MANAGED_BY = {"app.kubernetes.io/managed-by": "vsr-compile"}


@dataclass(frozen=True, slots=True)
class Object:
    """One object as it is applied. ``origin`` is what `explain` and findings on output point at."""

    body: Body
    origin: Span

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace; empty for a cluster-scoped object."""
        return str(self.body["metadata"].get("namespace", ""))

    @property
    def identity(self) -> str:
        """``apiVersion/kind/namespace/name``: no two objects of one output share it."""
        return f"{self.body['apiVersion']}/{self.kind}/{self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """Where its file goes below a base."""
        return f"{self.namespace or CLUSTER_FOLDER}/{self.kind.lower()}-{self.name}.yaml"


def make(
    api_version: str,
    kind: str,
    name: str,
    origin: Span,
    *,
    namespace: str = "",
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    **fields: Any,  # noqa: ANN401 - JSON of any form
) -> Object:
    """An object with the metadata that all of ours bear."""
    metadata: Body = {"name": name, "labels": MANAGED_BY | (labels or {})}
    if namespace:
        metadata["namespace"] = namespace
    if annotations:
        metadata["annotations"] = annotations
    return Object({"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}, origin)
