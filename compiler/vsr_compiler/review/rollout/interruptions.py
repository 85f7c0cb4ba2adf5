"""Changes that interrupt requests although the API server accepts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler.manifests.immutable import group_kind
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.review.environment_changes import Body, Environments
from vsr_compiler.review.rollout.words import items, label, listed, mapping, value
from vsr_schemas.reports_diff import RolloutChange

AI_ROUTE = ("aigateway.envoyproxy.io", "AIGatewayRoute")
_MODEL_HEADER = "x-ai-eg-model"


def interruptions(environments: Environments) -> Iterator[RolloutChange]:
    """Yield Gateways that get another address, and models whose backends AI Gateway renames."""
    yield from _gateways(environments)
    yield from _renamed_backends(environments)


def _gateways(environments: Environments) -> Iterator[RolloutChange]:
    texts: dict[str, list[str]] = {}
    for change in environments.changes:
        if change.old is None or change.new is None or group_kind(change.new) != (GATEWAY_GROUP, "Gateway"):
            continue
        old, new = (mapping(body.get("spec")).get("gatewayClassName") for body in (change.old, change.new))
        if old != new:
            text = f"{label(change.new)} changes its class from {value(old)} to {value(new)}, and so its load balancer"
            texts.setdefault(text, []).append(change.environment)
    for text, where in texts.items():
        yield RolloutChange(
            text=f"{text}, in {listed(where)}",
            steps=[
                "Before the sync, lower the TTL of its DNS name. Requests to the old address fail from then on.",
                "After the sync, point the name to the new address, which is in `status.addresses`.",
                "For no request to fail, add an environment with a Gateway of another name, and move the name to it.",
            ],
        )


def _renamed_backends(environments: Environments) -> Iterator[RolloutChange]:
    """Yield models that get 500 for some seconds: a backend's name holds the index of its rule.

    The name changes in Envoy at once, in AI Gateway's sidecar when it reads its Secret again (Envoy AI Gateway 1.1.0,
    internal/internalapi/internalapi.go, PerRouteRuleRefBackendName).
    """
    models: dict[str, list[str]] = {}
    for environment in sorted({change.environment for change in environments.changes}):
        own = [change for change in environments.changes if change.environment == environment]
        old = _backends([change.old for change in own if change.old is not None])
        new = _backends([change.new for change in own if change.new is not None])
        for model in sorted(old.keys() & new.keys()):
            if old[model] != new[model]:
                models.setdefault(model, []).append(environment)
    where = listed(name for names in models.values() for name in names)
    if models:
        text = f"models {listed(models)} get 500 for some seconds in {where}, while Agent Router renames their backends"
        yield RolloutChange(text=text)


def _backends(bodies: list[Body]) -> Mapping[str, list[tuple[object, ...]]]:
    """Return the names of backends by model, as AI Gateway builds them, of the routes that differ."""
    names: dict[str, list[tuple[object, ...]]] = {}
    for body in bodies:
        if group_kind(body) != AI_ROUTE:
            continue
        metadata = mapping(body.get("metadata"))
        place = (metadata.get("namespace"), metadata.get("name"))
        for index, rule in enumerate(items(mapping(body.get("spec")).get("rules"))):
            backends = [
                (*place, index, position, backend.get("name"))
                for position, backend in enumerate(items(rule.get("backendRefs")))
            ]
            for match in items(rule.get("matches")):
                for header in items(match.get("headers")):
                    if header.get("name") == _MODEL_HEADER:
                        names.setdefault(str(header.get("value")), []).extend(backends)
    return names
