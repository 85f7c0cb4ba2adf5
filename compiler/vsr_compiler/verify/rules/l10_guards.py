"""L10: nothing gets past the guards, and no client chooses its route."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.extproc import Filter, filters, header_routes, snake
from vsr_compiler.verify.manifest import Manifest, Path, text, texts
from vsr_compiler.verify.manifest_index import ENVOY, World
from vsr_compiler.verify.router import guarded
from vsr_schemas.headers import SELECTED_MODEL


def rule(world: World) -> Iterator[Diagnostic]:
    """A processor with guards fails closed, and headers that choose the route are taken from client requests before any
    filter runs; what a route or a virtual host removes is removed too late.
    """  # noqa: D205 - the whole of it is what users read
    found = filters(world)
    guards = bool(found) and guarded(world)
    for each in found:
        if each.fails_open:
            level = Severity.ERROR if guards else Severity.WARNING
            why = "the guards" if guards else "whatever it checks"
            message = f"requests pass {each.source.title} when its processor fails, and so pass {why}"
            hint = "Fail closed, so that a request without a decision is denied."
            yield Diagnostic("VSR410", message, each.source.span(*each.fails_open), hint, level)
        if each.config.get("observability_mode") is True:
            level = Severity.ERROR if guards else Severity.WARNING
            message = f"{each.source.title} only shows requests to its processor, whose answers count for nothing"
            yield Diagnostic("VSR410", message, each.source.span(*each.path), "Remove observability_mode.", level)
    routed = header_routes(world)
    yield from _unstripped(world, [each for each in found if each.source.namespace in routed])
    for route in world.of("HTTPRoute"):
        yield from _too_late(route)
    for each_filter in world.of("EnvoyFilter"):
        yield from _virtual_hosts(each_filter)


def _unstripped(world: World, found: list[Filter]) -> Iterator[Diagnostic]:
    stripped = {
        (source.namespace, header)
        for kind in ("EnvoyFilter", "EnvoyPatchPolicy", "ClientTrafficPolicy")
        for source in world.of(kind)
        for header in _stripped(source)
    }
    told: set[int] = set()
    for each in found:
        routing = each.source.kind in {"EnvoyFilter", "EnvoyPatchPolicy", "EnvoyExtensionPolicy"}
        if routing and id(each.source) not in told and (each.source.namespace, SELECTED_MODEL) not in stripped:
            told.add(id(each.source))
            message = f"a client that sends `{SELECTED_MODEL}` chooses the route itself: nothing strips it beforehand"
            hint = "Remove it by early_header_mutation_extensions, or ClientTrafficPolicy's earlyRequestHeaders."
            yield Diagnostic("VSR410", message, each.source.span(*each.path), hint)


def _stripped(source: Manifest) -> Iterator[str]:
    """The headers that an object removes before the filters run."""
    if source.group == ENVOY and source.kind == "ClientTrafficPolicy":
        yield from map(str.lower, texts(source.at("spec", "headers", "earlyRequestHeaders", "remove")))
        return
    # What an ordinary filter removes counts for nothing: it may stand behind the processor.
    waiting: list[tuple[object, bool]] = [(source.spec, False)]
    while waiting:
        node, early = waiting.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if early and key == "remove" and isinstance(value, str):
                    yield value.lower()
                waiting.append((value, early or snake(key) == "early_header_mutation_extensions"))
        elif isinstance(node, list):
            waiting += [(child, early) for child in node]


def _too_late(route: Manifest) -> Iterator[Diagnostic]:
    for rule_path, _ in route.each("spec", "rules"):
        for path, body in route.each(*rule_path, "filters"):
            where: Path = (*path, "requestHeaderModifier", "remove")
            if body.get("type") == "RequestHeaderModifier" and _security(texts(route.at(*where))):
                yield _late(route, where)


def _virtual_hosts(source: Manifest) -> Iterator[Diagnostic]:
    for path, patch in source.each("spec", "configPatches"):
        if text(patch.get("applyTo")) in {"VIRTUAL_HOST", "ROUTE_CONFIGURATION", "HTTP_ROUTE"}:
            for key in ("request_headers_to_remove", "requestHeadersToRemove"):
                where: Path = (*path, "patch", "value", key)
                if _security(texts(source.at(*where))):
                    yield _late(source, where)


def _security(headers: list[str]) -> bool:
    return any(text(name).lower().startswith((SELECTED_MODEL, "x-vsr-", "x-authz-")) for name in headers)


def _late(source: Manifest, where: Path) -> Diagnostic:
    message = "the route removes these headers after the processor has read them"
    hint = "Remove them before any filter: early_header_mutation_extensions, or ClientTrafficPolicy."
    return Diagnostic("VSR410", message, source.span(*where), hint, Severity.WARNING)
