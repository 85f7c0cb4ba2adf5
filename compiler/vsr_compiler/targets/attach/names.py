"""The policy as an existing Gateway sees it: the value of the header and the name in the body for each model."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.releases.attachments import CONVENTIONS, publisher_name
from vsr_schemas.runtime import RoutedModel, RoutingSettings


def attachment_of(policy: ir.Policy) -> ir.Attachment:
    """Return the attachment of a policy; without one, that to an Istio Gateway with the common header."""
    return policy.attachment or ir.Attachment("any", CONVENTIONS["any"].header, "istio", policy.gateway.span)


def routing(policy: ir.Policy) -> RoutingSettings:
    """Return what the router writes for the routes of others, in the router's settings."""
    return RoutingSettings(
        header=attachment_of(policy).header, models={model.name: routed(policy, model) for model in policy.models}
    )


def routed(policy: ir.Policy, model: ir.Model) -> RoutedModel:
    """Return how the routes of others know a model.

    A route that the policy names has its own value, which is also the name in the body, unless the model has a
    `providerModel`. For other endpoints both follow the convention. KServe's servers know the value as a name, so that
    a body-based router behind ours would write the same header again.
    """
    endpoint, _ = model.endpoints[0]
    if endpoint.route is not None:
        return RoutedModel(value=endpoint.route.value, model=model.provider_model or endpoint.route.value)
    kind = CONVENTIONS[attachment_of(policy).convention].value
    match kind:
        case "model":
            return RoutedModel(value=model.served_name, model=model.served_name)
        case "base":
            base = next((other for other in policy.models if other.name == model.base), model)
            return RoutedModel(value=base.served_name, model=model.served_name)
        case "publisher":
            name = publisher_name(endpoint.service.namespace, model.served_name)
            return RoutedModel(value=name, model=name)
    assert_never(kind)


def seen(policy: ir.Policy) -> ir.Policy:
    """Return the policy as the Gateway sees it: every endpoint is reached by a route of others."""
    routes = {
        id(endpoint): replace(endpoint, kind=ir.ForeignRoute(endpoint.name), pool=None, api_key=None)
        for endpoint in policy.endpoints
        if endpoint.route is None
    }
    replaced: ir.Policy = ir.substitute(policy, routes) if routes else policy
    return replace(replaced, attachment=attachment_of(policy))
