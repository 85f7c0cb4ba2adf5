"""L09: ext_proc filters with a name or position that does not work."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.releases.filter_order import ENVOY_GATEWAY_ANCHOR, ISTIO_ANCHOR
from vsr_compiler.verify.authenticators import authenticator
from vsr_compiler.verify.ext_proc import DEFAULT_NAME, ExtProcFilter, ext_proc_filters
from vsr_compiler.verify.filter_position import anchor, runs_first
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import AI, ISTIO, ManifestIndex
from vsr_compiler.verify.request_buffer import policies_without_buffer
from vsr_compiler.verify.router_filters import reaches, router_listeners
from vsr_compiler.verify.rules.rule import LinkRule

_HTTP = "envoy.filters.http."
AFTER_PICKER = frozenset({*(f"{_HTTP}{name}" for name in ("cors", "fault", "grpc_stats", "router")), "istio.stats"})
"""Filters of Istio's gateways that run after the endpoint picker's."""
_INDEX = re.compile(r".*/(?:http_filters|httpFilters)/(-|\d+)")


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    by_name: dict[tuple[str, str, str, str], ExtProcFilter] = {}
    for processor in ext_proc_filters(index):
        source = processor.source
        if source.group == ISTIO:
            yield from _envoy_filter(index, processor)
            yield from _before_authentication(index, processor)
        elif source.kind == "EnvoyPatchPolicy":
            yield from _patch_policy(index, processor)
            yield from _missing_anchor(index, processor)
            yield from _before_authentication(index, processor)
        elif source.kind == "EnvoyExtensionPolicy":
            yield from _extension_policy(index, processor)
        if processor.is_envoy:
            first = by_name.setdefault(
                (source.namespace, _gateway(source), _listener(processor), processor.name), processor
            )
            if first is not processor:
                message = f"two ext_proc filters of one gateway have the name `{processor.name}`"
                hint = f"Rename one of them; the other is in {first.source.title}. Per-route settings use the name."
                yield Diagnostic("VSR409", message, source.span(*processor.path, "name"), hint)


def _gateway(source: Manifest) -> str:
    spec = source.spec
    refs = [*as_mappings(spec.get("targetRefs")), spec.get("targetRef"), spec.get("workloadSelector")]
    return ",".join(sorted(as_string(value_at(ref, "name")) or str(value_at(ref, "labels")) for ref in refs if ref))


def _before_authentication(index: ManifestIndex, processor: ExtProcFilter) -> Iterator[Diagnostic]:
    """Report a router's filter that runs before the authentication of its Gateway."""
    if not runs_first(processor):
        return
    source = processor.source
    for listener, _ in router_listeners(index):
        by = authenticator(index, listener.gateway) if reaches(index, processor, listener) else None
        if by is not None:
            message = (
                f"the filter runs before {by.title} authenticates: the router answers everybody, and its changes of "
                "credentials are what is authenticated"
            )
            anchors = f"`{ISTIO_ANCHOR}`, or with pools `{DEFAULT_NAME}`"
            hint = f"Insert it before {anchors if source.group == ISTIO else f'`{ENVOY_GATEWAY_ANCHOR}`'}."
            yield Diagnostic("VSR409", message, source.span(*processor.path), hint)
            return


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
    for listener, _ in router_listeners(index):
        lacking = policies_without_buffer(index, listener) if reaches(index, processor, listener) else None
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
    if operation == "INSERT_BEFORE" and sub_filter == DEFAULT_NAME:
        message = f"the filter is inserted before `{DEFAULT_NAME}`, which exists only while a route has a pool"
        hint = "Use INSERT_FIRST: without the other filter, Istio does not insert this one at all."
        yield Diagnostic("VSR409", message, span, hint)
    if operation == "ADD" or (operation == "INSERT_AFTER" and sub_filter == f"{_HTTP}router"):
        message = "the filter runs after the others, when the route is already chosen"
        yield Diagnostic("VSR409", message, span, "Use INSERT_FIRST.")
    elif index.pools and (
        (operation in {"INSERT_BEFORE", "INSERT_AFTER"} and sub_filter in AFTER_PICKER)
        or (operation == "INSERT_AFTER" and sub_filter == DEFAULT_NAME)
    ):
        message = (
            f"the filter is next to `{sub_filter}` and runs after the endpoint picker, "
            "which then chooses a pod before the router chooses a model"
        )
        yield Diagnostic("VSR409", message, span, "Use INSERT_FIRST.")


def _patch_policy(index: ManifestIndex, processor: ExtProcFilter) -> Iterator[Diagnostic]:
    source = processor.source
    with_ai_gateway = bool(index.of_kind("AIGatewayRoute", AI))
    if with_ai_gateway and processor.name.startswith(DEFAULT_NAME):
        message = f"Envoy AI Gateway inserts its own filter before the first one named `{DEFAULT_NAME}…`"
        hint = "Give the filter another name: AI Gateway must read the model after the router has set it."
        yield Diagnostic("VSR409", message, source.span(*processor.path, "name"), hint)
    pointer_path = (*processor.path[:-1], "path")
    match = _INDEX.fullmatch(as_string(source.at(*pointer_path)))
    if match and match[1] == "-":
        message = "the filter runs after Envoy's router filter, which no request passes"
        yield Diagnostic("VSR409", message, source.span(*pointer_path), "Add it at index 0.")
    elif match and int(match[1]) and with_ai_gateway:
        message = f"the filter has index {match[1]}: Envoy AI Gateway may insert its own filter before an earlier one"
        hint = "Add it at index 0: AI Gateway must read the model after the router has set it."
        yield Diagnostic("VSR409", message, source.span(*pointer_path), hint, Severity.WARNING)


def _extension_policy(index: ManifestIndex, processor: ExtProcFilter) -> Iterator[Diagnostic]:
    source = processor.source
    if index.of_kind("AIGatewayRoute", AI):
        message = "Envoy AI Gateway's own filter runs before every EnvoyExtensionPolicy, and reads the model first"
        yield Diagnostic("VSR409", message, source.span(*processor.path), "Use an EnvoyPatchPolicy at index 0.")
    target_refs = as_mappings(source.spec.get("targetRefs"))
    gateways = {as_string(ref.get("name")) for ref in target_refs if ref.get("kind") == "Gateway"}
    routes = [
        route
        for route in index.of_kind("HTTPRoute")
        if any(as_string(ref.get("name")) in gateways for ref in as_mappings(route.spec.get("parentRefs")))
    ]
    if routes and not any(_is_unconditional(rule) for route in routes for _, rule in route.entries("spec", "rules")):
        message = f"every route rule behind {source.title} matches headers, so the processor that sets them never runs"
        hint = "Add a route without header matches: the first matching route enables the filter."
        yield Diagnostic("VSR409", message, source.span(*processor.path), hint)


def _is_unconditional(rule: dict[str, object]) -> bool:
    matches = as_mappings(rule.get("matches"))
    return not matches or any(not match.get("headers") for match in matches)


RULE = LinkRule(
    name="L09",
    code="VSR409",
    purpose="The name of an ext_proc filter is unique in its gateway and is not Envoy's default. The filter runs "
    "before those that need its result: a pool's picker, AI Gateway's filter, Envoy's router. A filter that routes "
    "enable has a route without header matches. Only filters among the checked objects are known.",
    check=_check,
)
