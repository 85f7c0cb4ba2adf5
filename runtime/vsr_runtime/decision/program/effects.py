"""Effects of a decision on a request, besides the choice of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsr_schemas.apis import API_PATHS
from vsr_schemas.headers import CREDENTIALS

Json = str | int | float | bool | None | Mapping[str, str]


class Removed:
    """The value of a field that must be absent."""

    def __repr__(self) -> str:
        return "REMOVED"


REMOVED = Removed()


@dataclass(frozen=True, slots=True)
class ClientsEffort:
    """The value of a field that takes the client's own ``reasoning_effort``; ``default`` if there is none."""

    default: str | None = None


CLIENTS_EFFORT = ClientsEffort()


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Fields that switch reasoning on or off for one model.

    Attributes:
        top: top-level fields of the body.
        template: fields of ``chat_template_kwargs``.
        effort: the effort, for APIs with a field of their own for it; None to set none.
    """

    top: Mapping[str, Json | Removed | ClientsEffort] = field(default_factory=dict)
    template: Mapping[str, Json | Removed | ClientsEffort] = field(default_factory=dict)
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderCredentials:
    """Credentials for a model that needs them. They replace those of the client.

    Attributes:
        header: the header that carries the key.
        value: the header's value; None if the router adds no key there. Never logged.
        query: the query of the path, which may carry a key; empty if the router leaves the client's. Never logged.
        defaults: headers that are sent unless the client sends its own.
        removed: headers by which clients send credentials.
        chat_path: the path of chats; empty for the client's. A provider with one has no other APIs.
        fixed: further headers that are set.
    """

    header: str = "authorization"
    value: str | None = field(default=None, repr=False)
    query: str = field(default="", repr=False)
    defaults: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = CREDENTIALS
    chat_path: str = ""
    fixed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What the components on the way to a model accept of a request.

    Attributes:
        max_body: maximum bytes of the body that is sent; None without a limit.
        apis: the served APIs, by their paths.
        query: whether the path can have a query.
    """

    max_body: int | None = None
    apis: frozenset[str] = frozenset(API_PATHS)
    query: bool = True


UNLIMITED = RequestLimits()


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """A model as a decision requests it.

    Attributes:
        name: the value of ``x-selected-model``, which routes match: the model's alias, or the adapter's name.
        served_as: the model name in the body: the provider's id of the model, otherwise ``name``.
        reasoning: fields for reasoning; None if the model's family is unknown.
        credentials: credentials of a model outside the cluster, or of a server with a key; None for others.
        limits: what can travel to it.
        context: its context length in tokens; None if it is not known.
        routed: the header that routes of others match, with its value; empty if the gateway has routes of ours.
    """

    name: str
    served_as: str
    reasoning: Reasoning | None = None
    credentials: ProviderCredentials | None = None
    limits: RequestLimits = UNLIMITED
    context: int | None = None
    routed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """Which pages may call the gateway from a browser.

    Attributes:
        origins: their origins; ``*`` for all.
        headers: the request headers that they may send; ``*`` for those that they ask for.
        exposed: the response headers that they may read.
        credentials: whether browsers may send cookies and client certificates.
        max_age: seconds for which a browser may keep the answer to a preflight.
    """

    origins: frozenset[str]
    headers: tuple[str, ...] = ("*",)
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = 600


@dataclass(frozen=True, slots=True)
class SystemPrompt:
    """A system prompt that replaces the client's own, or precedes it."""

    text: str
    mode: Literal["replace", "insert"]


@dataclass(frozen=True, slots=True)
class ParameterLimits:
    """Limits on a client's parameters.

    Attributes:
        blocked: top-level fields to remove.
        max_tokens: upper bound of the length of a response.
        max_n: upper bound of the number of responses.
        default_tokens: the length of a response if the client states none.
        known_only: whether fields that the API does not document are removed.
    """

    blocked: tuple[str, ...] = ()
    max_tokens: int | None = None
    max_n: int | None = None
    default_tokens: int | None = None
    known_only: bool = False


@dataclass(frozen=True, slots=True)
class ToolFilter:
    """The tools to keep: those allowed (None: any) and not blocked. A tool without a name is never kept."""

    allow: frozenset[str] | None = None
    block: frozenset[str] = frozenset()

    def keeps(self, name: str | None) -> bool:
        """Return whether to keep a tool."""
        return name is not None and name not in self.block and (self.allow is None or name in self.allow)


NO_TOOLS = ToolFilter(allow=frozenset())


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How responses of a decision are cached.

    Attributes:
        ttl: lifetime of an entry in seconds.
        similarity: minimum cosine for another request to be a cache hit; None if the request must be identical.
        shared: whether all clients share entries.
        scope: the attribute of which clients with the same value share entries, unless all do.
    """

    ttl: float
    similarity: float | None = None
    shared: bool = False
    scope: str = "user"


@dataclass(frozen=True, slots=True)
class Effects:
    """Effects of a decision on a request, besides the choice of a model."""

    static_response: str | None = None
    system_prompt: SystemPrompt | None = None
    params: ParameterLimits | None = None
    tools: ToolFilter | None = None
    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: tuple[str, ...] = ()
    cache: CachePolicy | None = None
