"""Policies of agentgateway: where their fields act, and which of several counts.

Before routing, each field of a policy of the listener comes before one of the Gateway; of two policies with one target
any may count, and no status says which. Rules of `authorization` add up. Source: agentgateway 1.4.1,
`crates/agentgateway/src/store/binds.rs`, `gateway_policies`; `proxy/httpproxy.rs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.by_gateway import applies_to_gateway
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string
from vsr_compiler.verify.manifest_index import GATEWAY_API, ManifestIndex, cached_per_index
from vsr_compiler.verify.router_filters import router_listeners, router_routes
from vsr_schemas.headers import SELECTED_MODEL

GROUP = "agentgateway.dev"
PRE = "PreRouting"
_AUTHENTICATION = ("jwtAuthentication", "basicAuthentication", "apiKeyAuthentication", "extAuth")
_SINGLE = ("extProc", *_AUTHENTICATION, "cors", "transformation")
"""Fields of the phase before routing of which one policy counts."""


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """A field of a policy, for one of its targets: namespace, kind, name and section."""

    source: Manifest
    name: str
    target: tuple[str, str, str, str]
    early: bool


def findings(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Return what is wrong with the policies and models of agentgateway, as VSR409."""
    yield from _too_late(index)
    yield from _arbitrary(index)
    yield from _displaced(index)
    yield from _behind_the_router(index)
    yield from _models(index)


@cached_per_index
def _fields(index: ManifestIndex) -> Iterator[_Field]:
    """Return the fields of all policies, for each target."""
    for source in index.of_kind("AgentgatewayPolicy", GROUP):
        traffic = as_mapping(source.spec.get("traffic"))
        early = traffic.get("phase") == PRE
        for ref in as_mappings(source.spec.get("targetRefs")):
            kind, name, section = (as_string(ref.get(key)) for key in ("kind", "name", "sectionName"))
            target = (source.namespace, kind, name, section)
            yield from (_Field(source, field, target, early) for field in _SINGLE if traffic.get(field) is not None)


def _span(field: _Field) -> tuple[str, str, str]:
    return "spec", "traffic", field.name


def _too_late(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report a processor behind the choice of the route, where routes match what it sets."""
    by_route = {(item.route.namespace, item.route.name) for item in router_routes(index)}
    reported: set[int] = set()
    for field in _fields(index):
        if field.name != "extProc" or field.early or id(field.source) in reported:
            continue
        namespace, kind, name, _ = field.target
        gateways = (listener.gateway for listener, _ in router_listeners(index))
        behind = (kind == "HTTPRoute" and (namespace, name) in by_route) or (
            kind == "Gateway" and any(applies_to_gateway(field.source, gateway) for gateway in gateways)
        )
        if behind:
            reported.add(id(field.source))
            message = (
                f"the processor runs when the route is already chosen: `{SELECTED_MODEL}` that it sets chooses none"
            )
            hint = f"Set `traffic.phase: {PRE}`, and target the Gateway or its listeners."
            yield Diagnostic("VSR409", message, field.source.span(*_span(field)), hint)


def _arbitrary(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report a second policy that sets a field for the same target."""
    first: dict[tuple[object, ...], _Field] = {}
    for field in _fields(index):
        if not field.early:
            continue
        other = first.setdefault((*field.target, field.name), field)
        if other.source is not field.source:
            _, kind, name, section = field.target
            where = f"{kind} `{name}`" + (f", section `{section}`" if section else "")
            message = f"{other.source.title} sets `{field.name}` for {where} as well: which of them counts is arbitrary"
            level = Severity.ERROR if field.name in {"extProc", *_AUTHENTICATION} else Severity.WARNING
            yield Diagnostic("VSR409", message, field.source.span(*_span(field)), "Remove one of the two.", level)


def _displaced(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report a processor of a listener where another is set for the whole Gateway."""
    whole = {
        field.target[:3]: field
        for field in _fields(index)
        if field.name == "extProc" and field.early and not field.target[3]
    }
    for field in _fields(index):
        other = whole.get(field.target[:3])
        if field.name == "extProc" and field.early and field.target[3] and other is not None:
            if other.source is field.source:
                continue
            message = (
                f"on listener `{field.target[3]}` this processor takes the place of the one in {other.source.title}"
            )
            hint = "Remove it, unless requests on this listener are not for the router."
            yield Diagnostic("VSR409", message, field.source.span(*_span(field)), hint, Severity.WARNING)


def _behind_the_router(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report authentication behind the choice of the route at a Gateway that asks a processor before it."""
    asked = {field.target[:3] for field in _fields(index) if field.name == "extProc" and field.early}
    seen: set[tuple[int, str]] = set()
    for field in _fields(index):
        late = field.name in _AUTHENTICATION and not field.early and field.target[:3] in asked
        if late and (id(field.source), field.name) not in seen:
            seen.add((id(field.source), field.name))
            message = f"`{field.name}` runs after the router, which answers clients whom the gateway would refuse"
            hint = f"Set `traffic.phase: {PRE}`: authentication then comes first."
            yield Diagnostic("VSR409", message, field.source.span(*_span(field)), hint, Severity.WARNING)


def _models(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report models of agentgateway at a Gateway of the router: their routes have exact paths and come first."""
    gateways = {(listener.gateway.namespace, listener.gateway.name) for listener, _ in router_listeners(index)}
    for model in index.of_kind("AgentgatewayModel", GROUP):
        for path, ref in model.entries("spec", "parentRefs"):
            namespace = as_string(ref.get("namespace")) or model.namespace
            is_gateway = ref.get("kind", "Gateway") == "Gateway" and ref.get("group", GATEWAY_API) == GATEWAY_API
            if is_gateway and (namespace, as_string(ref.get("name"))) in gateways:
                message = (
                    f"its routes have exact paths and come before those that match `{SELECTED_MODEL}`: "
                    "the name in the body chooses the model, not the router"
                )
                hint = "Use an AgentgatewayBackend with an HTTPRoute that matches the header, or another Gateway."
                yield Diagnostic("VSR409", message, model.span(*path), hint)
