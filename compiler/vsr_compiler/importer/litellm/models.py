"""Groups of deployments as models and endpoints of a policy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.litellm.deployments import Deployment, groups
from vsr_compiler.importer.litellm.endpoints import Endpoint, endpoint
from vsr_compiler.importer.providers import TRANSLATED, NeededSecrets

MILLION = 1_000_000
MAX_WEIGHT = 1_000_000
MAX_CONTEXT = 100_000_000
CHAT = frozenset({"", "chat", "completion", "responses"})
"""Modes of models that can answer a conversation."""
_READ = frozenset(
    [
        "model",
        "api_key",
        "api_base",
        "base_url",
        "api_version",
        "custom_llm_provider",
        "litellm_credential_name",
        "order",
        "weight",
        "rpm",
        "tpm",
        "input_cost_per_token",
        "output_cost_per_token",
        "cache_read_input_token_cost",
        "aws_region_name",
        "vertex_project",
        "vertex_location",
        "vertex_credentials",
        "max_budget",
        "budget_duration",
    ]
)
_SILENT = frozenset(
    [
        "id",
        "mode",
        "base_model",
        "db_model",
        "description",
        "supports_vision",
        "supports_function_calling",
        "supports_tool_choice",
        "max_output_tokens",
        "max_tokens",
        "max_input_tokens",
        "input_cost_per_token",
        "output_cost_per_token",
        "tags",
        "cache_read_input_token_cost",
        "litellm_provider",
        "updated_at",
        "created_at",
    ]
)
"""Keys of ``model_info`` that say nothing about routing, or are read."""


@dataclass(slots=True)
class Models:
    """The models of the policy.

    Attributes:
        names: The models of each group, the one that clients name first.
        chat: Groups that can answer a conversation, in the order of the file.
        translated: Whether a provider needs a target that translates.
        priced: Groups with a price.
        wildcards: Entries that cover many names.
    """

    names: dict[str, list[str]] = field(default_factory=dict)
    chat: list[str] = field(default_factory=list)
    translated: dict[str, Span] = field(default_factory=dict)
    priced: set[str] = field(default_factory=set)
    wildcards: list[Deployment] = field(default_factory=list)


def write_models(deployments: Sequence[Deployment], job: Job, needed: NeededSecrets) -> Models:
    """Write the sections ``endpoints`` and ``models``."""
    found = Models()
    for group, members in groups(deployments):
        if members[0].wildcard:
            hint = "Write a model for each name that clients use."
            message = f"`{group}` covers every name of its form, which a policy cannot say; it is left out"
            job.losses.add("VSR544", message, members[0].span, hint)
            found.wildcards.append(members[0])
            continue
        ranked = sorted(members, key=lambda item: item.order)
        reached = [(item, found_one) for item in ranked if (found_one := endpoint(item, job, needed)) is not None]
        if not reached:
            continue
        _write_group(group, reached, job, found)
        if any(item.info.text("mode") in CHAT for item, _ in reached):
            found.chat.append(group)
    return found


def write_placeholder(models: Models, job: Job, needed: NeededSecrets, span: Span) -> str:
    """Write a model for a file that names none: at the provider of its first wildcard. Return its name."""
    item = next((item for item in models.wildcards if item.facts.kind != "none"), None)
    target = endpoint(item, job, needed) if item is not None else None
    name = job.names.new("model", "replace-me", span)
    own = job.names.new("endpoint", item.provider if item is not None else "replace-me", span)
    body = {"service": {"name": "replace-me", "port": 8000}} if target is None else target.body
    job.draft.mapping("endpoints")[own] = body
    job.draft.mapping("models")[name] = {"endpoints": own}
    job.draft.comment(("models", name), "A placeholder: write the models that clients use.")
    if item is not None and item.facts.kind in TRANSLATED:
        models.translated.setdefault(TRANSLATED[item.facts.kind], item.span)
    return name


def _write_group(group: str, reached: list[tuple[Deployment, Endpoint]], job: Job, found: Models) -> None:
    """Write the models of a group: one for all Services with the same model and key, one for every other deployment."""
    buckets: list[list[tuple[Deployment, Endpoint]]] = []
    for item, target in reached:
        same = next((bucket for bucket in buckets if _alike(bucket[0], (item, target))), None)
        if same is None:
            buckets.append([(item, target)])
        elif target.in_cluster or target.body != same[0][1].body:
            same.append((item, target))
    for bucket in buckets:
        later = len(found.names.get(group, ()))
        wanted = f"{group}-{later + 1}" if later else group
        name = job.names.new("model", wanted, bucket[0][0].span)
        found.names.setdefault(group, []).append(name)
        job.draft.mapping("models")[name] = _model(name, bucket, job)
        for item, target in bucket:
            external = target.body.get("external", {})
            if external.get("schema") in {"anthropic", "aws-bedrock", "gcp-vertex-ai", "gcp-anthropic"}:
                found.translated.setdefault(str(external["schema"]), item.span)
    if "price" in job.draft.mapping("models", found.names[group][0]):
        found.priced.add(group)
    if len(buckets) > 1:
        rest = ", ".join(f"`{name}`" for name in found.names[group][1:4]) + (" and more" if len(buckets) > 4 else "")  # noqa: PLR2004
        several = len({item.provider for item, _ in reached}) > 1
        where = "at several providers" if several else "of several kinds"
        message = (
            f"`{group}` has deployments {where}; a request that names it reaches only the first, and {rest} the others"
        )
        hint = "Name them in `fallback` or `split` of a route, for requests that let the router choose."
        job.losses.add("VSR543", message, buckets[1][0][0].span, hint)


def _alike(one: tuple[Deployment, Endpoint], two: tuple[Deployment, Endpoint]) -> bool:
    """Return whether two deployments can be endpoints of one model."""
    same = one[1].model == two[1].model and one[0].order == two[0].order
    if not one[1].in_cluster or not two[1].in_cluster:
        return same and one[1].body == two[1].body
    return same and one[1].body["service"].get("apiKey") == two[1].body["service"].get("apiKey")


def _model(name: str, bucket: list[tuple[Deployment, Endpoint]], job: Job) -> dict[str, Any]:
    """Write the endpoints of a bucket. Return the model."""
    weights: dict[str, float] = {}
    for item, target in bucket:
        own = job.names.new("endpoint", target.name, item.span)
        job.draft.mapping("endpoints")[own] = target.body
        weights[own] = item.weight
        _report_rest(item, job)
    item, target = bucket[0]
    shares = set(weights.values())
    model: dict[str, Any] = {
        "endpoints": next(iter(weights))
        if len(weights) == 1
        else list(weights)
        if len(shares) == 1
        else {key: max(0, min(MAX_WEIGHT, math.ceil(value))) for key, value in weights.items()}
    }
    if target.model != name:
        cleaned = "".join(c for c in target.model if "\x21" <= c <= "\x7e")[:253]
        model["providerModel"] = cleaned or name
    context = item.info.integer("max_input_tokens")
    if context is not None and 0 < context <= MAX_CONTEXT:
        model["context"] = context
    if (price := _price(item)) is not None:
        model["price"] = price
    return model


def _price(item: Deployment) -> dict[str, float] | None:
    """Return the price of a million tokens; None unless both are known."""
    costs = [
        item.params.number(key) if item.params.has(key) else item.info.number(key)
        for key in ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
    ]
    prompt, completion, cached = (None if cost is None else round(cost * MILLION, 9) for cost in costs)
    if prompt is None or completion is None or prompt < 0 or completion < 0:
        return None
    price = {"prompt": prompt, "completion": completion}
    return {**price, "cachedPrompt": cached} if cached is not None and 0 <= cached <= prompt else price


def _report_rest(item: Deployment, job: Job) -> None:
    """Report the parameters of a deployment that requests will not have."""
    item.params.taken.update(_READ)
    hint = "Clients can send them, or use `params`, `systemPrompt` and `headers` of a route."
    for key, span, _ in item.params.rest():
        job.losses.group("VSR551", "parameters of deployments that are not sent", key, span, hint)
    item.info.taken.update(_SILENT)
    for key, span, _ in item.info.rest():
        if not key.startswith("supports_"):
            job.losses.group("VSR549", "settings without a counterpart", f"model_info.{key}", span)
