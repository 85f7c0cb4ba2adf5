"""``local/sandbox.yaml``: the settings of a sandbox on one machine, next to its Envoy bootstrap, and its demo."""

from __future__ import annotations

from typing import Annotated, Literal

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


class ClientSettings(StrictModel):
    """A client, by its attributes and roles."""

    attributes: dict[str, str] = Field(default_factory=dict)
    roles: list[str] = Field(default_factory=list)


PLACEHOLDER_KEY_SET = (
    '{"keys":[{"kty":"EC","alg":"ES256","crv":"P-256","kid":"placeholder",'
    '"x":"ysE-zAC6CKuicvT7XDwG1LXdglUf8Q1JaXdYgxj884c","y":"rOHTE043M6pP5vftmQOsnG31YYsz9j0K0tMklJX53_0"}]}'
)
"""The key set in a compiled bootstrap, which the sandbox replaces by its own. Envoy refuses an empty one.

Nobody can sign for it: `x` is the sha256 of `vsr-compile: no issuer has this key`, or the next number on the curve.
"""


class SandboxJwt(StrictModel):
    """Tokens that the sandbox issues: ``claims`` are the claims of attributes."""

    issuer: str
    audience: str
    claims: dict[str, str]


class SandboxKey(ClientSettings):
    """A client with a key, by the name of the key's file."""

    file: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$")


class SandboxFrontEnd(StrictModel):
    """A front end: the address from which it sends, and its headers by attribute."""

    address: str
    headers: dict[str, str]


class SandboxIdentity(StrictModel):
    """How clients are authenticated, in one of three ways, and ``clients`` that the policy's tests name."""

    jwt: SandboxJwt | None = None
    keys: list[SandboxKey] | None = None
    frontEnd: SandboxFrontEnd | None = None  # noqa: N815 - the file's spelling
    clients: list[ClientSettings] = Field(default_factory=list)


CERTIFICATES = "certificates"
"""The folder of certificates in a compiled bootstrap, which the sandbox replaces by a private one."""
CLIENT_AUTHORITY = "for-clients/clients-ca.crt"
"""The file of the authority of client certificates there. No listener has a name with a slash."""


class SandboxListener(StrictModel):
    """A listener of the Gateway, with its port there.

    Attributes:
        name: its name, and that of its certificate.
        port: its port in a cluster.
        hostnames: the hosts that it takes; empty for every host.
        tls: whether it has TLS.
        clientCertificates: whether clients need a certificate.
        redirect: the listener to which it sends clients.
    """

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    port: int = Field(ge=1, le=65_535)
    hostnames: list[Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]] = Field(
        default_factory=list, max_length=64
    )
    tls: bool = False
    clientCertificates: bool = False  # noqa: N815 - the file's spelling
    redirect: str | None = None


class DemoRequest(StrictModel):
    """A request that the demo sends, and what must come of it.

    Attributes:
        model: what the client asks for: a model or an auto name.
        prompt: the one user turn.
        category: the category that must be found; None where it does not matter.
        expect: the name by which the backend that must serve knows itself; None where it does not matter.
        status: the status that must come back: 403 where a guard must block it.
        client: who sends it; None for anybody.
    """

    model: str
    prompt: str
    category: str | None = None
    expect: str | None = None
    status: int = 200
    client: ClientSettings | None = None


class SandboxSettings(StrictModel):
    """The file ``local/sandbox.yaml``.

    Attributes:
        policy: the policy's name.
        router: the path of the router's config, relative to this file.
        candidate: that of a candidate; None for none.
        share: per cent of all conversations that the candidate decides.
        extProcCluster: the Envoy cluster of the runtime.
        backends: one for each other cluster of the bootstrap.
        identity: how clients are authenticated; None if nobody is.
        listeners: where the Gateway listens; None for one port without TLS.
        demo: the requests of ``vsr-runtime demo``, in their order.
    """

    apiVersion: Literal["vsr.dev/v1alpha1"]  # noqa: N815 - Kubernetes' spelling
    kind: Literal["Sandbox"]
    policy: str
    router: str
    candidate: str | None = None
    share: float = Field(default=0, ge=0, le=100)
    extProcCluster: str  # noqa: N815 - the file's spelling
    backends: list[Backend] = Field(min_length=1)
    identity: SandboxIdentity | None = None
    listeners: list[SandboxListener] | None = Field(default=None, min_length=1, max_length=64)
    demo: list[DemoRequest] = Field(default_factory=list)
