"""``gitops``: the repository, the controllers that deliver its content, and the clusters that they deliver to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Label, Milliseconds, Name, ServerUrl, Text


class FluxSpec(PolicyModel):
    """Flux, which gets objects of its own. ``interval`` is in milliseconds."""

    namespace: Label = "flux-system"
    interval: Annotated[Milliseconds, Field(ge=60_000, le=86_400_000)] = 600_000
    secret: Label | None = None
    service_account: Label | None = None


class ClusterSpec(PolicyModel):
    """A cluster: its API server, or the name that Argo CD has for it; and the Secret with which Flux reaches it."""

    server: ServerUrl | None = None
    kubeconfig: Label | None = None


class GitOpsSpec(PolicyModel):
    """The repository from which Argo CD and Flux read the output, and the clusters that they apply it to."""

    repo: Annotated[Text, Field(min_length=1, max_length=1024)]
    revision: Annotated[Text, Field(min_length=1, max_length=256)] = "main"
    path: Annotated[Text, Field(min_length=1, max_length=1024)] = "."
    server: ServerUrl = "https://kubernetes.default.svc"
    namespace: Label = "argocd"
    clusters: Annotated[dict[Label, ClusterSpec], Field(min_length=1, max_length=64)] | None = None
    flux: FluxSpec | None = None
    charts: Annotated[list[Name], Field(min_length=1, max_length=8)] | None = None

    @model_validator(mode="after")
    def _artifact(self) -> GitOpsSpec:
        if self.repo.startswith("oci://") and self.path != ".":
            raise PydanticCustomError("one_of", "`path` is only for repositories: an artifact holds the output itself")
        return self
