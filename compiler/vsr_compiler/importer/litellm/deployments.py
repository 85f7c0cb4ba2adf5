"""The entries of ``model_list``: a name that clients use, and one deployment behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.providers import PROVIDERS, Provider
from vsr_compiler.importer.providers.facts import GUESSED_PREFIXES
from vsr_compiler.importer.values import Fields
from vsr_compiler.syntax.nodes import Mapping, Node

UNKNOWN = Provider("a provider that is not known", "none")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment.

    Attributes:
        group: The name that clients use; several deployments may have it.
        span: The place of the entry.
        provider: The name of the provider.
        model: The name of the model at the provider.
        params: ``litellm_params``, with what a named credential adds.
        info: ``model_info``.
    """

    group: str
    span: Span
    provider: str
    model: str
    params: Fields
    info: Fields

    @property
    def facts(self) -> Provider:
        """What is known of the provider."""
        return PROVIDERS.get(self.provider, UNKNOWN)

    @property
    def wildcard(self) -> bool:
        """Whether the entry covers many names."""
        return "*" in self.group

    @property
    def order(self) -> float:
        """The rank: deployments of a lower one are asked first."""
        return self.params.number("order") or 0

    @property
    def weight(self) -> float:
        """The share of the traffic, as ``simple-shuffle`` computes it: by weight, requests or tokens per minute."""
        for key in ("weight", "rpm", "tpm"):
            if (share := self.params.number(key)) is not None:
                return share
        return 1


@dataclass(slots=True)
class ModelList:
    """All entries: deployments, auto routers, and what neither is."""

    deployments: list[Deployment] = field(default_factory=list)
    routers: list[Deployment] = field(default_factory=list)
    broken: list[Span] = field(default_factory=list)
    unknown: list[tuple[str, Span]] = field(default_factory=list)


def read_models(entries: Sequence[Node], credentials: dict[str, Mapping]) -> ModelList:
    """Return the entries of ``model_list``.

    Args:
        entries: The items of the list.
        credentials: The values of ``credential_list`` by name.
    """
    found = ModelList()
    for entry in entries:
        fields = Fields.of(entry, "model_list[]", entry.span)
        params = fields.fields("litellm_params")
        group, model = fields.text("model_name"), params.text("model")
        if not group or not model:
            found.broken.append(entry.span)
            continue
        own = params.text("litellm_credential_name")
        if own and own not in credentials:
            found.unknown.append((own, params.value_at("litellm_credential_name")))
        if own in credentials:
            merged = {**credentials[own].entries, **params.node.entries}
            params = Fields(Mapping(params.span, merged), params.where, params.taken)
        provider, name = _provider(model, params)
        deployment = Deployment(group, fields.at("model_name"), provider, name, params, fields.fields("model_info"))
        (found.routers if provider == "auto_router" else found.deployments).append(deployment)
    return found


def _provider(model: str, params: Fields) -> tuple[str, str]:
    """Return the provider, and the model's name there."""
    prefix, slash, rest = model.partition("/")
    custom = params.text("custom_llm_provider")
    if custom:
        return custom, rest if slash and prefix == custom else model
    if slash and (prefix in PROVIDERS or prefix == "auto_router"):
        return prefix, rest.removeprefix("chat/") if prefix in {"together_ai", "azure"} else rest
    address = params.text("api_base") or params.text("base_url")
    for start, provider in GUESSED_PREFIXES:
        if model.lower().startswith(start):
            if provider == "openai" and "azure.com" in address:
                return "azure", model
            return provider, model
    if address:
        return "openai_like", model
    return prefix if slash else model, rest


def groups(deployments: Sequence[Deployment]) -> Iterator[tuple[str, list[Deployment]]]:
    """Yield the deployments by their group, in the order of the file."""
    found: dict[str, list[Deployment]] = {}
    for item in deployments:
        found.setdefault(item.group, []).append(item)
    yield from found.items()
