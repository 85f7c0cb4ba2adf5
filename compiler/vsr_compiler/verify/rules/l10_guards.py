"""L10: requests that bypass the guards or choose their own route."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.envoy_fields import snake_case
from vsr_compiler.verify.ext_proc import ExtProcFilter, ext_proc_filters
from vsr_compiler.verify.header_matches import model_routes
from vsr_compiler.verify.manifest import Manifest, Path, as_string, as_strings
from vsr_compiler.verify.manifest_index import ENVOY, ManifestIndex
from vsr_compiler.verify.router_config import has_guards
from vsr_compiler.verify.rules.rule import LinkRule
from vsr_schemas.headers import SELECTED_MODEL


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    processors = ext_proc_filters(index)
    guarded = bool(processors) and has_guards(index)
    level = Severity.ERROR if guarded else Severity.WARNING
    for processor in processors:
        source = processor.source
        if processor.fail_open:
            bypassed = "the guards" if guarded else "its checks"
            message = f"requests bypass {bypassed} when the processor of {source.title} fails"
            hint = "Fail closed, so that a request without a decision is denied."
            yield Diagnostic("VSR410", message, source.span(*processor.fail_open), hint, level)
        if processor.config.get("observability_mode") is True:
            message = f"{source.title} only mirrors requests to its processor and ignores the responses"
            yield Diagnostic("VSR410", message, source.span(*processor.path), "Remove observability_mode.", level)
    routes = model_routes(index)
    yield from _unstripped_header(index, [item for item in processors if item.source.namespace in routes])
    for route in index.of_kind("HTTPRoute"):
        yield from _removed_by_route(route)
    for envoy_filter in index.of_kind("EnvoyFilter"):
        yield from _removed_by_virtual_host(envoy_filter)


def _unstripped_header(index: ManifestIndex, processors: list[ExtProcFilter]) -> Iterator[Diagnostic]:
    stripped = {
        (source.namespace, header)
        for kind in ("EnvoyFilter", "EnvoyPatchPolicy", "ClientTrafficPolicy")
        for source in index.of_kind(kind)
        for header in _stripped_headers(source)
    }
    reported: set[int] = set()
    for processor in processors:
        source = processor.source
        routing = source.kind in {"EnvoyFilter", "EnvoyPatchPolicy", "EnvoyExtensionPolicy"}
        if routing and id(source) not in reported and (source.namespace, SELECTED_MODEL) not in stripped:
            reported.add(id(source))
            message = f"a client that sends `{SELECTED_MODEL}` chooses the route itself: the gateway does not remove it"
            hint = "Remove it by early_header_mutation_extensions, or ClientTrafficPolicy's earlyRequestHeaders."
            yield Diagnostic("VSR410", message, source.span(*processor.path), hint)


def _stripped_headers(source: Manifest) -> Iterator[str]:
    """Return the headers that an object removes before the filters run."""
    if source.group == ENVOY and source.kind == "ClientTrafficPolicy":
        yield from map(str.lower, as_strings(source.at("spec", "headers", "earlyRequestHeaders", "remove")))
        return
    # Removal by an ordinary filter does not count: the filter may run after the processor.
    stack: list[tuple[object, bool]] = [(source.spec, False)]
    while stack:
        node, early = stack.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if early and key == "remove" and isinstance(value, str):
                    yield value.lower()
                stack.append((value, early or snake_case(key) == "early_header_mutation_extensions"))
        elif isinstance(node, list):
            stack += [(child, early) for child in node]


def _removed_by_route(route: Manifest) -> Iterator[Diagnostic]:
    for rule_path, _ in route.entries("spec", "rules"):
        for path, body in route.entries(*rule_path, "filters"):
            headers: Path = (*path, "requestHeaderModifier", "remove")
            if body.get("type") == "RequestHeaderModifier" and _are_protected(as_strings(route.at(*headers))):
                yield _removed_too_late(route, headers)


def _removed_by_virtual_host(source: Manifest) -> Iterator[Diagnostic]:
    for path, patch in source.entries("spec", "configPatches"):
        if as_string(patch.get("applyTo")) in {"VIRTUAL_HOST", "ROUTE_CONFIGURATION", "HTTP_ROUTE"}:
            for key in ("request_headers_to_remove", "requestHeadersToRemove"):
                headers: Path = (*path, "patch", "value", key)
                if _are_protected(as_strings(source.at(*headers))):
                    yield _removed_too_late(source, headers)


def _are_protected(headers: list[str]) -> bool:
    return any(name.lower().startswith((SELECTED_MODEL, "x-vsr-", "x-authz-")) for name in headers)


def _removed_too_late(source: Manifest, headers: Path) -> Diagnostic:
    message = "the route removes these headers after the processor has read them"
    hint = "Remove them before any filter: early_header_mutation_extensions, or ClientTrafficPolicy."
    return Diagnostic("VSR410", message, source.span(*headers), hint, Severity.WARNING)


RULE = LinkRule(
    name="L10",
    code="VSR410",
    purpose="A processor with guards fails closed, and the gateway removes headers that choose the route from client "
    "requests before any filter runs. Removal by a route or virtual host comes too late.",
    check=_check,
)
