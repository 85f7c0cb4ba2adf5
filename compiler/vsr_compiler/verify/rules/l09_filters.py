"""L09: ext_proc filters with a name or position that does not work."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.releases import filter_order
from vsr_compiler.releases.filter_order import ENVOY_GATEWAY_ANCHOR
from vsr_compiler.verify import agentgateway_policies
from vsr_compiler.verify.authenticators import authenticator
from vsr_compiler.verify.ext_proc import DEFAULT_NAME, ExtProcFilter, ext_proc_filters, is_picker_placeholder
from vsr_compiler.verify.filter_position import anchor
from vsr_compiler.verify.header_writers import second_writers
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import AI, GATEWAY_API, ISTIO, ManifestIndex
from vsr_compiler.verify.request_buffer import policies_without_buffer
from vsr_compiler.verify.router_filters import gateways_with_filters, listeners_with
from vsr_compiler.verify.rules.rule import LinkRule

_ISTIO = filter_order.ISTIO
BEFORE_PICKER = frozenset(_ISTIO[: _ISTIO.index(filter_order.PICKER)])
"""Filters of Istio's gateways that authenticate and authorize."""
AFTER_PICKER = frozenset(_ISTIO[_ISTIO.index(filter_order.PICKER) + 1 :])
"""Filters of Istio's gateways that run after the endpoint picker's."""
_EARLY = frozenset(filter_order.ENVOY_GATEWAY[: filter_order.ENVOY_GATEWAY.index(ENVOY_GATEWAY_ANCHOR)])
"""Filters of Envoy Gateway that run before the request buffer; those that authenticate are among them."""
_NAMED = re.compile(r"http_filters\[\?\(?@\.name\s*==\s*['\"]([^'\"]+)['\"]\)?\]$")
_TOO_EARLY = (
    "the filter runs before authentication: the router answers clients whom the gateway would refuse, "
    "and its changes of credentials are what authentication sees"
)
_BEFORE_BUFFER = f"Insert it before `{ENVOY_GATEWAY_ANCHOR}`, by a `jsonPath`, with a `requestBuffer` on the Gateway."
_INDEX = re.compile(r".*/(?:http_filters|httpFilters)/(-|\d+)")


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    yield from agentgateway_policies.findings(index)
    yield from _second_writers(index)
    by_name: dict[tuple[str, str, str, str], ExtProcFilter] = {}
    for processor in ext_proc_filters(index):
        source = processor.source
        if source.group == ISTIO:
            yield from _envoy_filter(index, processor)
        elif source.kind == "EnvoyPatchPolicy":
            yield from _patch_policy(index, processor)
            yield from _missing_anchor(index, processor)
        elif source.kind == "EnvoyExtensionPolicy":
            yield from _extension_policy(index, processor)
        if processor.is_envoy:
            first = by_name.setdefault(
                (source.namespace, _gateway(source), _listener(processor), processor.name), processor
            )
            twice = (GATEWAY_API, "Gateway", source.namespace, _gateway(source)) in index.defined_twice
            if first is not processor and not twice:
                message = f"two ext_proc filters of one gateway have the name `{processor.name}`"
                hint = f"Rename one of them; the other is in {first.source.title}. Per-route settings use the name."
                yield Diagnostic("VSR409", message, source.span(*processor.path, "name"), hint)


def _second_writers(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report body-based routers of others that write the header of the router: whoever comes last decides."""
    for processor, header in second_writers(index):
        source, patch = processor.source, processor.path[:-2]
        sub_filter = as_string(source.at(*patch, "match", "listener", "filterChain", "filter", "subFilter", "name"))
        operation = as_string(source.at(*patch, "patch", "operation"))
        first = source.group == ISTIO and (
            operation == "INSERT_FIRST"
            or (operation in {"INSERT_BEFORE", "INSERT_AFTER"} and sub_filter in BEFORE_PICKER)
            or (operation == "INSERT_BEFORE" and not sub_filter)
        )
        effect = (
            "it runs before the router, which overwrites the header"
            if first
            else "it runs after the router and replaces its choice by the model in the body"
        )
        message = f"the processor of {source.title} writes `{header}` as well: {effect}"
        level = Severity.WARNING if first else Severity.ERROR
        hint = "Remove it from this Gateway: the router writes the header for every request."
        yield Diagnostic("VSR409", message, source.span(*processor.path), hint, level)


def _gateway(source: Manifest) -> str:
    spec = source.spec
    refs = [*as_mappings(spec.get("targetRefs")), spec.get("targetRef"), spec.get("workloadSelector")]
    return ",".join(sorted(as_string(value_at(ref, "name")) or str(value_at(ref, "labels")) for ref in refs if ref))


def _listener(processor: ExtProcFilter) -> str:
    """Return the name of the listener that a patch changes; a patch of Istio's may change several."""
    patch = as_mapping(processor.source.at(*processor.path[:-2]))
    listener = as_mapping(value_at(patch, "match", "listener"))
    return as_string(patch.get("name")) or f"{listener.get('name', '')}{listener.get('portNumber', '')}"


def _missing_anchor(index: ManifestIndex, processor: ExtProcFilter) -> Iterator[Diagnostic]:
    """Report a patch before the filter of the request buffer, where no policy makes Envoy Gateway add that filter."""
    source = processor.source
    if anchor(processor) != ENVOY_GATEWAY_ANCHOR:
        return
    for listener in listeners_with(index, processor):
        lacking = policies_without_buffer(index, listener)
        if lacking is None:
            continue
        cause = f": {lacking[0].title} applies instead of one with it" if lacking else ", which no policy sets"
        message = (
            f"the filter is inserted before `{ENVOY_GATEWAY_ANCHOR}`, which {listener.title} has only with a "
            f"`requestBuffer`{cause}"
        )
        hint = "Set `requestBuffer` in a BackendTrafficPolicy of the Gateway. Without it every request gets 404."
        at = lacking[0] if lacking else source
        yield Diagnostic("VSR409", message, at.span("spec") if lacking else source.span(*processor.path), hint)
        return


def _envoy_filter(index: ManifestIndex, processor: ExtProcFilter) -> Iterator[Diagnostic]:
    source = processor.source
    if processor.name == DEFAULT_NAME:
        level = Severity.ERROR if index.pools else Severity.WARNING
        message = f"the filter is named `{DEFAULT_NAME}`, which Istio redirects to the endpoint picker on pool routes"
        hint = "Give it another name, such as `vsr.ext_proc`."
        yield Diagnostic("VSR409", message, source.span(*processor.path, "name"), hint, level)
    patch = processor.path[:-2]
    sub_filter = as_string(source.at(*patch, "match", "listener", "filterChain", "filter", "subFilter", "name"))
    operation = as_string(source.at(*patch, "patch", "operation"))
    span = source.span(*patch)
    with_pools = _with_pools(index, source)
    before = f"`{filter_order.PICKER if any(with_pools) else filter_order.ISTIO_ANCHOR}`"
    if operation == "INSERT_BEFORE" and sub_filter == DEFAULT_NAME and not all(with_pools):
        message = f"the filter is inserted before `{DEFAULT_NAME}`, which exists only while a route has a pool"
        hint = f"Insert it before {before}: without the other filter, Istio does not insert this one at all."
        yield Diagnostic("VSR409", message, span, hint)
    if operation == "ADD" or (operation == "INSERT_AFTER" and sub_filter == f"{filter_order.HTTP}router"):
        message = "the filter runs after the others, when the route is already chosen"
        yield Diagnostic("VSR409", message, span, f"Use INSERT_BEFORE {before}.")
    elif (
        any(with_pools)
        and not _moves_picker(source, patch)
        and (
            (operation in {"INSERT_BEFORE", "INSERT_AFTER"} and sub_filter in AFTER_PICKER)
            or (operation == "INSERT_AFTER" and sub_filter == DEFAULT_NAME)
        )
    ):
        message = (
            f"the filter is next to `{sub_filter}` and runs after the endpoint picker, "
            "which then chooses a pod before the router chooses a model"
        )
        yield Diagnostic("VSR409", message, span, f"Use INSERT_BEFORE {before}.")
    elif operation == "INSERT_FIRST" or (operation == "INSERT_BEFORE" and sub_filter in {"", *BEFORE_PICKER}):
        yield from _too_early(index, processor, span, f"Use INSERT_BEFORE {before}.")


def _moves_picker(source: Manifest, patch: Path) -> bool:
    """Return whether an EnvoyFilter takes the filter for pickers out, and puts it back behind the filter of a patch."""
    patches = list(source.entries("spec", "configPatches"))
    number = next((at for at, (path, _) in enumerate(patches) if path == patch), 0)

    def place(body: Body) -> tuple[object, object]:
        listener = as_mapping(value_at(body, "match", "listener"))
        return listener.get("portNumber"), value_at(listener, "filterChain", "filter", "subFilter", "name")

    port, anchor_name = place(patches[number][1]) if patches else (None, None)
    removed = any(
        value_at(body, "patch", "operation") == "REMOVE" and place(body) == (port, DEFAULT_NAME)
        for _, body in patches[:number]
    )
    put_back = any(
        value_at(body, "patch", "operation") == "INSERT_BEFORE"
        and place(body) == (port, anchor_name)
        and is_picker_placeholder(as_mapping(value_at(body, "patch", "value")))
        for _, body in patches[number + 1 :]
    )
    return removed and put_back


def _too_early(index: ManifestIndex, processor: ExtProcFilter, span: Span, hint: str) -> Iterator[Diagnostic]:
    """Report a filter of a router that runs before the authentication of its Gateway."""
    gateways = [listener.gateway for listener in listeners_with(index, processor)]
    by = next(filter(None, (authenticator(index, gateway) for gateway in gateways)), None)
    if by is not None:
        message = f"{_TOO_EARLY}: {by.title} applies to this gateway"
        yield Diagnostic("VSR409", message, span, hint)


def _with_pools(index: ManifestIndex, source: Manifest) -> list[bool]:
    """Return for each Gateway that an EnvoyFilter changes whether its routes lead to pools."""
    gateways = gateways_with_filters(index).get(id(source), [])
    with_pools = [(gateway.namespace, gateway.name) in index.routes_with_pools for gateway in gateways]
    return with_pools or [bool(index.pools)]


def _patch_policy(index: ManifestIndex, processor: ExtProcFilter) -> Iterator[Diagnostic]:
    source = processor.source
    with_ai_gateway = bool(index.of_kind("AIGatewayRoute", AI))
    if with_ai_gateway and processor.name.startswith(DEFAULT_NAME):
        message = f"Agent Router inserts its own filter before the first one named `{DEFAULT_NAME}…`"
        hint = "Give the filter another name: Agent Router must read the model after the router has set it."
        yield Diagnostic("VSR409", message, source.span(*processor.path, "name"), hint)
    operation = processor.path[:-1]
    match = _INDEX.fullmatch(as_string(source.at(*operation, "path")))
    named = _NAMED.search(as_string(source.at(*operation, "jsonPath")))
    span = source.span(*operation, "path" if match else "jsonPath")
    if match and match[1] == "-":
        message = "the filter runs after Envoy's router filter, which no request passes"
        yield Diagnostic("VSR409", message, span, _BEFORE_BUFFER)
    elif match and int(match[1]):
        effect = (
            "Agent Router (formerly Envoy AI Gateway) may insert its own filter before an earlier one"
            if with_ai_gateway
            else "filters that authenticate may run after it"
        )
        message = f"the filter has index {match[1]}: {effect}"
        yield Diagnostic("VSR409", message, span, _BEFORE_BUFFER, Severity.WARNING)
    elif (match and not int(match[1])) or (named and named[1] in _EARLY):
        yield from _too_early(index, processor, span, _BEFORE_BUFFER)


def _extension_policy(index: ManifestIndex, processor: ExtProcFilter) -> Iterator[Diagnostic]:
    source = processor.source
    if index.of_kind("AIGatewayRoute", AI):
        message = "Agent Router's own filter runs before every EnvoyExtensionPolicy, and reads the model first"
        yield Diagnostic("VSR409", message, source.span(*processor.path), f"Use an EnvoyPatchPolicy. {_BEFORE_BUFFER}")
    target_refs = as_mappings(source.spec.get("targetRefs"))
    gateways = {as_string(ref.get("name")) for ref in target_refs if ref.get("kind") == "Gateway"}
    by_parent = _routes_by_parent(index)
    routes = [route for name in sorted(gateways) for route in by_parent.get(name, ())]
    if routes and not any(_is_unconditional(rule) for route in routes for _, rule in route.entries("spec", "rules")):
        message = f"every route rule behind {source.title} matches headers, so the processor that sets them never runs"
        hint = "Add a route without header matches: the first matching route enables the filter."
        yield Diagnostic("VSR409", message, source.span(*processor.path), hint)


def _routes_by_parent(index: ManifestIndex) -> dict[str, list[Manifest]]:
    """Return the HTTPRoutes by the names of their parents."""

    def compute() -> dict[str, list[Manifest]]:
        by_parent: dict[str, list[Manifest]] = {}
        for route in index.of_kind("HTTPRoute"):
            for name in {as_string(ref.get("name")) for ref in as_mappings(route.spec.get("parentRefs"))}:
                by_parent.setdefault(name, []).append(route)
        return by_parent

    return index.cached("routes by parent", compute)


def _is_unconditional(rule: dict[str, object]) -> bool:
    matches = as_mappings(rule.get("matches"))
    return not matches or any(not match.get("headers") for match in matches)


RULE = LinkRule(
    name="L09",
    code="VSR409",
    purpose="The name of an ext_proc filter is unique in its gateway and is not Envoy's default. The filter runs "
    "after authentication and before the filters that need its result: a pool's picker, Agent Router's filter, Envoy's "
    "router. No body-based router of others writes the header of the router as well. A filter that routes enable has "
    "a route without header matches. On agentgateway the processor's policy has the phase PreRouting, no other policy "
    "sets the same field for its target, and no AgentgatewayModel is attached to its Gateway. Only filters among the "
    "checked objects are known.",
    check=_check,
)
