"""``local/sandbox.yaml``: the settings of a sandbox on one machine, next to its Envoy bootstrap, and its demo."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vsr_schemas.base import StrictModel


class Key(StrictModel):
    """The key that a simulated backend wants, by the name of its file, and how it is sent.

    ``header`` contains it after ``prefix``; with ``parameter``, that parameter of the query contains it instead.
    Without ``credential`` the backend wants none, and refuses whoever sends one.
    """

    credential: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$")
    header: str = "authorization"
    prefix: str = "Bearer "
    parameter: str | None = None


class External(Key):
    """A provider outside the cluster: where its API lies, and what it wants besides a key.

    ``query`` is the query of every request, without that parameter. ``headers`` are the headers that it requires.
    """

    path: str
    query: str | None = None
    headers: list[str] | None = None


class Backend(StrictModel):
    """A simulated backend: its Envoy cluster, and the models that it serves."""

    cluster: str
    models: list[str] = Field(min_length=1)
    external: External | None = None
    key: Key | None = None


class DemoRequest(StrictModel):
    """A request that the demo sends, and what must come of it.

    Attributes:
        model: what the client asks for: a model or an auto name.
        prompt: the one user turn.
        category: the category that must be found; None where it does not matter.
        expect: the name by which the backend that must serve knows itself; None where it does not matter.
        status: the status that must come back: 403 where a guard must block it.
    """

    model: str
    prompt: str
    category: str | None = None
    expect: str | None = None
    status: int = 200


class SandboxSettings(StrictModel):
    """The file ``local/sandbox.yaml``.

    Attributes:
        policy: the policy's name.
        router: the path of the router's config, relative to this file.
        extProcCluster: the Envoy cluster of the runtime.
        backends: one for each other cluster of the bootstrap.
        demo: the requests of ``vsr-runtime demo``, in their order.
    """

    apiVersion: Literal["vsr.dev/v1alpha1"]  # noqa: N815 - Kubernetes' spelling
    kind: Literal["Sandbox"]
    policy: str
    router: str
    extProcCluster: str  # noqa: N815 - the file's spelling
    backends: list[Backend] = Field(min_length=1)
    demo: list[DemoRequest] = Field(default_factory=list)
