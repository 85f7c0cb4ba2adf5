"""What a decision does to a request besides choosing a model: data, made ready when the config is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Json = str | int | float | bool | None | Mapping[str, str]


class Removed:
    """Stands for a field that must not be there."""

    def __repr__(self) -> str:
        return "REMOVED"


REMOVED = Removed()


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How reasoning is switched on or off for one model.

    Attributes:
        top: fields of the body.
        template: fields of ``chat_template_kwargs``.
        effort: the effort for APIs that have a place of their own for it; None where there is none to state.
    """

    top: Mapping[str, Json | Removed] = field(default_factory=dict)
    template: Mapping[str, Json | Removed] = field(default_factory=dict)
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderCredentials:
    """What a provider outside the cluster is told of who asks, instead of what the client said of itself.

    Attributes:
        header: where the key goes.
        value: the key as the header bears it, None where the provider wants none. Never shown.
    """

    header: str = "authorization"
    value: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """A model as a decision asks for it.

    Attributes:
        name: what routes match and ``x-selected-model`` says: the model's alias, or the adapter's name.
        served_as: what the body says: the provider's id for the model, else the name.
        thinking: what is done about reasoning; None where the model's family is not known.
        outside: who asks, where the model is served outside the cluster; None of one that is served inside.
    """

    name: str
    served_as: str
    reasoning: Reasoning | None = None
    credentials: ProviderCredentials | None = None


@dataclass(frozen=True, slots=True)
class SystemPrompt:
    """Text that the model is told first: instead of the client's own, or before it."""

    text: str
    mode: Literal["replace", "insert"]


@dataclass(frozen=True, slots=True)
class ParameterLimits:
    """Limits on a client's parameters: top-level fields that are removed, and upper bounds."""

    blocked: tuple[str, ...] = ()
    max_tokens: int | None = None
    max_n: int | None = None


@dataclass(frozen=True, slots=True)
class ToolFilter:
    """Which tools stay: those allowed (None: any) and not blocked. Of a tool without a name nothing can be said."""

    allow: frozenset[str] | None = None
    block: frozenset[str] = frozenset()

    def keeps(self, name: str | None) -> bool:
        """Whether a tool stays."""
        return name is not None and name not in self.block and (self.allow is None or name in self.allow)


NO_TOOLS = ToolFilter(allow=frozenset())


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """Whose answers are kept for whom.

    Attributes:
        ttl: seconds for which one is kept.
        similarity: the cosine from which another request is the same; None where it must be the very same.
        shared: whether an answer to one client is one to all others.
    """

    ttl: float
    similarity: float | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Effects:
    """What a decision does to a request besides choosing a model."""

    static_response: str | None = None
    system_prompt: SystemPrompt | None = None
    params: ParameterLimits | None = None
    tools: ToolFilter | None = None
    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: tuple[str, ...] = ()
    cache: CachePolicy | None = None
