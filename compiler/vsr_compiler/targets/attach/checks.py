"""What an existing Gateway with the routes of others cannot do, what it ignores, and what it needs of the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.diagnostics.suggestions import MAX_LISTED
from vsr_compiler.releases.attachments import CONVENTIONS
from vsr_compiler.targets.attach.names import attachment_of, routed

_KEY = "Let the route of others hold the key, and name that route: `route: VALUE`."


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR361 for what the target cannot do, VSR362 for what it ignores."""
    yield from _router(policy)
    yield from _routes(policy)
    for model in policy.models:
        yield from _model(policy, model)
    for endpoint in policy.endpoints:
        yield from _ignored(endpoint)
    for listener in policy.gateway.listeners:
        if listener.client_certificates is not None or (listener.tls is not None and listener.tls.issuer is not None):
            message = f"the certificates of `{listener.name}` are ignored: the Gateway exists, with its own listeners"
            yield Diagnostic("VSR362", message, listener.span, "See that its owner has set them.")


def _router(policy: ir.Policy) -> Iterator[Diagnostic]:
    header = attachment_of(policy).header
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        message = f"semantic-router writes the model into `x-selected-model` only, not into `{header}`"
        yield Diagnostic("VSR361", message, policy.router.span, "Use `router.engine: vsr-runtime`.")
    if policy.router.fails_open:
        message = "`onFailure: default-model` needs a route to the default, and the routes are those of others"
        yield Diagnostic("VSR361", message, policy.router.span, "Use `onFailure: deny`.")
    for limit in policy.limits:
        if limit.by_gateway:
            message = f"an existing Gateway does not count the limit `{limit.name}`: its policies are those of others"
            yield Diagnostic("VSR337", message, limit.span, "Use `countedBy: router`.")


def _routes(policy: ir.Policy) -> Iterator[Diagnostic]:
    header = attachment_of(policy).header
    for route in policy.retrying:
        message = f"`fallback` and `retry` of `{route.name}` need routes of the compiler, but these are those of others"
        hint = "Remove them, or let the owner of the routes retry. Their retries repeat a request at the same model."
        yield Diagnostic("VSR361", message, route.span, hint)
    for route in (*policy.routes, *([policy.default_route] if policy.default_route else [])):
        if header in {name for name, _ in route.header_edits}:
            message = f"`{route.name}` changes the header `{header}`, by which the model is chosen"
            yield Diagnostic("VSR361", message, route.span, "Remove it from `headers`.")


def _model(policy: ir.Policy, model: ir.Model) -> Iterator[Diagnostic]:
    endpoints = [endpoint for endpoint, _ in model.endpoints]
    if model.keyed is not None:
        where = "is outside the cluster" if model.keyed.provider is not None else "has an `apiKey`"
        message = f"`{model.keyed.name}` {where}, but which server a route of others leads to is not known"
        yield Diagnostic("VSR361", message, model.keyed.span, _KEY)
    if len(endpoints) == 1:
        return
    homes = {endpoint.service.namespace for endpoint in endpoints}
    named = [endpoint for endpoint in endpoints if endpoint.route is not None]
    if named or (len(homes) > 1 and CONVENTIONS[attachment_of(policy).convention].value == "publisher"):
        message = f"`{model.name}` has several endpoints with different values of the header, but it can have only one"
        hint = "Define a model for each, and use a route's `split`."
        yield Diagnostic("VSR361", message, model.span, hint)
        return
    message = f"the weights of `{model.name}` are ignored: the route of others divides its requests"
    yield Diagnostic("VSR362", message, model.span, "To divide them here, define two models and use a route's `split`.")


def _ignored(endpoint: ir.Endpoint) -> Iterator[Diagnostic]:
    if endpoint.server is not None:
        message = f"no server is written for `{endpoint.name}`: its models are those behind the routes of others"
        yield Diagnostic("VSR362", message, endpoint.span, "Deploy it with another target, or name the route: `route`.")


def preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315 for the Gateway and the routes that must exist, VSR363 for what rests on them."""
    attachment, gateway = attachment_of(policy), policy.gateway
    values = list(dict.fromkeys(routed(policy, model).value for model in policy.models))
    listed = ", ".join(f"`{value}`" for value in values[:MAX_LISTED])
    more = f" and {len(values) - MAX_LISTED} more" if len(values) > MAX_LISTED else ""
    message = f"the Gateway `{gateway.name}` in {gateway.namespace} must exist, run by {attachment.controller}"
    hint = f"Its routes must match `{attachment.header}` with {listed}{more}."
    needs = CONVENTIONS[attachment.convention].needs
    yield Diagnostic("VSR315", message, gateway.span, f"{hint} They need {needs}." if needs else hint)
    message = (
        f"routes match `{attachment.header}` whether or not the router has decided: a listener of the Gateway without "
        "the router's filter lets clients choose the model"
    )
    hint = (
        "Attach those routes to no other listener and no other Gateway, and give requests to models a listener of "
        "their own: the router answers all others there with 404. Check it with `vsr-compile verify`."
    )
    level = Severity.WARNING if policy.guards or policy.identity else None
    yield Diagnostic("VSR363", message, gateway.span, hint, level)
